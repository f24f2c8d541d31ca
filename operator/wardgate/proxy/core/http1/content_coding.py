"""Content codings of a response (RFC 9110, 8.4), undone on routes whose plan reads the body; others pass as they are.

Rule 1: a request whose response a plan reads asks for no coding, and for no part of the body (``ask_for_identity``): to
        undo a coding costs a worker more than the bytes that it saves between a gateway and a provider, and a part of a
        body (RFC 9110, 14) is nothing to parse, nor does its ``Content-Range`` fit what is made of it.
Rule 2: what comes coded all the same is decoded as it arrives, up to ``_CODINGS`` codings one upon the other. Data that
        is damaged, ends early or goes on beyond its end, and a coding that nobody knows, are refused: a template would
        read half a text for a whole one.
Rule 3: no coding may make more than ``expansion`` times the bytes that have arrived, beyond ``_FREE``, nor may the
        response be longer than the body limit, coded or decoded; that limit is counted by whoever collects.
Rule 4: what was decoded is a response that never was coded: ``Content-Encoding`` and digests of the coded bytes go,
        and the length is the new one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from wardgate.proxy.core.fields.folded import without
from wardgate.proxy.core.grammar import members
from wardgate.proxy.core.http1.decoders import Decoder, DecodingError, decoder
from wardgate.proxy.core.messages import Header, HeaderList, Incoming

_IDENTITY: Final = (b"accept-encoding", b"identity")
_OF_THE_FORM: Final = frozenset({b"accept-encoding", b"range", b"if-range"})
"""The headers of a request about the form in which a body shall come."""
_CODED: Final = b"content-encoding"
_OF_CODED: Final = frozenset({_CODED, b"content-digest", b"repr-digest", b"digest", b"content-md5"})
"""Fields that are about the coded bytes: digests are made of them too (RFC 9530, 2 and 3; RFC 1864)."""
_CODINGS: Final = 4
_FREE: Final = 16 * 1024
"""Bytes that any response may expand to: a tiny one of equal letters is no bomb."""
_SLICE: Final = 16 * 1024
"""Bytes that are given to a decoder at once, which copies what it does not use up."""


class ExpandsTooFarError(DecodingError):
    """The data is a bomb, or looks like one."""


class ContentDecoder:
    """Undoes the codings of one body: ``give`` what arrives, ``step`` while ``behind``, and ``end``.

    ``codings`` in the order in which they were applied, all of them known; ``expansion``: see rule 3.
    """

    __slots__ = ("_expansion", "_layers", "_made", "_received", "_waiting")

    def __init__(self, layers: Sequence[Decoder], *, expansion: int) -> None:
        self._layers = layers
        self._made = [0] * len(layers)
        self._expansion = expansion
        self._received = 0
        self._waiting: deque[bytes] = deque()

    def give(self, data: bytes) -> None:
        """Take a piece of the body as it arrived."""
        self._received += len(data)
        self._waiting.extend(data[start : start + _SLICE] for start in range(0, len(data), _SLICE))

    @property
    def behind(self) -> bool:
        """Whether there is something left to decode."""
        return bool(self._waiting) or not all(layer.hungry for layer in self._layers)

    def step(self) -> bytes:
        """Do a bounded piece of the work; return what it adds to the decoded body. Raises ``DecodingError``."""
        for index in reversed(range(len(self._layers))):
            if not self._layers[index].hungry:
                return self._decode(index, b"")
        return self._decode(0, self._waiting.popleft()) if self._waiting else b""

    def end(self) -> None:
        """Raise ``DecodingError`` if the data ended early. A body of no bytes at all is no coded one."""
        if self._received and not all(layer.whole for layer in self._layers):
            msg = "its data ends early"
            raise DecodingError(msg)

    def _decode(self, index: int, data: bytes) -> bytes:
        """Pass data through a layer and those behind it, which are hungry."""
        made = self._layers[index].decode(data)
        self._made[index] += len(made)
        if self._made[index] > max(_FREE, self._expansion * self._received):
            msg = f"its data expands more than {self._expansion} times"
            raise ExpandsTooFarError(msg)
        if not made or index + 1 == len(self._layers):
            return made
        return self._decode(index + 1, made)


def ask_for_identity(headers: HeaderList) -> None:
    """Ask for a whole response without a content coding, in place (rule 1)."""
    headers[:] = without(headers, _OF_THE_FORM)
    headers.append(_IDENTITY)


def content_decoder(incoming: Incoming, *, expansion: int) -> ContentDecoder | None:
    """Begin to decode a response; None: it is not coded. Raises ``DecodingError`` where it could not be undone."""
    codings = _codings(incoming.headers)
    if not codings:
        return None
    if len(codings) > _CODINGS:
        msg = f"it has more than {_CODINGS} content codings"
        raise DecodingError(msg)
    layers = [layer for layer in map(decoder, reversed(codings)) if layer is not None]
    if len(layers) != len(codings):
        msg = "its content coding is none of gzip, deflate, br and zstd"
        raise DecodingError(msg)
    return ContentDecoder(layers, expansion=expansion)


def decoded(incoming: Incoming, body: bytes) -> None:
    """Turn a coded response into one that never was coded, in place (rule 4).

    An entity tag is weak from then on: the strong one was of the coded bytes (RFC 9110, 8.8.1).
    """
    incoming.headers[:] = [_weakened(field) for field in incoming.headers if field[0] not in _OF_CODED]
    incoming.arrived = [
        (name, b"%d" % len(body)) if name == b"content-length" else (name, value) for name, value in incoming.arrived
    ]
    incoming.body = body


def _codings(headers: HeaderList) -> list[str]:
    given = members(value for name, value in headers if name == _CODED)
    return [coding for coding in (each.decode("latin-1").lower() for each in given) if coding not in ("", "identity")]


def _weakened(field: Header) -> Header:
    name, value = field
    return (name, b"W/" + value) if name == b"etag" and value.startswith(b'"') else field
