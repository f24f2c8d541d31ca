"""The small pure parts of the translation, one by one."""

from __future__ import annotations

from typing import Literal

import pytest

from wardgate.api import Approval
from wardgate.ir import DirectResponse, FileRef, PathMatch, RouteMatch
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.snapshot import StoredObject
from wardgate.translate.destinations.forwarding import shares
from wardgate.translate.findings import Findings
from wardgate.translate.manifests import at, items, labels_of, mapping, replaced
from wardgate.translate.matching.regexes import MAX_PATTERN, group_count, regex_fault
from wardgate.translate.plans.table_plans import DestinationPlan
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.routes.specificity import by_specificity
from wardgate.translate.secrets.file_paths import file_below
from wardgate.translate.statuses.object_status import judge
from wardgate.translate.tenancy import Tenancy

_REF = ObjectRef("RouteTable", "a", "b")


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([0], [100]),
        ([0, 0, 0], [34, 33, 33]),
        ([99, 0, 0], [99, 1, 1]),
        ([100, 0], [100, 1]),
        ([50, 0, 0], [50, 25, 25]),
        ([70, 30], [70, 30]),
        ([], []),
    ],
)
def test_rest_of_the_weights_is_spread(weights: list[int], expected: list[int]) -> None:
    plans = [DestinationPlan("SERVICE", "a", "b", 80, weight, ()) for weight in weights]
    assert expected == shares(plans)


def test_file_below_the_folder_is_taken() -> None:
    file = file_below("/etc/w//./a.crt", "/etc/w/", setting="filesRoot", ref=_REF, field=("spec",), tenancy=Tenancy())
    assert FileRef("/etc/w/a.crt") == file


@pytest.mark.parametrize("path", ["a.crt", "/etc/w", "/etc/w/", "/etc/wx/a", "/etc/w/../a", "/etc/w/\0a", "/"])
def test_file_elsewhere_is_refused(path: str) -> None:
    assert isinstance(
        file_below(path, "/etc/w", setting="filesRoot", ref=_REF, field=("spec",), tenancy=Tenancy()), Problem
    )


def test_pattern_without_linear_time_is_refused() -> None:
    assert regex_fault("(a)\\1") is not None
    assert regex_fault("(?=a)") is not None
    assert regex_fault("a\ud800") is not None
    assert regex_fault("a" * (MAX_PATTERN + 1)) is not None


def test_good_pattern_has_no_fault() -> None:
    assert None is regex_fault("/v[0-9]+/(.*)")
    assert 1 == group_count("/v[0-9]+/(.*)")


def test_path_into_a_manifest_of_another_shape_finds_nothing() -> None:
    manifest = {"spec": {"http": [{"name": "x"}], "text": "abc"}}
    assert "x" == at(manifest, "spec", "http", 0, "name")
    for path in (("spec", "http", 1), ("spec", "text", 0), ("spec", 0), ("spec", "http", "name")):
        assert None is at(manifest, *path)


def test_shapes_are_taken_as_they_should_be() -> None:
    assert () == items("abc")
    assert {} == mapping(["a"])
    assert {"a": "b"} == labels_of({"metadata": {"labels": {"a": "b", "c": 5}}})


def test_replacing_leaves_the_original_alone() -> None:
    manifest = {"spec": {"http": [{"name": "x"}, {"name": "y"}]}}
    changed = replaced(manifest, ("spec", "http", 1), value={"name": "z"})
    assert {"spec": {"http": [{"name": "x"}, {"name": "z"}]}} == changed
    assert "y" == at(manifest, "spec", "http", 1, "name")


def _instance(name: str, *matches: RouteMatch, weight: int = 0) -> RouteInstance:
    return RouteInstance(_REF, 0, name, matches, DirectResponse(200), weight=weight)


def _match(kind: Literal["exact", "prefix", "regex"], value: str) -> RouteMatch:
    return RouteMatch(paths=(PathMatch(kind, value),))


def test_most_specific_route_goes_first() -> None:
    header_only = _instance("header", RouteMatch(methods=("GET",)))
    routes = [
        _instance("all"),
        header_only,
        _instance("prefix", _match("prefix", "/a")),
        _instance("long", _match("prefix", "/a/b")),
        _instance("regex", _match("regex", "/.*")),
        _instance("exact", _match("exact", "/a")),
    ]
    assert ["exact", "regex", "long", "prefix", "all", "header"] == [route.name for route in by_specificity(routes)]


def test_neighbours_of_one_route_are_put_together_again() -> None:
    route = _instance("r", _match("exact", "/a"), _match("exact", "/b"))
    assert [route] == by_specificity([route])


def test_weight_of_the_table_breaks_ties() -> None:
    light, heavy = _instance("light", _match("exact", "/a")), _instance("heavy", _match("exact", "/b"), weight=1)
    assert [heavy, light] == by_specificity([light, heavy])


def _problem(message: str, kind: ProblemKind = ProblemKind.ERROR, field: tuple[str | int, ...] = ()) -> Problem:
    return Problem(kind, Reason.INVALID, message, _REF, field)


def test_same_problem_is_kept_once_and_the_worst_goes_first() -> None:
    findings = Findings()
    warning, late, early = (
        _problem("W.", ProblemKind.WARNING),
        _problem("Late.", field=("spec", "http", 10)),
        _problem("Early.", field=("spec", "http", 9)),
    )
    findings.extend((warning, late, early, warning))
    assert (early, late, warning) == findings.of(_REF)


def test_message_that_does_not_fit_counts_what_it_leaves_out() -> None:
    stored = StoredObject(_REF, "u", 1, 1, "", {})
    problems = tuple(_problem(f"{number} " + "x" * 8000) for number in range(10))
    status = judge(stored, problems, form=None, note="The end.", counts={})
    assert len(status.message) <= 32_768
    assert status.message.endswith(" 6 more problems are left out here. The end.")


def test_sentence_without_an_end_gets_one() -> None:
    stored = StoredObject(_REF, "u", 1, 1, "", {})
    assert "Broken." == judge(stored, (_problem("Broken"),), form=None, note="", counts={}).message


def test_note_is_told_and_leaves_the_object_accepted() -> None:
    stored = StoredObject(_REF, "u", 1, 1, "", {})
    note, warning = (
        Problem(kind, Reason.NO_EFFECT, "It is so.", _REF) for kind in (ProblemKind.NOTE, ProblemKind.WARNING)
    )
    status = judge(stored, (note,), form=stored, note="", counts={})

    assert (Approval.ACCEPTED, "Accepted", "It is so.") == (status.approval, status.reason, status.message)
    assert Approval.WARNING == judge(stored, (warning, note), form=stored, note="", counts={}).approval


def test_notes_come_last() -> None:
    findings = Findings()
    findings.note(_REF, Reason.NO_EFFECT, message="A.")
    findings.warning(_REF, Reason.NO_EFFECT, message="B.")

    assert [ProblemKind.WARNING, ProblemKind.NOTE] == [one.kind for one in findings.of(_REF)]
    assert [] == list(findings.invalid())
