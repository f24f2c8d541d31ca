"""The skew rules: the cost of a part that only a newer version knows, for each place where it may stand.

Rule 1: never more open. A part that is not understood restricts, until a version that understands it says otherwise.
Rule 2: a named part (auth plan, transformation, upstream) that holds something unknown is left out; ``closing.py`` then
closes every route that names it.
Rule 3: a route that holds something unknown, or whose action does, is closed.
Rule 4: an unknown condition of a match counts as met and closes the route, so that the route still takes every request
it took, and none falls through to a more open one. That goes for an unknown field of a match, and for a path, header or
query condition that holds anything unknown.
Rule 5: an unknown field of a virtual host closes all its routes, one of a listener all routes of the listener.
Rule 6: a listener whose TLS holds anything unknown is left out: nobody is offered a weaker handshake than asked for.
Bytes that break the format are no skew: they raise ``WireError``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeVar, cast

from wardgate import ir
from wardgate.wire.coders import UnknownPart, expected
from wardgate.wire.errors import WireError
from wardgate.wire.parts_reader import Part, Shape
from wardgate.wire.record import Record
from wardgate.wire.tags import CODEC

T = TypeVar("T")
R = TypeVar("R", bound="_Read[Any]")

CLOSED = ir.Refuse(status=503, reason="unknown_plan")

_ACTION = CODEC.coder(ir.RouteAction)
_LISTENER = CODEC.record(ir.Listener)
_HOST = CODEC.record(ir.VirtualHost)
_ROUTE = CODEC.record(ir.Route)
_MATCH = CODEC.record(ir.RouteMatch)
_CONDITIONS: Mapping[str, Record[object]] = {
    "paths": CODEC.record(ir.PathMatch),
    "headers": CODEC.record(ir.HeaderMatch),
    "query": CODEC.record(ir.QueryMatch),
}
SHAPE: Final[Shape] = {
    "auth_plans": {},
    "listeners": {"virtual_hosts": {"routes": {}}},
    "transformations": {},
    "upstreams": {},
}
"""The lists whose parts are kept from one reading to the next."""


@dataclass(slots=True)
class Closures:
    """One sentence for each closure so far."""

    sentences: list[str] = field(default_factory=list)

    def close(self, route: ir.Route, why: str) -> ir.Route:
        """The same route, taking the same requests and refusing them all."""
        self.sentences.append(f"Route {route.name} is closed: {why}.")
        return ir.Route(name=route.name, action=CLOSED, matches=route.matches, owner=route.owner)


@dataclass(frozen=True, slots=True)
class _Read(Generic[T]):
    """The value of one part, and the closures it caused. Both depend on nothing but the part and are kept with it."""

    value: T
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Named(_Read[T | None]):
    """A named part; ``value`` is None where it is left out."""

    name: str


def items(value: object) -> list[object]:
    """A list, or ``WireError``."""
    if type(value) is not list:
        raise WireError(expected("A list", value))
    return value


def read_named(value: object, record: Record[T], *, closures: Closures) -> dict[str, T]:
    """Named parts without those that hold something unknown (rule 2). A name that stands twice is an error."""
    return _by_name(
        _parts(value, lambda part: _named(part, record), closures=closures), of=f"parts of kind {_kind(record)}"
    )


def read_listeners(value: object, closures: Closures) -> tuple[ir.Listener, ...]:
    """The listeners with their hosts and routes, by rules 3 to 6."""
    return tuple(_by_name(_parts(value, _listener, closures=closures), of="listeners").values())


def _parts(value: object, read: Callable[[object], R], *, closures: Closures) -> list[R]:
    """The outcomes of the parts of a list; the closures they caused are added to ``closures``."""
    outcomes = [cast("Part", part).once(read) for part in items(value)]
    for outcome in outcomes:
        closures.sentences += outcome.sentences
    return outcomes


def _by_name(outcomes: list[_Named[T]], *, of: str) -> dict[str, T]:
    named = {outcome.name: outcome.value for outcome in outcomes}
    if len(named) != len(outcomes):
        msg = f"Two {of} have one name."
        raise WireError(msg)
    return {name: value for name, value in named.items() if value is not None}


def _name_of(value: object) -> str:
    """The name of a named part, known or not."""
    name = value.get("name") if type(value) is dict else None
    if type(name) is not str:
        msg = "A named part lacks its name."
        raise WireError(msg)
    return name


def _kind(record: Record[T]) -> str:
    return record.cls.__name__


def _named(value: object, record: Record[T]) -> _Named[T]:
    name = _name_of(value)
    try:
        return _Named(record.decode(value), (), name)
    except UnknownPart as unknown:
        return _Named(None, (f"{_kind(record)} {name} is left out: {unknown}.",), name)


def _listener(value: object) -> _Named[ir.Listener]:
    name, closures = _name_of(value), Closures()
    try:
        listener = _known_listener(value, closures)
    except UnknownPart as unknown:
        closures.sentences.append(f"Listener {name} is left out: {unknown}.")
        listener = None
    return _Named(listener, tuple(closures.sentences), name)


def _known_listener(value: object, closures: Closures) -> ir.Listener:
    unknown: list[str] = []
    listener = _LISTENER.decode_known(value, unknown=unknown, parts={"virtual_hosts": _values(_host, closures)})
    if not unknown:
        return listener
    closures.sentences.append(f"Listener {listener.name} serves no route: {unknown[0]}.")
    return replace(
        listener, virtual_hosts=tuple(_closed_host(host, unknown, closures=closures) for host in listener.virtual_hosts)
    )


def _host(value: object) -> _Read[ir.VirtualHost]:
    unknown: list[str] = []
    closures = Closures()
    host = _HOST.decode_known(value, unknown=unknown, parts={"routes": _values(_route, closures)})
    return _Read(_closed_host(host, unknown, closures=closures) if unknown else host, tuple(closures.sentences))


def _closed_host(host: ir.VirtualHost, unknown: list[str], *, closures: Closures) -> ir.VirtualHost:
    return replace(host, routes=tuple(closures.close(route, unknown[0]) for route in host.routes))


def _route(value: object) -> _Read[ir.Route]:
    unknown: list[str] = []
    closures = Closures()
    route = _ROUTE.decode_known(
        value,
        unknown=unknown,
        parts={"action": _action(unknown), "matches": _each(lambda match: _match(match, unknown))},
    )
    return _Read(closures.close(route, unknown[0]) if unknown else route, tuple(closures.sentences))


def _action(unknown: list[str]) -> Callable[[object], object]:
    def read(value: object) -> object:
        try:
            return _ACTION.decode(value, 2)
        except UnknownPart as part:
            unknown.append(str(part))
            return CLOSED

    return read


def _match(value: object, unknown: list[str]) -> ir.RouteMatch:
    readers = {name: _conditions(record, unknown) for name, record in _CONDITIONS.items()}
    return _MATCH.decode_known(value, unknown=unknown, parts=readers)


def _conditions(record: Record[object], unknown: list[str]) -> Callable[[object], object]:
    def read(value: object) -> object:
        known = []
        for condition in items(value):
            try:
                known.append(record.decode(condition))
            except UnknownPart as part:
                unknown.append(str(part))
        return tuple(known)

    return read


def _values(read: Callable[[object], _Read[T]], closures: Closures) -> Callable[[object], object]:
    """Read a list of parts."""
    return lambda value: tuple([outcome.value for outcome in _parts(value, read, closures=closures)])


def _each(read: Callable[[object], T]) -> Callable[[object], object]:
    return lambda value: tuple([read(one) for one in items(value)])
