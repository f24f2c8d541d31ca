"""The conditions under which a route takes a request: all of one ``RouteMatch``, any one of a route's matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PathMatch:
    """A condition on the path without its query. ``value`` is in the form of ``url_path``, unless it is a ``regex``.

    ``regex`` is RE2 and must match the whole path.
    """

    kind: Literal["exact", "prefix", "regex"]
    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """``value`` None asks only for the header's presence. ``name`` is lower case, pseudo-headers included."""

    name: str
    value: str | None = None
    regex: bool = False
    invert: bool = False


@dataclass(frozen=True, slots=True)
class QueryMatch:
    """``value`` None asks only for the parameter's presence."""

    name: str
    value: str | None = None
    regex: bool = False


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """One matcher, its parents' matchers merged in. Without conditions it matches every request.

    ``paths`` holds the parents' conditions first; the last one is the route's own, which a prefix rewrite refers to.
    ``methods`` empty means any method.
    """

    paths: tuple[PathMatch, ...] = ()
    headers: tuple[HeaderMatch, ...] = ()
    query: tuple[QueryMatch, ...] = ()
    methods: tuple[str, ...] = ()
