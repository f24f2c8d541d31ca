"""Answers of the gateway's own, built once: a refused request allocates nothing.

A refusal is ``{"error": ...}`` as JSON, except for the 401s, which are as the workshop recorded them: no body, and
``www-authenticate`` says what is wrong. Missing and wrong keys get the same answer.

Errors carry ``ERROR_SOURCE``, which tells them from the provider's own; an upstream's header of that name is dropped
(``http1.response_reader``). The 401s stay as recorded: no provider answers with their ``www-authenticate``.
"""

from __future__ import annotations

import json
from typing import Final

from wardgate.proxy.core.grammar import UNSENDABLE
from wardgate.proxy.core.messages import Header, Incoming, Reply
from wardgate.proxy.core.reasons import ANSWERS, RETRY_AFTER, ReplyReason
from wardgate.text_codec import to_bytes

ERROR_SOURCE: Final[Header] = (b"wardgate-error-source", b"gateway")

_JSON = ((b"content-type", b"application/json"),)
_TEXT = ((b"content-type", b"text/plain"),)
_KEY_REFUSED = ((b"www-authenticate", b"API key is missing or invalid"),)
_OF_THE_BODY = frozenset({b"content-type", b"content-encoding", b"content-range", b"etag"})
"""Headers that describe a body, and go with it."""
_CLOSED = "This route is closed: its configuration is not valid."
_FORBIDDEN = "This route is closed to all callers."


def json_refusal(status: int, reason: str, *, text: str) -> Reply:
    """Refuse with ``{"error": text}``."""
    body = json.dumps({"error": text}, separators=(",", ":"), ensure_ascii=False).encode()
    return Reply(status=status, reason=reason, headers=(*_JSON, *_advice(reason), ERROR_SOURCE), body=body, text=text)


def _advice(reason: str) -> tuple[Header, ...]:
    """When it is worth another try, where that is known."""
    seconds = RETRY_AFTER.get(reason)
    return () if seconds is None else ((b"retry-after", b"%d" % seconds),)


def key_refusal(reason: str) -> Reply:
    """Build the 401 that the workshop recorded."""
    return Reply(status=401, reason=reason, headers=_KEY_REFUSED)


def closed_route(status: int, reason: str) -> Reply:
    """Build the answer of a route that its config closed; 401 takes the recorded form."""
    if status == 401:
        return key_refusal(reason)
    return json_refusal(status, reason, text=_FORBIDDEN if status == 403 else _CLOSED)


def basic_refusal(realm: str, reason: str) -> Reply:
    """Build the 401 of basic authentication; a realm that no header could carry is cut down to one that can be."""
    safe = UNSENDABLE.sub(b"", to_bytes(realm))
    quoted = safe.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return Reply(status=401, reason=reason, headers=((b"www-authenticate", b'Basic realm="' + quoted + b'"'),))


def failed_transformation(reason: str, text: str) -> Reply:
    """Build Gloo's answer to a request whose template failed."""
    body = to_bytes("bad request: " + text)
    return Reply(status=400, reason=reason, headers=(*_TEXT, ERROR_SOURCE), body=body)


def direct_response(status: int, body: str) -> Reply:
    """Build the answer of a route that answers at once."""
    data = to_bytes(body)
    headers = (*(_TEXT if data else ()), *((ERROR_SOURCE,) if status >= 400 else ()))
    return Reply(status=status, reason=ReplyReason.DIRECT_RESPONSE, headers=headers, body=data)


def redirect(status: int, location: bytes) -> Reply:
    """Send the caller elsewhere."""
    return Reply(status=status, reason=ReplyReason.REDIRECT, headers=((b"location", location),))


def fields_of_own(body: bytes) -> tuple[Header, ...]:
    """Return the fields of the connection that templates read in an answer of the gateway's own."""
    return ((b"content-length", b"%d" % len(body)),) if body else ()


def take_place_of(incoming: Incoming, reply: Reply) -> None:
    """Put an answer of the gateway's own in the place of a response, in place; headers about its body go."""
    incoming.status = reply.status
    incoming.headers[:] = [*(f for f in incoming.headers if f[0] not in _OF_THE_BODY), *reply.headers]
    incoming.body = reply.body
    incoming.arrived = fields_of_own(reply.body)


_KEY_REASONS = (
    ReplyReason.KEY_MISSING,
    ReplyReason.KEY_UNKNOWN,
    ReplyReason.KEY_EXPIRED,
    ReplyReason.KEY_REPEATED,
    ReplyReason.KEY_LACKS_METADATA,
    ReplyReason.KEY_TOKEN_MISSING,
    ReplyReason.KEY_HEADER_MISMATCH,
    ReplyReason.NOT_AUTHENTICATED,
)

REFUSALS: dict[ReplyReason, Reply] = {
    **{reason: json_refusal(status, reason, text=text) for reason, (status, text) in ANSWERS.items()},
    **{reason: key_refusal(reason) for reason in _KEY_REASONS},
}
"""The ready answer of every refusal that needs no further word (not: redirects, realms, failed templates)."""
