"""Failures between the gateway and an upstream, each with the reason that decides the caller's answer."""

from __future__ import annotations

from wardgate.proxy.core.reasons import ReplyReason


class UpstreamError(Exception):
    """No usable response. ``detail`` is for the operator's log and holds no secret.

    ``of_connecting``: nothing was sent, and another endpoint may do better. ``of_exchange``: the endpoint that had the
    request is to blame.
    """

    reason = ReplyReason.UPSTREAM_BROKEN
    of_connecting = False
    of_exchange = False

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class AddressRefused(UpstreamError):
    """Invariant 12: the address may not be dialled."""

    reason = ReplyReason.ADDRESS_REFUSED
    of_connecting = True


class Unresolvable(UpstreamError):
    """The name has no address."""

    reason = ReplyReason.UPSTREAM_UNRESOLVED
    of_connecting = True


class Unreachable(UpstreamError):
    """No address took the connection."""

    reason = ReplyReason.UPSTREAM_UNREACHABLE
    of_connecting = True


class TlsFailed(UpstreamError):
    """The handshake failed, or the certificate is not the one demanded (invariant 8)."""

    reason = ReplyReason.UPSTREAM_UNTRUSTED
    of_connecting = True


class ConnectTimeout(UpstreamError):
    """Resolving, connecting and shaking hands took too long."""

    reason = ReplyReason.UPSTREAM_CONNECT_TIMEOUT
    of_connecting = True


class ResponseTimeout(UpstreamError):
    """No head of a response came in time."""

    reason = ReplyReason.UPSTREAM_TIMEOUT
    of_exchange = True


class UpstreamStalled(UpstreamError):
    """The upstream stopped sending its response, or reading the request."""

    reason = ReplyReason.UPSTREAM_STALLED
    of_exchange = True


class ExchangeTimeout(UpstreamError):
    """The request took too long in all."""

    reason = ReplyReason.EXCHANGE_TIMEOUT


class UpstreamReset(UpstreamError):
    """The upstream closed before its response was complete."""

    reason = ReplyReason.UPSTREAM_RESET
    of_exchange = True


class BadResponse(UpstreamError):
    """The response is not HTTP/1.1, or its head is larger than the limit."""

    of_exchange = True


class ResponseTooLarge(UpstreamError):
    """A plan reads the response's body, and it is larger than the limit."""

    reason = ReplyReason.RESPONSE_TOO_LARGE


class ResponseUndecodable(UpstreamError):
    """A plan reads the response's body, and its content coding cannot be undone."""

    reason = ReplyReason.RESPONSE_UNDECODABLE


class ResponseExpands(UpstreamError):
    """A plan reads the response's body, and decoded it is out of all proportion."""

    reason = ReplyReason.RESPONSE_EXPANDS


class PoolExhausted(UpstreamError):
    """Too many connections to one endpoint."""

    reason = ReplyReason.UPSTREAM_OVERLOAD


class ShareExhausted(UpstreamError):
    """Too many connections to one endpoint for one caller."""

    reason = ReplyReason.CALLER_OVER_SHARE


def overdue_error(reason: ReplyReason) -> UpstreamError:
    """Return the failure of an upstream that is overdue by this reason, one of ``Deadlines.overdue``'s."""
    if reason is ReplyReason.UPSTREAM_TIMEOUT:
        return ResponseTimeout("It did not begin to answer in time.")
    if reason is ReplyReason.EXCHANGE_TIMEOUT:
        return ExchangeTimeout("A request took too long in all.")
    # Of a request's body that comes too slowly, too: it is the upstream that does not read.
    return UpstreamStalled("It said nothing, or read nothing, for too long.")
