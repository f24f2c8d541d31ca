"""The moment at which the connections of a caller and an upstream begin to carry another protocol (``upgrades``).

From then on the request is one whose body streams, and the response one that ends with its connection: the stream moves
the bytes with the same back-pressure, and counts them alike. Neither side owes the other anything, at whatever rate;
only where both have been silent for ``timeouts.upgraded_idle`` the connection is taken for dead (``deadlines``).
"""

from __future__ import annotations

from wardgate.proxy.core.messages import Incoming
from wardgate.proxy.io.downstream.caller_body import CallerBody
from wardgate.proxy.io.downstream.caller_side import CallerSide
from wardgate.proxy.io.downstream.response_writer import ResponseWriter
from wardgate.proxy.io.upstream.request_sender import RequestSender


def begin_tunnel(
    incoming: Incoming, sender: RequestSender, *, caller: CallerSide, body: CallerBody, writer: ResponseWriter
) -> None:
    """Tell the caller that the upstream has switched, and the upstream what the caller has said since it asked."""
    assert sender.upgrade is not None, "The upstream's reader knows no switch that was not asked for."
    writer.switch(incoming.headers, sender.upgrade)
    caller.deadlines.switched()
    early = caller.requests.switch()
    if early:
        body.piece(early)
    caller.flow()
