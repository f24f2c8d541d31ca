"""A conversation as data: what callers, upstreams, the clock and the config source do, in order.

It says nothing of what the gateway does. So it can be played on any gateway, cut shorter and kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from tests.proxy.both_ways.worlds import World


@dataclass(frozen=True, slots=True)
class Connect:
    """A caller connects to a listener's port."""

    caller: int
    port: int = 8081
    address: str = "198.51.100.1"


@dataclass(frozen=True, slots=True)
class Send:
    """A caller's bytes arrive, in one piece. ``begins``: a caller whose connection has ended connects anew for them."""

    caller: int
    data: bytes
    begins: bool = True


@dataclass(frozen=True, slots=True)
class HalfClose:
    """A caller closes its writing side."""

    caller: int


@dataclass(frozen=True, slots=True)
class Lose:
    """A caller's connection breaks."""

    caller: int


@dataclass(frozen=True, slots=True)
class Block:
    """A caller reads no more."""

    caller: int


@dataclass(frozen=True, slots=True)
class Unblock:
    """A caller reads what waits, and goes on."""

    caller: int


@dataclass(frozen=True, slots=True)
class Deliver:
    """Each upstream that holds something back sends its next piece."""


@dataclass(frozen=True, slots=True)
class BlockUpstream:
    """An upstream connection takes no more; they are counted as they are opened."""

    connection: int


@dataclass(frozen=True, slots=True)
class UnblockUpstream:
    """An upstream connection takes what waits."""

    connection: int


@dataclass(frozen=True, slots=True)
class LoseUpstream:
    """An upstream connection breaks, in use or idle."""

    connection: int


@dataclass(frozen=True, slots=True)
class Pass:
    """Time passes, and the worker looks at its deadlines."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Apply:
    """A config is put into service."""

    world: World


@dataclass(frozen=True, slots=True)
class Renew:
    """The config in force is confirmed anew."""


@dataclass(frozen=True, slots=True)
class AnnounceEnd:
    """The worker is told to end soon."""


@dataclass(frozen=True, slots=True)
class Drain:
    """The worker ends: what is in flight is finished."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is still in flight is cut off."""


Event: TypeAlias = (
    Connect
    | Send
    | HalfClose
    | Lose
    | Block
    | Unblock
    | Deliver
    | BlockUpstream
    | UnblockUpstream
    | LoseUpstream
    | Pass
    | Apply
    | Renew
    | AnnounceEnd
    | Drain
    | Cut
)


@dataclass(frozen=True, slots=True)
class Response:
    """An upstream's answer: its pieces, and how the connection goes on: ``keep``, ``close`` or ``reset``.

    ``at_head``: it begins before the request's body is there. ``held``: each piece waits for a ``Deliver``.
    """

    pieces: tuple[bytes, ...]
    end: str = "keep"
    at_head: bool = False
    held: bool = False


OK = Response((b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nok",))


@dataclass(frozen=True, slots=True)
class Conversation:
    """``responses`` by the marks of requests (``marks``); a request without one gets ``OK``.

    ``seed`` is that of the choices which the gateway makes at random. ``tight``: limits are small.
    ``max_age``: seconds for which a config is served without being confirmed; 0: for ever.
    """

    events: tuple[Event, ...]
    world: World
    responses: dict[bytes, Response] = field(default_factory=dict)
    seed: int = 0
    tight: bool = False
    max_age: float = 0.0
