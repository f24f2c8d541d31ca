"""Merges the matchers of a route and its parents: all of the parents' conditions and all of its own.

Two conditions *conflict* when no request can meet both, as far as that can be told without running a regex. Such a pair
of matchers is left out. Conditions whose relation is unknown stay, which is always right.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Final

from wardgate.ir import HeaderMatch, PathMatch, QueryMatch, RouteMatch
from wardgate.translate.matching.literal_prefix import literal_prefix

MAX_MATCHES: Final = 1000
"""Matchers of one route after its parents' are merged in; a route with more is closed."""

_EVERYTHING: Final = RouteMatch()


def merged(parents: tuple[RouteMatch, ...], own: tuple[RouteMatch, ...]) -> tuple[RouteMatch, ...]:
    """Every pair of a parent's and an own matcher that some request can meet. An empty tuple means every request."""
    found: dict[RouteMatch, None] = {}
    for parent, match in product(parents or (_EVERYTHING,), own or (_EVERYTHING,)):
        both = _both(parent, match)
        if both is not None:
            found[both] = None
    # A matcher without conditions takes the requests of all the others.
    return () if _EVERYTHING in found else tuple(found)


def conflicts_with_all(parents: tuple[RouteMatch, ...], match: RouteMatch) -> bool:
    """Whether no request meets ``match`` together with any of the parents' matchers."""
    return bool(parents) and all(_both(parent, match) is None for parent in parents)


def lies_within(match: RouteMatch, outer: RouteMatch) -> bool:
    """Whether ``outer`` takes every request that ``match`` takes, as far as the text of the conditions tells."""
    return (
        all(any(_path_within(path, wide) for path in match.paths) for wide in outer.paths)
        and set(outer.headers) <= set(match.headers)
        and set(outer.query) <= set(match.query)
        and (not outer.methods or (bool(match.methods) and set(match.methods) <= set(outer.methods)))
    )


def keeps_within(match: RouteMatch, outer: RouteMatch) -> bool:
    """Whether the path conditions of ``match`` by themselves stay below the prefixes of ``outer``.

    A regex stays below them if its literal beginning does. A matcher without path conditions inherits those of
    ``outer``.
    """
    prefixes = [path for path in outer.paths if path.kind == "prefix"]
    return not match.paths or all(any(_path_keeps_within(path, wide) for path in match.paths) for wide in prefixes)


def _path_keeps_within(path: PathMatch, outer: PathMatch) -> bool:
    if path.kind == "regex":
        path = replace(path, value=literal_prefix(path.value), kind="prefix")
    return _path_within(path, outer)


def _both(parent: RouteMatch, own: RouteMatch) -> RouteMatch | None:
    if _paths_conflict(parent.paths, own.paths) or _headers_conflict(parent.headers, own.headers):
        return None
    if _queries_conflict(parent.query, own.query):
        return None
    methods = own.methods or parent.methods
    if parent.methods and own.methods:
        methods = tuple(sorted(set(parent.methods) & set(own.methods)))
        if not methods:
            return None
    return RouteMatch(
        paths=_joined(parent.paths, own.paths),
        headers=tuple(dict.fromkeys((*parent.headers, *own.headers))),
        query=tuple(dict.fromkeys((*parent.query, *own.query))),
        methods=methods,
    )


def _joined(parents: tuple[PathMatch, ...], own: tuple[PathMatch, ...]) -> tuple[PathMatch, ...]:
    """The parents' conditions first, the own one last: a prefix rewrite refers to the last."""
    return (*(path for path in parents if path not in own), *own)


def _paths_conflict(parents: tuple[PathMatch, ...], own: tuple[PathMatch, ...]) -> bool:
    return any(_path_conflict(first, second) for first, second in product(parents, own))


def _path_conflict(first: PathMatch, second: PathMatch) -> bool:
    if "regex" in (first.kind, second.kind):
        return False
    one, other = first.value, second.value
    if first.ignore_case or second.ignore_case:
        one, other = one.casefold(), other.casefold()
    if first.kind == second.kind == "exact":
        return one != other
    if first.kind == "exact":
        return not one.startswith(other)
    if second.kind == "exact":
        return not other.startswith(one)
    return not (one.startswith(other) or other.startswith(one))


def _path_within(path: PathMatch, outer: PathMatch) -> bool:
    if outer.kind == "prefix" and outer.value in ("", "/"):
        return True
    if path == outer:
        return True
    if outer.kind != "prefix" or path.kind == "regex" or (path.ignore_case and not outer.ignore_case):
        return False
    inner, wide = path.value, outer.value
    if outer.ignore_case:
        inner, wide = inner.casefold(), wide.casefold()
    return inner.startswith(wide)


def _headers_conflict(parents: tuple[HeaderMatch, ...], own: tuple[HeaderMatch, ...]) -> bool:
    return any(_header_conflict(first, second) for first, second in product(parents, own))


def _header_conflict(first: HeaderMatch, second: HeaderMatch) -> bool:
    if first.name != second.name:
        return False
    if first.regex or second.regex or (first.invert and second.invert):
        return first.regex == second.regex and first.value == second.value and first.invert != second.invert
    if first.invert or second.invert:
        kept, refused = (second, first) if first.invert else (first, second)
        return refused.value is None or kept.value == refused.value
    return None not in (first.value, second.value) and first.value != second.value


def _queries_conflict(parents: tuple[QueryMatch, ...], own: tuple[QueryMatch, ...]) -> bool:
    return any(
        first.name == second.name
        and not (first.regex or second.regex)
        and None not in (first.value, second.value)
        and first.value != second.value
        for first, second in product(parents, own)
    )
