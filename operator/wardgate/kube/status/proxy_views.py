"""The proxies as far as they are known: which of them are behind, and which schema all of them read. Pure.

Rule 1: a ready proxy that cannot be asked counts as behind. One that is not ready is not waited for.
Rule 2: the headless Service publishes Pods that are not ready as well, and so calls all of them ready: what counts is
whether an endpoint is ``serving`` and not ``terminating``.
Rule 3: a listener that a ready proxy cannot serve is told on its gateway, which is not programmed.
Rule 4: the schema is chosen for every proxy, ready or not: one that cannot be asked counts as having the major that is
published now as its own, and so as reading that and the one before.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wardgate.kube.status.manifest import NO_PROXIES, PROGRAMMED, Programming, not_programmed, not_served
from wardgate.printable import printable

ADMIN_PORT: Final = "admin"
IDLE: Final = 5.0
"""Seconds between two questions to a proxy from which nothing is expected."""
EAGER: Final = 0.075
"""Seconds between two questions while a revision is awaited."""
_EAGER_FOR: Final = 5.0
_PATIENT: Final = 0.5
_PATIENT_FOR: Final = 60.0
_RESIGNED: Final = 2.0
_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True, order=True)
class ProxyEndpoint:
    """Where a proxy's admin pages are: ``url`` without a path."""

    name: str
    url: str
    ready: bool


@dataclass(frozen=True, slots=True)
class Announced:
    """The answer of a proxy at ``/revision``. ``reads`` are the majors that it reads; ``age`` in seconds.

    ``unserved``: the names of listeners that it cannot serve, sorted, each with the reason. ``worker_troubles``: a
    sentence for each worker that has ended and has no successor that serves.
    """

    revision: str
    schema: str
    sequence: int
    reads: tuple[int, ...]
    refused_sequence: int | None = None
    age: float | None = None
    connected: bool = True
    unserved: tuple[tuple[str, str], ...] = ()
    worker_troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProxyView:
    """One proxy. ``announced`` is None while it cannot be asked; then ``trouble`` says why."""

    endpoint: ProxyEndpoint
    announced: Announced | None = None
    trouble: str = "it was not asked yet"

    @property
    def sequence(self) -> int:
        """The sequence that it serves; -1: not known."""
        return -1 if self.announced is None else self.announced.sequence


def programming_at(views: Iterable[ProxyView], sequence: int, *, late: bool) -> Programming:
    """The programming of a generation that ``sequence`` was the first to contain.

    ``late``: so long ago that proxies which are still behind are named, with the reason.
    """
    ready = [view for view in views if view.endpoint.ready]
    behind = sorted((view for view in ready if view.sequence < sequence), key=lambda view: view.endpoint)
    if not ready:
        return NO_PROXIES
    if not behind:
        return PROGRAMMED
    return not_programmed(_named(behind, len(ready)) if late else "")


def unserved_gateways(views: Iterable[ProxyView]) -> Mapping[str, Programming]:
    """The programming of the gateways, by ``NAMESPACE/NAME``, of which some ready proxy does not serve a listener."""
    ready = [view.announced for view in views if view.endpoint.ready and view.announced is not None]
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, reason in (one for said in ready for one in said.unserved):
        gateway, _, port = name.rpartition(":")
        reasons.setdefault((gateway, port), []).append(reason)
    told: dict[str, list[str]] = {}
    for (gateway, port), why in sorted(reasons.items()):
        told.setdefault(gateway, []).append(_unserved(port, why, ready=len(ready)))
    return {gateway: not_served(" ".join(sentences)) for gateway, sentences in told.items()}


def _unserved(port: str, reasons: list[str], *, ready: int) -> str:
    different = sorted(set(reasons))
    more = f" And {len(different) - 1} other reasons." if len(different) > 1 else ""
    return f"The listener on port {port} is not served by {len(reasons)} of {ready} ready proxies: {different[0]}{more}"


def major_to_write(views: Iterable[ProxyView], *, writable: Collection[int], published: int | None) -> int:
    """The newest of the ``writable`` majors that every proxy reads; the published one if they have none in common.

    ``published`` is None before anything was. Without proxies it is the newest there is.
    """
    common = set(writable)
    for view in views:
        if view.announced is not None:
            common &= set(view.announced.reads)
        elif published is not None:
            common &= {published, published - 1}
    if common:
        return max(common)
    return published if published in writable and published is not None else max(writable)


def refused(views: Iterable[ProxyView]) -> int | None:
    """The smallest sequence that some proxy refuses because it serves a later one: publish above what it serves."""
    return min(
        (
            view.announced.refused_sequence
            for view in views
            if view.announced is not None and view.announced.refused_sequence is not None
        ),
        default=None,
    )


def next_question(view: ProxyView, *, awaited: int, waited: float) -> float:
    """Seconds until a proxy is asked again, ``waited`` seconds after a revision began to be awaited."""
    if view.sequence >= awaited:
        return IDLE
    if not view.endpoint.ready:
        return _RESIGNED
    if waited < _EAGER_FOR:
        return EAGER
    return _PATIENT if waited < _PATIENT_FOR else _RESIGNED


def endpoints_of(slices: Iterable[Mapping[str, Any]]) -> tuple[ProxyEndpoint, ...]:
    """The proxies of a Service's EndpointSlices, each once, sorted by name."""
    found: dict[str, ProxyEndpoint] = {}
    for one in sorted(slices, key=lambda one: str(one.get("addressType"))):
        port = next((port["port"] for port in one.get("ports") or () if port.get("name") == ADMIN_PORT), 0)
        for endpoint in one.get("endpoints") or ():
            url = _url(endpoint["addresses"][0], port)
            name = (endpoint.get("targetRef") or {}).get("name") or url.removeprefix("http://")
            if url:
                found.setdefault(name, ProxyEndpoint(name, url, _is_ready(endpoint.get("conditions") or {})))
    return tuple(found[name] for name in sorted(found))


def read_announcement(page: object) -> Announced | None:
    """Read the answer at ``/revision``; None for one that no proxy gives."""
    if not isinstance(page, dict):
        return None
    sequence, reads, refused_sequence = page.get("sequence"), page.get("reads"), page.get("refused_sequence")
    age, connected = page.get("age_seconds"), page.get("connected")
    if not isinstance(reads, list) or not all(type(major) is int for major in reads):
        return None
    return Announced(
        revision=str(page.get("revision") or ""),
        schema=str(page.get("schema") or ""),
        sequence=sequence if type(sequence) is int else 0,
        reads=tuple(reads),
        refused_sequence=refused_sequence if type(refused_sequence) is int and refused_sequence > 0 else None,
        age=float(age) if isinstance(age, int | float) else None,
        connected=connected is not False,
        unserved=_read_unserved(page.get("unserved")),
        worker_troubles=_read_sentences(page.get("worker_troubles")),
    )


def _read_unserved(found: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(found, dict):
        return ()
    return tuple(sorted((str(name), printable(str(reason))) for name, reason in found.items()))


def _read_sentences(found: object) -> tuple[str, ...]:
    return tuple(printable(str(one)) for one in found) if isinstance(found, list) else ()


def _is_ready(conditions: Mapping[str, Any]) -> bool:
    serving = conditions.get("serving")
    if serving is None:
        serving = conditions.get("ready")
    return serving is not False and not conditions.get("terminating")


def _url(address: str, port: int) -> str:
    """Empty where there is nothing to ask: a slice of names, or without our port."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if not port:
        return ""
    return f"http://[{ip}]:{port}" if ip.version == 6 else f"http://{ip}:{port}"


def _named(behind: list[ProxyView], ready: int) -> str:
    shown = "; ".join(f"{view.endpoint.name} ({_why(view)})" for view in behind[:_NAMED_AT_MOST])
    more = f"; and {len(behind) - _NAMED_AT_MOST} more" if len(behind) > _NAMED_AT_MOST else ""
    return f"Behind are {len(behind)} of {ready}: {shown}{more}."


def _why(view: ProxyView) -> str:
    if view.announced is None:
        return view.trouble
    if view.announced.refused_sequence is not None:
        return "it refuses a revision older than its own"
    return "it serves an older revision" if view.announced.revision else "it has no config yet"
