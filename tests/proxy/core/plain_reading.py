"""The fast path's reading of a conversation's request, compared with the exchange's.

Each ``Talk`` is checked by it. The lane gets the request as bytes, twice: read strictly, and by what it remembers. It
may call any request not plain; one that it takes must leave as the exchange sends it, byte by byte. Not here: what the
connection tells of its other end (``forwarded``), which both get from it.
"""

from __future__ import annotations

from collections.abc import Callable

from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.core.http1.framing import write_request_head
from wardgate.proxy.core.http1.loops import LoopMark
from wardgate.proxy.core.messages import NeedBody, Outgoing, Request, Step
from wardgate.proxy.core.routing.table import Table
from wardgate.proxy.core.upstream.lots import Lots
from wardgate.proxy.io.shared.fast_path import FastPath
from wardgate.proxy.settings import Limits

_MARK = LoopMark("conversation")
_BODY = b"{}"


def written(request: Request) -> bytes:
    """Write a request as a caller sends it."""
    target = request.path if request.query is None else request.path + b"?" + request.query
    lines = [b"%b %b HTTP/1.1" % (request.method, target), b"Host: " + request.authority]
    lines += [b"%b: %b" % field for field in request.headers]
    body = _BODY if request.has_body else b""
    if body:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join((*lines, b"", b"")) + body


class PlainReading:
    """Made before the exchange changes the request; ``check`` compares."""

    def __init__(
        self,
        table: Table,
        credentials: CredentialIndex,
        request: Request,
        *,
        port: int,
        now: float,
        pick: Callable[[int], int] = lambda _: 0,
    ) -> None:
        self._has_body = request.has_body
        path = FastPath(Limits(), mark=_MARK, next_id=lambda: b"", lots=Lots(pick))
        data = written(request)
        lane = path.lane(table, credentials, port=port)
        read = [] if lane is None or request.forwarded else [lane.read(data, now=now) for _ in range(2)]
        known = [plain for plain in read if plain is not None and not plain.claims]
        self._refused = [plain.refusal.reply for plain in known if plain.refusal is not None]
        taken = [plain for plain in known if plain.refusal is None]
        assert len(taken) in (0, 2), "Plain the first time and not the second, or the other way round."
        self._sent = [plain.written(data, dialled=b"", told=b"") for plain in taken]
        self._outcomes = [plain.outcome for plain in taken]

    @property
    def is_plain(self) -> bool:
        """Whether the fast path takes the request."""
        return bool(self._sent)

    def check(self, step: Step) -> None:
        """Compare with what the exchange decided."""
        if isinstance(step, NeedBody):
            return  # of the conversation's own body, which is another one
        assert all(step is reply for reply in self._refused), f"Refused as plain; the exchange says {step}"
        for sent, outcome in zip(self._sent, self._outcomes, strict=True):
            assert isinstance(step, Outgoing), f"Sent on as plain: {sent!r}; the exchange says {step}"
            assert outcome is not None
            assert (step.upstream, step.auto_host) == (outcome.upstream, outcome.auto_host)
            assert self._by_the_exchange(step) == sent

    def _by_the_exchange(self, outgoing: Outgoing) -> bytes:
        length = len(_BODY) if self._has_body else 0 if outgoing.method in (b"POST", b"PUT", b"PATCH") else None
        head = write_request_head(
            method=outgoing.method,
            target=outgoing.target,
            headers=[*outgoing.headers, _MARK.after(())],
            length=length,
            chunked=False,
        )
        return head + (_BODY if self._has_body else b"")
