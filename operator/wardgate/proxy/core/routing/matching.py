"""One route matcher, compiled: the conditions that a request must meet, all of them.

The path condition that finds the matcher (``route_index``) is not tested again; the ones beside it are. Headers that
occur several times are compared as Envoy does, joined by commas. A header that is absent meets no condition on its
value, and so every inverted one (docs/gloo-migration.md). Names are compared folded: a guard on ``x-tier`` is one on
``x_tier``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal, TypeAlias
from urllib.parse import unquote_to_bytes

from wardgate.inja.errors import TemplateError
from wardgate.inja.limits import TemplateLimits
from wardgate.inja.route_regex import compile_route_regex
from wardgate.ir import HeaderMatch, PathMatch, QueryMatch, RouteMatch
from wardgate.proxy.core.fields.connection import all_of_connection, is_of_connection
from wardgate.proxy.core.fields.folded import fold
from wardgate.proxy.core.fields.pseudo import header_value
from wardgate.proxy.core.messages import Request
from wardgate.text_codec import from_bytes, to_bytes

Condition: TypeAlias = Callable[[Request], bool]
PathTest: TypeAlias = Callable[[bytes], bool]
ValueTest: TypeAlias = Callable[[bytes], bool]
PathKind: TypeAlias = Literal["exact", "prefix", "regex"]

ROOT_PATH = PathMatch("prefix", "/")


class CompiledMatch:
    """All conditions of one matcher, without the path condition that leads to it.

    ``kind``, ``value`` and ``ignore_case`` are those of the route's own path condition, which a prefix rewrite
    replaces; a matcher without any matches the prefix ``/``, as in Envoy. ``broken``: a pattern did not compile; it
    counts as met, and the route is closed. ``reads_fields``: a header or a parameter of the query is asked for.
    """

    __slots__ = ("broken", "conditions", "ignore_case", "kind", "reads_fields", "value")

    def __init__(
        self, conditions: tuple[Condition, ...], *, own: PathMatch, broken: bool, reads_fields: bool = False
    ) -> None:
        self.conditions = conditions
        self.reads_fields = reads_fields
        self.kind: PathKind = own.kind
        self.value = to_bytes(own.value)
        self.ignore_case = own.ignore_case
        self.broken = broken

    def holds(self, request: Request) -> bool:
        """Whether all conditions are met."""
        return all(condition(request) for condition in self.conditions)


def compile_match(
    match: RouteMatch, *, key: PathMatch | None, limits: TemplateLimits, unseen: frozenset[bytes] = frozenset()
) -> CompiledMatch:
    """Compile ``match``, leaving out ``key``: the one path condition that the caller tests itself.

    ``unseen`` headers (folded names) are absent to it, whatever a request holds.
    """
    compiler = _MatchCompiler(limits, unseen)
    conditions: list[Condition] = []
    if match.methods:
        conditions.append(_method_condition(frozenset(to_bytes(method) for method in match.methods)))
    conditions += [compiler.path(path) for path in match.paths if path is not key]
    conditions += [compiler.header(header) for header in match.headers]
    conditions += [compiler.query(parameter) for parameter in match.query]
    own = match.paths[-1] if match.paths else ROOT_PATH
    reads_fields = bool(match.headers or match.query)
    return CompiledMatch(tuple(conditions), own=own, broken=compiler.broken, reads_fields=reads_fields)


def index_key(match: RouteMatch) -> PathMatch | None:
    """Choose the path condition that rules out most requests; None: no condition is fit to be an index's key."""
    usable = [path for path in match.paths if not path.ignore_case and path.kind != "regex" and path.value]
    exact = [path for path in usable if path.kind == "exact"]
    return max(exact or usable, key=lambda path: len(path.value), default=None)


class _MatchCompiler:
    """Builds conditions, and remembers whether a pattern did not compile."""

    def __init__(self, limits: TemplateLimits, unseen: frozenset[bytes]) -> None:
        self.broken = False
        self._limits = limits
        self._unseen = unseen

    def path(self, match: PathMatch) -> Condition:
        test = self._path_test(match)
        return lambda request: test(request.path)

    def header(self, match: HeaderMatch) -> Condition:
        name, invert = fold(to_bytes(match.name)), match.invert
        if name in self._unseen:
            return lambda _: invert
        read = all_of_connection if is_of_connection(name) else header_value
        if match.value is None:
            return lambda request: (read(request, name) is not None) != invert
        test = self._value_test(match.value, regex=match.regex)
        if test is None:
            return _always

        def condition(request: Request) -> bool:
            value = read(request, name)
            return (value is not None and test(value)) != invert

        return condition

    def query(self, match: QueryMatch) -> Condition:
        name = to_bytes(match.name)
        if match.value is None:
            return lambda request: query_value(request.query, name) is not None
        test = self._value_test(match.value, regex=match.regex)
        if test is None:
            return _always

        def condition(request: Request) -> bool:
            value = query_value(request.query, name)
            return value is not None and test(value)

        return condition

    def _path_test(self, match: PathMatch) -> PathTest:
        if match.kind == "regex":
            return self._value_test(match.value, regex=True) or (lambda _: True)
        value = to_bytes(match.value)
        if match.ignore_case:
            return _folded_test(value.lower(), exact=match.kind == "exact")
        if match.kind == "exact":
            return lambda path: path == value
        return lambda path: path.startswith(value)

    def _value_test(self, value: str, *, regex: bool) -> ValueTest | None:
        """Compile a comparison; None: the pattern does not compile, which counts as met."""
        if not regex:
            wanted = to_bytes(value)
            return lambda given: given == wanted
        try:
            pattern = compile_route_regex(value, limits=self._limits)
        except TemplateError:
            self.broken = True
            return None
        return lambda given: pattern.fullmatch(from_bytes(given))


def query_value(query: bytes | None, name: bytes) -> bytes | None:
    """Return the first value of a parameter, escapes resolved; a parameter without ``=`` is empty."""
    value = _parameters(query).get(name) if query else None
    return None if value is None else unquote_to_bytes(value)


@lru_cache(maxsize=1)
def _parameters(query: bytes) -> dict[bytes, bytes]:
    """Return the first value of each parameter, its escapes as they are.

    A request may hold thousands of parameters, and a host's routes may ask for one after the other: it is taken apart
    once for all of them.
    """
    found: dict[bytes, bytes] = {}
    for part in query.split(b"&"):
        given, _, value = part.partition(b"=")
        found.setdefault(unquote_to_bytes(given), value)
    return found


def _method_condition(methods: frozenset[bytes]) -> Condition:
    return lambda request: request.method in methods


def _folded_test(value: bytes, *, exact: bool) -> PathTest:
    if exact:
        return lambda path: path.lower() == value
    return lambda path: path.lower().startswith(value)


def _always(_: Request) -> bool:
    return True
