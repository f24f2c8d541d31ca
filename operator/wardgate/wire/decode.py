"""From bytes to the model. Total: any bytes give a whole configuration or raise ``WireError``, never half of one.

A part that only a newer version knows costs as little as is safe, by the rules of ``lenient.py`` and these:

* An unknown part of the routes group, or an unknown group, closes every route: it may be a list of what to refuse. One
  whose name begins with ``info_`` (a group: ``info-``) is a note and is ignored.
* Something unknown in the guard closes every route that forwards; in the template limits, every route with a
  transformation: no address is dialled and no template run outside bounds that were meant to hold.
* An unknown field of a credential, or of one of its metadata entries, refuses that key: it is left out and counted. An
  unknown part of a keys group refuses all keys of the group. So it is with token sources and the keys that name them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar, cast

from wardgate import ir
from wardgate.inja.limits import TemplateLimits
from wardgate.wire.bundle import KEYS, KEYS_PREFIX, ROUTES, TOKENS, Bundle, hash_of, opened, revision_of
from wardgate.wire.closing import Known, close_broken
from wardgate.wire.coders import UnknownPart
from wardgate.wire.errors import WireError
from wardgate.wire.lenient import SHAPE, Closures, items, read_listeners, read_named
from wardgate.wire.parts_reader import Part, Shape, read_parts
from wardgate.wire.record import Record
from wardgate.wire.schema import check_schema
from wardgate.wire.tags import CODEC
from wardgate.wire.token_sources import decode_sources

T = TypeVar("T")

_AUTH_PLAN = CODEC.record(ir.AuthPlan)
_TRANSFORMATION = CODEC.record(ir.TransformationPlan)
_UPSTREAM = CODEC.record(ir.Upstream)
_GUARD = CODEC.record(ir.Guard)
_LIMITS = CODEC.record(TemplateLimits)
_CREDENTIAL = CODEC.record(ir.Credential)
_ENV = CODEC.coder(tuple[str, ...])
_KEYS_SHAPE: Final[Shape] = {"credentials": {}}
_STEP: Final = 128
"""Credentials; one takes some ten microseconds."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """``closed`` says in one sentence each what a newer version's parts closed; none of it is an error to act on."""

    config: ir.GatewayConfig
    closed: tuple[str, ...] = ()
    refused_keys: int = 0


@dataclass(frozen=True, slots=True)
class DecodedKeys(Generic[T]):
    """A value for each credential of a bucket; ``refused`` counts the keys that were left out."""

    credentials: tuple[T, ...]
    refused: int = 0


class RoutesDecoder:
    """Decodes one group of routes after another. Unchanged parts are taken over: they are the same objects again."""

    def __init__(self) -> None:
        self._last: Part | None = None

    def decode(self, data: bytes, *, unknown_groups: Iterable[str] = ()) -> Decoded:
        """See ``decode_routes``. Bytes that raise ``WireError`` are not remembered."""
        read = read_parts(data, SHAPE, last=self._last)
        decoded = _decode(opened(read.value, kind=ROUTES), unknown_groups)
        self._last = read
        return decoded


def decode_routes(data: bytes, *, unknown_groups: Iterable[str] = ()) -> Decoded:
    """Everything but the credentials. ``unknown_groups``: names beside this one that ``unknown_groups`` gives."""
    return RoutesDecoder().decode(data, unknown_groups=unknown_groups)


class KeysDecoder(Generic[T]):
    """Decodes buckets of credentials, each again and again, into what ``make`` makes of every credential.

    Unchanged parts are taken over: they are the same objects again.
    """

    def __init__(self, make: Callable[[ir.Credential], T]) -> None:
        self._make = make
        self._last: dict[str, Part] = {}

    def decode(self, name: str, data: bytes) -> DecodedKeys[T]:
        """The bucket of that name, in the order it was written. Bytes that raise ``WireError`` are not remembered."""
        steps = self.steps(name, data)
        while True:
            try:
                next(steps)
            except StopIteration as ended:
                return cast("DecodedKeys[T]", ended.value)

    def steps(self, name: str, data: bytes) -> Generator[None, None, DecodedKeys[T]]:
        """The same, with a pause after every hundred credentials or so that are new: a revocation need not wait."""
        read = read_parts(data, _KEYS_SHAPE, last=self._last.get(name))
        parts = opened(read.value, kind=KEYS)
        members: list[_Made[T] | _Unknown] = []
        made = 0
        for one in items(parts.pop("credentials", [])):
            part = cast("Part", one)
            made += part.is_new
            members.append(part.once(self._read))
            if made == _STEP:
                made = 0
                yield
        known = [] if _unknown_parts(parts) else [one.made for one in members if not isinstance(one, _Unknown)]
        self._last[name] = read
        return DecodedKeys(credentials=tuple(known), refused=len(members) - len(known))

    def keep(self, names: Collection[str]) -> None:
        """Forget all buckets but these."""
        self._last = {name: part for name, part in self._last.items() if name in names}

    def _read(self, value: object) -> _Made[T] | _Unknown:
        try:
            return _Made(self._make(_CREDENTIAL.decode(value)))
        except UnknownPart:
            return _Unknown()


@dataclass(frozen=True, slots=True)
class _Made(Generic[T]):
    made: T


class _Unknown:
    """A credential with a part that only a newer version knows."""


def decode_credentials(data: bytes) -> DecodedKeys[ir.Credential]:
    """One bucket of credentials, in the order they were written."""
    return KeysDecoder[ir.Credential](lambda one: one).decode("", data)


def decode(bundle: Bundle) -> Decoded:
    """A whole configuration. Raises ``WireError`` also where a group or the revision is not what its hash says."""
    check_schema(bundle.schema)
    hashes = {name: hash_of(data) for name, data in bundle.groups.items()}
    if hashes != dict(bundle.hashes) or revision_of(schema=bundle.schema, hashes=hashes) != bundle.revision:
        msg = "The groups are not the ones that the revision names."
        raise WireError(msg)
    if ROUTES not in bundle.groups:
        msg = "The group of routes is missing."
        raise WireError(msg)
    routes = decode_routes(bundle.groups[ROUTES], unknown_groups=unknown_groups(bundle.groups))
    buckets = [decode_credentials(data) for name, data in bundle.groups.items() if name.startswith(KEYS_PREFIX)]
    credentials = sorted((one for bucket in buckets for one in bucket.credentials), key=_by_set_and_digest)
    return Decoded(
        config=replace(
            routes.config,
            credentials=tuple(credentials),
            token_sources=decode_sources(bundle.groups[TOKENS]) if TOKENS in bundle.groups else (),
        ),
        closed=routes.closed,
        refused_keys=sum(bucket.refused for bucket in buckets),
    )


def unknown_groups(names: Iterable[str]) -> tuple[str, ...]:
    """The groups among these that only a newer version acts on; ``decode_routes`` closes what they may restrict."""
    return tuple(sorted(name for name in names if not _is_known_group(name)))


def _is_known_group(name: str) -> bool:
    """Whether this version acts on a group of that name, or may ignore it."""
    return name in (ROUTES, TOKENS) or name.startswith((KEYS_PREFIX, "info-"))


def _decode(parts: dict[str, object], unknown_groups: Iterable[str]) -> Decoded:
    closures = Closures()
    guard, guard_unknown = _bounds(parts.pop("guard", {}), _GUARD)
    limits, limits_unknown = _bounds(parts.pop("template_limits", {}), _LIMITS)
    auth_plans = read_named(parts.pop("auth_plans", []), _AUTH_PLAN, closures=closures)
    transformations = read_named(parts.pop("transformations", []), _TRANSFORMATION, closures=closures)
    upstreams = read_named(parts.pop("upstreams", []), _UPSTREAM, closures=closures)
    listeners = read_listeners(parts.pop("listeners", []), closures)
    env = _ENV.decode(parts.pop("template_env", []), 1)
    if limits_unknown:
        transformations = {}
        closures.sentences.append(f"Every transformation is left out: {limits_unknown}.")
    known = Known(
        auth_plans=auth_plans,
        transformations=transformations,
        upstreams=upstreams,
        everything=_everything(parts, unknown_groups),
        guard=guard_unknown,
    )
    config = ir.GatewayConfig(
        listeners=close_broken(listeners, known, closures=closures),
        upstreams=tuple(upstreams.values()),
        auth_plans=tuple(auth_plans.values()),
        transformations=tuple(transformations.values()),
        template_env=cast("tuple[str, ...]", env),
        template_limits=limits,
        guard=guard,
    )
    return Decoded(config=config, closed=tuple(closures.sentences))


def _bounds(value: object, record: Record[T]) -> tuple[T, str]:
    """Bounds that were understood, else the default ones and what was not."""
    try:
        return record.decode(value), ""
    except UnknownPart as unknown:
        return record.decode({}), str(unknown)


def _everything(parts: dict[str, object], unknown_groups: Iterable[str]) -> str:
    """Why nothing at all may be served, or nothing."""
    unknown = _unknown_parts(parts)
    if unknown:
        return f"unknown part {unknown[0][:40]!r} of the configuration"
    for name in unknown_groups:
        return f"unknown group {name[:40]!r}"
    return ""


def _unknown_parts(parts: dict[str, object]) -> list[str]:
    return [name for name in parts if not name.startswith("info_")]


def _by_set_and_digest(one: ir.Credential) -> tuple[str, str]:
    return (one.key_set, one.digest)
