"""What a part that only a newer version knows costs: the skew rules, for each place it may stand in.

Rule 1: never more open. What is not understood restricts, until a version that understands it says otherwise.
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
from typing import TypeVar

from wardgate import ir
from wardgate.wire.coders import UnknownPart, expected
from wardgate.wire.errors import WireError
from wardgate.wire.record import Record
from wardgate.wire.tags import CODEC

T = TypeVar("T")

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


@dataclass(slots=True)
class Closures:
    """What was closed so far, one sentence each."""

    sentences: list[str] = field(default_factory=list)

    def close(self, route: ir.Route, why: str) -> ir.Route:
        """The same route, taking the same requests and refusing them all."""
        self.sentences.append(f"Route {route.name} is closed: {why}.")
        return ir.Route(name=route.name, action=CLOSED, matches=route.matches)


def items(value: object) -> list[object]:
    """A list, or ``WireError``."""
    if type(value) is not list:
        raise WireError(expected("A list", value))
    return value


def name_of(value: object) -> str:
    """The name of a named part, known or not."""
    name = value.get("name") if type(value) is dict else None
    if type(name) is not str:
        msg = "A named part lacks its name."
        raise WireError(msg)
    return name


def read_named(value: object, record: Record[T], closures: Closures) -> dict[str, T]:
    """Named parts without those that hold something unknown (rule 2). A name that stands twice is an error."""
    found: dict[str, T | None] = {}
    for part in items(value):
        name = name_of(part)
        if name in found:
            msg = f"Two parts of kind {record.cls.__name__} have one name."
            raise WireError(msg)
        try:
            found[name] = record.decode(part)
        except UnknownPart as unknown:
            found[name] = None
            closures.sentences.append(f"{record.cls.__name__} {name} is left out: {unknown}.")
    return {name: part for name, part in found.items() if part is not None}


def read_listeners(value: object, closures: Closures) -> tuple[ir.Listener, ...]:
    """The listeners with their hosts and routes, by rules 3 to 6."""
    listeners: dict[str, ir.Listener | None] = {}
    for part in items(value):
        name = name_of(part)
        if name in listeners:
            msg = "Two listeners have one name."
            raise WireError(msg)
        try:
            listeners[name] = _listener(part, closures)
        except UnknownPart as unknown:
            listeners[name] = None
            closures.sentences.append(f"Listener {name} is left out: {unknown}.")
    return tuple(listener for listener in listeners.values() if listener is not None)


def _listener(value: object, closures: Closures) -> ir.Listener:
    unknown: list[str] = []
    hosts = _each(lambda host: _host(host, closures))
    listener = _LISTENER.decode_known(value, unknown=unknown, parts={"virtual_hosts": hosts})
    if not unknown:
        return listener
    closures.sentences.append(f"Listener {listener.name} serves no route: {unknown[0]}.")
    return replace(
        listener, virtual_hosts=tuple(_closed_host(host, unknown, closures) for host in listener.virtual_hosts)
    )


def _host(value: object, closures: Closures) -> ir.VirtualHost:
    unknown: list[str] = []
    routes = _each(lambda route: _route(route, closures))
    host = _HOST.decode_known(value, unknown=unknown, parts={"routes": routes})
    return _closed_host(host, unknown, closures) if unknown else host


def _closed_host(host: ir.VirtualHost, unknown: list[str], closures: Closures) -> ir.VirtualHost:
    return replace(host, routes=tuple(closures.close(route, unknown[0]) for route in host.routes))


def _route(value: object, closures: Closures) -> ir.Route:
    unknown: list[str] = []
    route = _ROUTE.decode_known(
        value,
        unknown=unknown,
        parts={"action": _action(unknown), "matches": _each(lambda match: _match(match, unknown))},
    )
    return closures.close(route, unknown[0]) if unknown else route


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


def _each(read: Callable[[object], T]) -> Callable[[object], object]:
    return lambda value: tuple([read(part) for part in items(value)])
