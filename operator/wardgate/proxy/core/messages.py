"""The messages between the core and the I/O around it.

Header names are lower case everywhere; a name may stand several times. Bodies are whole or streamed past the core,
which sees only the ones that a plan reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from wardgate.proxy.core.upstream.destinations import CompiledUpstream

Header: TypeAlias = tuple[bytes, bytes]
HeaderList: TypeAlias = list[Header]


@dataclass(slots=True)
class Request:
    """One request as it arrived and as plans rewrite it: mutable, and owned by one ``Exchange``.

    ``path`` is normalised and has no query; ``query`` has no question mark and is None where there was none.
    ``authority`` is the Host as the caller wrote it. ``headers`` hold neither Host nor hop-by-hop nor framing headers.
    ``has_body`` is False only where no byte of a body can follow. ``connection_fields``: values of what ended at this
    hop, by name and as they came, for readers alone (``fields.connection``); of it ``hidden_keys`` are not shown.
    """

    method: bytes
    path: bytes
    query: bytes | None
    authority: bytes
    headers: HeaderList
    scheme: bytes = b"http"
    has_body: bool = False
    connection_fields: Mapping[bytes, Sequence[bytes]] = field(default_factory=dict)
    hidden_keys: tuple[bytes, ...] = ()
    barred_trailers: frozenset[bytes] | None = None
    """Folded names of trailers that do not go upstream, once it is known where that is; None: none goes."""
    request_id: bytes = b""
    """Of Latin-1, as it goes upstream."""
    forwarded: tuple[Header, ...] = ()
    """The way it came, beside the headers (``fields.forwarded``)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer the gateway gives itself. ``reason`` is lower_snake_case, for the access log and the metrics.

    ``text``: the sentence of a refusal whose form is not fixed (``provider_forms``).
    """

    status: int
    reason: str
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    text: str = ""


@dataclass(frozen=True, slots=True)
class NeedBody:
    """The next plan reads the body: collect all of it (up to the limit) and call ``Exchange.advance`` with it.

    ``longest``: bytes of the longest body that the plan takes, if it asks for less than the I/O would collect.
    """

    longest: int | None = None


@dataclass(slots=True)
class Outgoing:
    """A request as it goes upstream. Nobody changes it; frozen, it would cost each request twice as much.

    ``headers`` hold ``host`` first and no framing; ``body`` None streams the caller's body past, otherwise it replaces
    it. ``upstream`` is the destination picked by weight. With ``auto_host`` the I/O puts the dialled endpoint's name in
    the place of ``host``.
    """

    method: bytes
    target: bytes
    headers: HeaderList
    body: bytes | None
    upstream: CompiledUpstream
    auto_host: bool = False


@dataclass(slots=True)
class Incoming:
    """A response on its way back, as it arrived and as plans rewrite it.

    ``body`` is empty where none follows, and None where it is not known yet, or streams past.
    ``arrived``: all fields as they came; only those of the connection are read there, and none of them goes on.
    """

    status: int
    headers: HeaderList
    body: bytes | None = None
    arrived: Sequence[Header] = ()
    trailers: HeaderList = field(default_factory=list)
    """Fields that came behind the body, once that is complete."""


class Kept:
    """Something that whoever records requests has prepared of ``Facts``; the core knows no more of it."""

    __slots__ = ()


@dataclass(slots=True)
class Facts:
    """Facts of an exchange for the access log and the metrics; never a value of a Secret.

    Requests that share route, key and destination may share them, so what is one request's alone does not stand here.
    """

    listener: str = ""
    route: str = ""
    policy: str = ""
    credential: str = ""
    """``namespace/name`` of the key's Secret."""
    reason: str = ""
    upstream: str = ""
    kept: Kept | None = None

    def of_key(self, credential: str) -> Facts:
        """Return the facts of the same exchange with another key."""
        return Facts(self.listener, self.route, self.policy, credential, self.reason, self.upstream)


Step: TypeAlias = NeedBody | Reply | Outgoing
