"""Rewrites that would be sent as nobody meant them are told, with what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from wardgate.api import RouteTable, parse_object
from wardgate.problems import ObjectRef, ProblemKind
from wardgate.translate.findings import Findings
from wardgate.translate.matching.matcher_reader import MatcherReader
from wardgate.translate.tables.actions import ActionReader

_REF = ObjectRef("RouteTable", "a", "t")
_PLACE = "spec.http[0]"
_TO = {"destinations": [{"ref": {"name": "x"}, "port": {"number": 80}}]}


def _told(route: dict[str, Any]) -> list[tuple[str, str]]:
    """Kind and message of every finding, without the field and the table."""
    manifest = {
        "apiVersion": "networking.gloo.solo.io/v2",
        "kind": "RouteTable",
        "metadata": {"name": "t", "namespace": "a"},
        "spec": {"http": [route]},
    }
    model = parse_object(manifest).model
    assert isinstance(model, RouteTable)
    findings = Findings()
    ActionReader(_REF, findings, MatcherReader(_REF, findings), None).read(model.spec.http[0], ("spec", "http", 0))
    return [(one.kind, one.message.partition(f" of {_REF} ")[2]) for one in findings.of(_REF)]


def _path(path: str) -> list[tuple[str, str]]:
    return _told({"forwardTo": {**_TO, "pathRewrite": path}})


def _regex(pattern: str, substitution: str) -> list[tuple[str, str]]:
    rewrite = {"pattern": {"regex": pattern}, "substitution": substitution}
    return _told({"forwardTo": {**_TO, "regexRewrite": rewrite}})


_SET_PATH = 'let a TransformationPolicy of this route set the header ":path" to the path with its query.'


def test_query_in_a_path_rewrite_is_told_to_be_set_by_a_transformation() -> None:
    assert [(ProblemKind.ERROR, f"holds a query, which no path has; remove pathRewrite, and {_SET_PATH}")] == _path(
        "/deployments/d?api-version=1"
    )


def test_query_in_a_redirect_is_told_to_be_left_out() -> None:
    told = _told({"redirect": {"pathRedirect": "/a?b=1"}})
    expected = "holds a query, which no path has; remove the query: that of the request is kept."
    assert [(ProblemKind.ERROR, expected)] == told


def test_query_in_a_substitution_is_a_warning() -> None:
    ((kind, message),) = _regex("/a", "/b?c=1")
    assert ProblemKind.WARNING is kind
    assert message.endswith(f"stands as a second one; {_SET_PATH.removesuffix('.')} instead.")


@pytest.mark.parametrize(
    ("pattern", "substitution", "told"),
    [
        ("/(a)", "/$1", r"holds $1, which is sent as it stands; write \1 for the group."),
        ("/(a)", "/${1}", r"holds ${1}, which is sent as it stands; write \1 for the group."),
        ("/a", "/$0", r"holds $0, which is sent as it stands; write \0 for the group."),
        (
            "/a",
            "/$1",
            "holds $1, which is sent as it stands; put what is meant in parentheses in the pattern, and write \\1.",
        ),
    ],
)
def test_dollar_in_a_substitution_is_a_warning(pattern: str, substitution: str, told: str) -> None:
    assert [(ProblemKind.WARNING, told)] == _regex(pattern, substitution)


@pytest.mark.parametrize("substitution", [r"/\1/a", "/a$", "/$x", r"/\\1"])
def test_substitution_that_means_what_it_says_is_not_told(substitution: str) -> None:
    assert [] == _regex("/(a)", substitution)


@pytest.mark.parametrize("substitution", ["/a b", "/a#b", "/a\tb"])
def test_substitution_that_no_request_could_carry_is_an_error(substitution: str) -> None:
    ((kind, message),) = _regex("/a", substitution)
    assert (ProblemKind.ERROR, True) == (kind, message.endswith("; write %20 for a blank."))


@pytest.mark.parametrize("path", [r"/v/\1", "/v/$1", "/v/${1}"])
def test_group_in_a_path_is_a_warning(path: str) -> None:
    group = path.removeprefix("/v/")
    told = f"holds {group}, which stands for no group here; "
    assert [(ProblemKind.WARNING, f"{told}use regexRewrite with the substitution to insert a group.")] == _path(path)
    redirected = _told({"redirect": {"pathRedirect": path}})
    assert [(ProblemKind.WARNING, f"{told}write the path itself.")] == redirected


@pytest.mark.parametrize("path", ["v1", "/a b", "/a#b", "/ä"])
def test_path_that_no_request_could_carry_is_an_error(path: str) -> None:
    assert ProblemKind.ERROR in [kind for kind, _ in _path(path)]
