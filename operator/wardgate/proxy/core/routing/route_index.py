"""The search for the route of a request: by host, then the first route in order whose matcher holds.

A thousand routes do not cost a thousand comparisons: matchers with a plain path condition are found through
dictionaries, exact paths directly and prefixes by one look-up for each length that occurs. Only matchers without such
a condition are tried one after another. The order of the routes decides among all that are found.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from wardgate.inja.limits import TemplateLimits
from wardgate.ir import Route
from wardgate.proxy.core.messages import Request
from wardgate.proxy.core.routing.matching import ROOT_PATH, CompiledMatch, compile_match, index_key
from wardgate.proxy.core.routing.plans import CompiledRoute
from wardgate.text_codec import to_bytes

Candidate: TypeAlias = tuple[int, CompiledMatch, CompiledRoute]
"""Place in the order of all matchers of a virtual host, then what to test and what it leads to."""

MATCH_ALL = CompiledMatch((), own=ROOT_PATH, broken=False)
_LONGEST_HOST = 260
"""A name has at most 253 bytes; a longer Host is looked up as it is, never by its suffixes."""


class RouteIndex:
    """The routes of one virtual host."""

    __slots__ = ("_exact", "_lengths", "_next", "_prefixes", "_rest")

    def __init__(self) -> None:
        self._exact: dict[bytes, list[Candidate]] = {}
        self._prefixes: dict[bytes, list[Candidate]] = {}
        self._lengths: tuple[int, ...] = ()
        self._rest: list[Candidate] = []
        self._next = 0

    def add(self, route: CompiledRoute, matches: Iterable[tuple[bytes | None, bool, CompiledMatch]]) -> None:
        """Append a route: each matcher with its key path (None: no key) and whether that path is a prefix."""
        for path, is_prefix, match in matches:
            candidate = (self._next, match, route)
            self._next += 1
            if path is None:
                self._rest.append(candidate)
            elif is_prefix:
                self._prefixes.setdefault(path, []).append(candidate)
                self._lengths = tuple(sorted({*self._lengths, len(path)}))
            else:
                self._exact.setdefault(path, []).append(candidate)

    def find(self, request: Request) -> tuple[CompiledMatch, CompiledRoute] | None:
        """Return the first route that takes the request, and the matcher by which it does."""
        for _, match, route in self._candidates(request.path):
            if not match.conditions or match.holds(request):
                return match, route
        return None

    def find_again(
        self, request: Request, seen_by: Callable[[str], Request]
    ) -> tuple[CompiledMatch, CompiledRoute] | None:
        """Return the same, where matchers see the request as ``seen_by`` shows it to the route's owner."""
        for _, match, route in self._candidates(request.path):
            if not match.conditions or match.holds(seen_by(route.owner)):
                return match, route
        return None

    def find_by_line(self, request: Request) -> CompiledRoute | None:
        """Return the route that takes every request with this method and path; None: fields of a request may count."""
        for _, match, route in self._candidates(request.path):
            if match.reads_fields:
                return None
            if match.holds(request):
                return route
        return None

    def _candidates(self, path: bytes) -> Iterable[Candidate]:
        found: list[list[Candidate]] = [self._rest] if self._rest else []
        exact = self._exact.get(path)
        if exact is not None:
            found.append(exact)
        for length in self._lengths:
            if length > len(path):
                break
            prefixed = self._prefixes.get(path[:length])
            if prefixed is not None:
                found.append(prefixed)
        # Each list is in the routes' order; merged lazily, because the first candidates mostly take the request.
        if len(found) == 1:
            return found[0]
        return heapq.merge(*found) if found else ()


def compile_matches(
    route: Route, limits: TemplateLimits, *, unseen: frozenset[bytes] = frozenset()
) -> Iterator[tuple[bytes | None, bool, CompiledMatch]]:
    """Compile the matchers of a route for ``RouteIndex.add``; a route without any takes every request.

    ``unseen``: headers (folded names) that are absent to the route's matchers.
    """
    if not route.matches:
        yield None, False, MATCH_ALL
    for match in route.matches:
        key = index_key(match)
        path = None if key is None else to_bytes(key.value)
        yield (
            path,
            key is not None and key.kind == "prefix",
            compile_match(match, key=key, limits=limits, unseen=unseen),
        )


class HostIndex:
    """The virtual hosts of one listener: exact names, then the longest wildcard, then ``*``."""

    __slots__ = ("_any", "_exact", "_wildcards")

    def __init__(self, hosts: Mapping[str, RouteIndex]) -> None:
        self._any = hosts.get("*")
        self._exact: dict[bytes, RouteIndex] = {}
        self._wildcards: dict[bytes, RouteIndex] = {}
        for domain, routes in hosts.items():
            if domain.startswith("*."):
                self._wildcards[domain[1:].encode()] = routes
            else:
                self._exact[domain.encode()] = routes

    def find(self, authority: bytes) -> RouteIndex | None:
        """Look up a Host as the caller wrote it."""
        name = host_name(authority)
        found = self._exact.get(name)
        if found is not None:
            return found
        if self._wildcards and len(name) <= _LONGEST_HOST:
            # From the left: the longest suffix wins. A wildcard stands for one byte at least, so no dot at 0 counts.
            dot = name.find(b".", 1)
            while dot > 0:
                found = self._wildcards.get(name[dot:])
                if found is not None:
                    return found
                dot = name.find(b".", dot + 1)
        return self._any


def host_name(authority: bytes) -> bytes:
    """Return the name alone: lower case, without port and final dot; an IPv6 address keeps its brackets."""
    name = authority.lower()
    if not name.endswith(b"]"):
        name = name.rpartition(b":")[0] if b":" in name else name
    return name[:-1] if name.endswith(b".") else name
