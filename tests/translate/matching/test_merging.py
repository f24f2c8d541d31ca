"""Merging the matchers of parents and children."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from wardgate.ir import HeaderMatch, PathMatch, QueryMatch, RouteMatch
from wardgate.translate.matching.merging import conflicts_with_all, lies_within, merged


def _path(kind: Literal["exact", "prefix", "regex"], value: str, *, ignore_case: bool = False) -> RouteMatch:
    return RouteMatch(paths=(PathMatch(kind, value, ignore_case),))


def _header(**fields: Any) -> RouteMatch:
    return RouteMatch(headers=(HeaderMatch("x", **fields),))


def _query(**fields: Any) -> RouteMatch:
    return RouteMatch(query=(QueryMatch("q", **fields),))


_CONFLICTS = [
    (_path("exact", "/a"), _path("exact", "/b")),
    (_path("exact", "/a"), _path("prefix", "/b")),
    (_path("prefix", "/b"), _path("exact", "/a")),
    (_path("prefix", "/a"), _path("prefix", "/b")),
    (_path("prefix", "/a", ignore_case=True), _path("prefix", "/B")),
    (RouteMatch(methods=("GET",)), RouteMatch(methods=("POST",))),
    (_header(value="a"), _header(value="b")),
    (_header(value="a"), _header(value="a", invert=True)),
    (_header(), _header(invert=True)),
    (_header(invert=True), _header(value="a")),
    (_header(value="a+", regex=True), _header(value="a+", regex=True, invert=True)),
    (_query(value="a"), _query(value="b")),
]
_FRIENDS = [
    (_path("exact", "/a/b"), _path("prefix", "/a")),
    (_path("prefix", "/a"), _path("prefix", "/A/b", ignore_case=True)),
    (_path("regex", "/a.*"), _path("exact", "/b")),
    (RouteMatch(methods=("GET", "POST")), RouteMatch(methods=("POST", "PUT"))),
    (_header(value="a"), _header()),
    (_header(value="a"), _header(value="b", invert=True)),
    (_header(value="a", invert=True), _header(value="b", invert=True)),
    (_header(value="a+", regex=True), _header(value="b")),
    (_header(value="a"), RouteMatch(headers=(HeaderMatch("y", "b"),))),
    (_query(value="a"), _query()),
    (_query(value="a", regex=True), _query(value="b")),
]


@pytest.mark.parametrize("pair", _CONFLICTS)
def test_matchers_that_exclude_each_other_leave_nothing(pair: tuple[RouteMatch, RouteMatch]) -> None:
    assert conflicts_with_all(pair[:1], pair[1])
    assert () == merged(pair[:1], pair[1:])


@pytest.mark.parametrize("pair", _FRIENDS)
def test_matchers_that_can_both_be_met_are_joined(pair: tuple[RouteMatch, RouteMatch]) -> None:
    assert not conflicts_with_all(pair[:1], pair[1])
    assert 1 == len(merged(pair[:1], pair[1:]))


def test_methods_are_intersected() -> None:
    both = merged((RouteMatch(methods=("GET", "POST")),), (RouteMatch(methods=("POST", "PUT")),))
    assert (RouteMatch(methods=("POST",)),) == both


def test_own_path_stands_last() -> None:
    (both,) = merged((_path("prefix", "/a"),), (_path("prefix", "/a/b"),))
    assert ["/a", "/a/b"] == [path.value for path in both.paths]


def test_repeated_path_stands_once() -> None:
    assert (_path("prefix", "/a"),) == merged((_path("prefix", "/a"),), (_path("prefix", "/a"),))


def test_no_matchers_match_everything() -> None:
    assert () == merged((), ())
    assert () == merged((RouteMatch(), _path("prefix", "/a")), ())


def test_nothing_conflicts_with_no_parents() -> None:
    assert not conflicts_with_all((), _path("exact", "/a"))


@pytest.mark.parametrize(
    ("match", "outer"),
    [
        (_path("prefix", "/a/b"), _path("prefix", "/a")),
        (_path("exact", "/A/b"), _path("prefix", "/a", ignore_case=True)),
        (_path("regex", "/a.*"), _path("prefix", "/")),
        (_path("regex", "/a.*"), _path("regex", "/a.*")),
        (_path("exact", "/a"), RouteMatch()),
        (RouteMatch(methods=("GET",)), RouteMatch(methods=("GET", "PUT"))),
        (_header(value="a"), _header(value="a")),
        (_query(value="a"), _query(value="a")),
    ],
)
def test_match_within_another(match: RouteMatch, outer: RouteMatch) -> None:
    assert lies_within(match, outer)


@pytest.mark.parametrize(
    ("match", "outer"),
    [
        (_path("prefix", "/"), _path("prefix", "/a")),
        (_path("prefix", "/a/b", ignore_case=True), _path("prefix", "/a")),
        (_path("regex", "/a.*"), _path("prefix", "/a")),
        (_path("prefix", "/a"), _path("exact", "/a")),
        (RouteMatch(), _path("prefix", "/a")),
        (RouteMatch(), RouteMatch(methods=("GET",))),
        (RouteMatch(methods=("GET", "PUT")), RouteMatch(methods=("GET",))),
        (RouteMatch(), _header(value="a")),
        (RouteMatch(), _query(value="a")),
    ],
)
def test_match_outside_another(match: RouteMatch, outer: RouteMatch) -> None:
    assert not lies_within(match, outer)
