"""The body of a caller's request as bytes arrive: where it ends, by its length or by its chunks.

One reader serves all requests of a connection, one after the other. What a body is used for is not its affair.
"""

from __future__ import annotations

from wardgate.proxy.core.http1.chunked import ChunkedDecoder
from wardgate.proxy.core.http1.request_head import RequestHead


class BodyReader:
    """``begin`` with a head, then ``feed`` while ``open``; afterwards ``rest`` holds what belongs to the next request.

    While ``behind``, more of the body is held than was returned: feed it again, if need be with nothing.
    """

    __slots__ = ("_chunked", "_remaining", "behind", "open", "rest")

    def __init__(self) -> None:
        self._remaining = 0
        self._chunked: ChunkedDecoder | None = None
        self.behind = False
        """Whether the body's chunks are so small that not all that arrived has been read."""
        self.open = False
        self.rest = b""

    def begin(self, head: RequestHead) -> None:
        """Expect the body that a head announces, which may be none."""
        self._chunked = ChunkedDecoder() if head.chunked else None
        self._remaining = head.content_length or 0
        self.open = head.has_body

    def feed(self, data: bytes) -> bytes:
        """Return the body's bytes in ``data``. Raises ``ChunkedError``."""
        if self._chunked is None:
            piece, self.rest = data[: self._remaining], data[self._remaining :]
            self._remaining -= len(piece)
            self.open = self._remaining > 0
            return piece
        piece = self._chunked.feed(data)
        self.behind = self._chunked.behind
        if self._chunked.done:
            self.rest = self._chunked.rest
            self.give_up()
        return piece

    def give_up(self) -> None:
        """Expect no more of this body."""
        self._chunked = None
        self._remaining = 0
        self.behind = self.open = False

    def may_exceed(self, size: int) -> bool:
        """Whether more than ``size`` bytes may still come."""
        return self._chunked is not None or self._remaining > size
