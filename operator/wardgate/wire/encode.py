"""From the model to bytes. Same input, same bytes; an unchanged group costs a comparison, not an encoding."""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass, replace
from types import MappingProxyType

from wardgate.ir import Credential, GatewayConfig
from wardgate.wire.bundle import KEYS, KEYS_PREFIX, ROUTES, Bundle, hash_of, revision_of, seal
from wardgate.wire.schema import SCHEMA
from wardgate.wire.tags import CODEC

_CONFIG = CODEC.record(GatewayConfig)
_CREDENTIAL = CODEC.record(Credential)


@dataclass(frozen=True, slots=True)
class _Group:
    data: bytes
    digest: str


class Encoder:
    """Encodes one configuration after another and keeps the last one's groups.

    ``buckets``, a power of two up to 512, is how many groups the credentials are spread over; an empty one is left
    out. A change of one credential re-encodes one bucket. Memory: the last configuration and its bytes.
    """

    def __init__(self, *, buckets: int = 64) -> None:
        if buckets not in _BUCKETS:
            msg = f"The number of buckets is a power of two up to {max(_BUCKETS)}, not {buckets}."
            raise ValueError(msg)
        self._buckets = buckets
        self._routes: tuple[GatewayConfig, _Group] | None = None
        self._keys: dict[str, tuple[tuple[Credential, ...], _Group]] = {}

    def encode(self, config: GatewayConfig) -> Bundle:
        """Raises ``EncodeError`` for what the model's types do not allow, or what is nested too deeply."""
        self._routes = self._encode_routes(replace(config, credentials=()))
        self._keys = {
            name: self._encode_keys(name, credentials)
            for name, credentials in _spread(config.credentials, self._buckets).items()
        }
        groups = {ROUTES: self._routes[1], **{name: group for name, (_, group) in sorted(self._keys.items())}}
        hashes = {name: group.digest for name, group in groups.items()}
        return Bundle(
            schema=SCHEMA,
            revision=revision_of(schema=SCHEMA, hashes=hashes),
            groups=MappingProxyType({name: group.data for name, group in groups.items()}),
            hashes=MappingProxyType(hashes),
        )

    def _encode_routes(self, config: GatewayConfig) -> tuple[GatewayConfig, _Group]:
        if self._routes is not None and self._routes[0] == config:
            return self._routes
        return config, _group(ROUTES, _CONFIG.encode(config))

    def _encode_keys(self, name: str, credentials: tuple[Credential, ...]) -> tuple[tuple[Credential, ...], _Group]:
        held = self._keys.get(name)
        if held is not None and held[0] == credentials:
            return held
        return credentials, _group(KEYS, {"credentials": [_CREDENTIAL.encode(one) for one in credentials]})


def encode(config: GatewayConfig) -> Bundle:
    """Encode one configuration; see ``Encoder``."""
    return Encoder().encode(config)


def _group(kind: str, parts: dict[str, object]) -> _Group:
    data = seal(kind, parts)
    return _Group(data=data, digest=hash_of(data))


def _spread(credentials: tuple[Credential, ...], buckets: int) -> dict[str, tuple[Credential, ...]]:
    """Credentials by their group's name, in the order they came.

    CRC-32 is enough: who chooses keys could crowd a bucket under any hash that is not keyed, and gains nothing by it.
    """
    spread: defaultdict[int, list[Credential]] = defaultdict(list)
    for one in credentials:
        place = f"{one.key_set}\n{one.digest}".encode("utf-8", "surrogatepass")
        spread[zlib.crc32(place) & (buckets - 1)].append(one)
    return {f"{KEYS_PREFIX}{bucket:03}": tuple(held) for bucket, held in spread.items()}


_BUCKETS = frozenset(1 << power for power in range(10))
