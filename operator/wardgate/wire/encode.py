"""From the model to bytes. Same input, same bytes; what did not change costs a comparison, not an encoding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from wardgate.ir import Credential, GatewayConfig, TokenSource
from wardgate.wire.buckets import SIZES, Buckets
from wardgate.wire.bundle import KEYS, KEYS_PREFIX, ROUTES, TOKENS, Bundle, hash_of, revision_of, seal
from wardgate.wire.parts_writer import KeysWriter, PartsWriter
from wardgate.wire.schema import SCHEMA
from wardgate.wire.token_sources import written


@dataclass(frozen=True, slots=True)
class _Group:
    data: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class _Keys:
    """One bucket."""

    credentials: tuple[Credential, ...]
    group: _Group
    writer: KeysWriter


class Encoder:
    """Encodes one configuration after another and keeps the last one's groups.

    ``buckets``, a power of two up to 512, is how many groups the credentials are spread over; an empty one is left
    out. A change of one credential encodes that one and puts its bucket together anew, of a route that route and what
    holds it. Memory: the last configuration, and its bytes several times. ``schema`` is one of ``WRITTEN``.
    """

    def __init__(self, *, buckets: int = 64, schema: str = SCHEMA) -> None:
        if buckets not in SIZES:
            msg = f"The number of buckets is a power of two up to {max(SIZES)}, not {buckets}."
            raise ValueError(msg)
        self.schema = schema
        self._buckets = Buckets(buckets)
        self._writer = PartsWriter()
        self._routes: tuple[GatewayConfig, _Group] | None = None
        self._keys: dict[int, _Keys] = {}
        self._tokens: tuple[tuple[TokenSource, ...], _Group] | None = None

    def encode(self, config: GatewayConfig) -> Bundle:
        """Raises ``EncodeError`` for what the model's types do not allow, or what is nested too deeply."""
        self._routes = self._encode_routes(replace(config, credentials=(), token_sources=()))
        self._keys = {
            number: self._encode_keys(number, credentials)
            for number, credentials in self._buckets.spread(config.credentials).items()
        }
        keys = {f"{KEYS_PREFIX}{number:03}": keys.group for number, keys in sorted(self._keys.items())}
        self._tokens = self._encode_tokens(config.token_sources)
        tokens = {} if self._tokens is None else {TOKENS: self._tokens[1]}
        groups = {ROUTES: self._routes[1], **keys, **tokens}
        hashes = {name: group.digest for name, group in groups.items()}
        return Bundle(
            schema=self.schema,
            revision=revision_of(schema=self.schema, hashes=hashes),
            groups=MappingProxyType({name: group.data for name, group in groups.items()}),
            hashes=MappingProxyType(hashes),
        )

    def _encode_routes(self, config: GatewayConfig) -> tuple[GatewayConfig, _Group]:
        if self._routes is not None and self._routes[0] == config:
            return self._routes
        return config, self._group(ROUTES, self._writer.encode(config))

    def _encode_keys(self, number: int, credentials: tuple[Credential, ...]) -> _Keys:
        held = self._keys.get(number)
        if held is not None and held.credentials == credentials:
            return held
        writer = KeysWriter() if held is None else held.writer
        return _Keys(credentials, self._group(KEYS, writer.encode(credentials)), writer)

    def _encode_tokens(self, sources: tuple[TokenSource, ...]) -> tuple[tuple[TokenSource, ...], _Group] | None:
        if not sources or (self._tokens is not None and self._tokens[0] == sources):
            return self._tokens if sources else None
        return sources, self._group(TOKENS, written(sources))

    def _group(self, kind: str, parts: dict[str, object]) -> _Group:
        data = seal(kind, parts, schema=self.schema)
        return _Group(data=data, digest=hash_of(data))


def encode(config: GatewayConfig) -> Bundle:
    """Encode one configuration; see ``Encoder``."""
    return Encoder().encode(config)
