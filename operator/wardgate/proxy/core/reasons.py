"""Reasons why a request was not simply forwarded: the closed set of words that access logs and metrics carry.

Each reason has one status and one sentence for the caller, here and nowhere else. The sentences say what the caller
can act on and nothing about keys, tokens or the cluster. A route closed by its config (``Refuse``) brings a reason of
its own in the same spelling.
"""

from __future__ import annotations

from enum import StrEnum


class ReplyReason(StrEnum):
    """A reason, in lower snake case; a value never changes its meaning."""

    # Answers of the gateway by design.
    REDIRECT = "redirect"
    DIRECT_RESPONSE = "direct_response"
    MAX_FORWARDS = "max_forwards"

    # The request as bytes (the I/O decides these).
    BAD_REQUEST_LINE = "bad_request_line"
    BAD_HEADER = "bad_header"
    BAD_HOST = "bad_host"
    BAD_FRAMING = "bad_framing"
    BAD_CHUNK = "bad_chunk"
    BAD_TARGET = "bad_target"
    REQUEST_LOOP = "request_loop"
    METHOD_CASE = "method_case"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_TIMEOUT = "request_timeout"
    BODY_TOO_LARGE = "body_too_large"
    EXPECTATION_FAILED = "expectation_failed"
    TARGET_TOO_LONG = "target_too_long"
    HEAD_TOO_LARGE = "head_too_large"
    TOO_MANY_HEADERS = "too_many_headers"
    TRANSFER_CODING = "transfer_coding"
    HTTP_VERSION = "http_version"

    # Routing.
    NO_ROUTE = "no_route"
    UNKNOWN_PLAN = "unknown_plan"
    NO_DESTINATION = "no_destination"
    REROUTED_PAST_AUTH = "rerouted_past_auth"
    REROUTE_NOT_PERMITTED = "reroute_not_permitted"

    # Authentication.
    KEY_MISSING = "key_missing"
    KEY_UNKNOWN = "key_unknown"
    KEY_EXPIRED = "key_expired"
    KEY_REPEATED = "key_repeated"
    KEY_LACKS_METADATA = "key_lacks_metadata"
    KEY_ADDRESS_REFUSED = "key_address_refused"
    KEY_TOKEN_MISSING = "key_token_missing"  # noqa: S105 - a reason, not a token
    KEY_HEADER_MISMATCH = "key_header_mismatch"
    PASSWORD_MISSING = "password_missing"  # noqa: S105 - a reason, not a password
    PASSWORD_WRONG = "password_wrong"  # noqa: S105 - a reason, not a password
    PASSWORD_CHECKS_EXHAUSTED = "password_checks_exhausted"  # noqa: S105 - a reason, not a password
    NOT_AUTHENTICATED = "not_authenticated"
    TOKEN_BOUND_ELSEWHERE = "token_bound_elsewhere"  # noqa: S105 - a reason, not a token
    TOKEN_NOT_SHARED = "token_not_shared"  # noqa: S105 - a reason, not a token

    # Transformation.
    HALF_EMPTY_CREDENTIAL = "half_empty_credential"
    TRANSFORMATION_FAILED = "transformation_failed"
    TRANSFORMATION_TOO_COSTLY = "transformation_too_costly"
    BODY_TOO_COMPLEX = "body_too_complex"
    UNSAFE_RENDERING = "unsafe_rendering"
    UNSAFE_RESPONSE_RENDERING = "unsafe_response_rendering"

    # Upstream (the I/O decides these).
    ADDRESS_REFUSED = "address_refused"
    UPSTREAM_UNRESOLVED = "upstream_unresolved"
    UPSTREAM_UNREACHABLE = "upstream_unreachable"
    UPSTREAM_UNTRUSTED = "upstream_untrusted"
    UPSTREAM_RESET = "upstream_reset"
    UPSTREAM_BROKEN = "upstream_broken"
    UPSTREAM_OVERLOAD = "upstream_overload"
    UPSTREAM_CONNECT_TIMEOUT = "upstream_connect_timeout"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_STALLED = "upstream_stalled"
    EXCHANGE_TIMEOUT = "exchange_timeout"
    RESPONSE_TOO_LARGE = "response_too_large"
    RESPONSE_UNDECODABLE = "response_undecodable"
    RESPONSE_EXPANDS = "response_expands"

    # Ends of an exchange whose response has begun (the connection is cut, nothing is answered).
    CALLER_GONE = "caller_gone"
    CALLER_TOO_SLOW = "caller_too_slow"
    KEY_REVOKED = "key_revoked"
    IDLE_TIMEOUT = "idle_timeout"

    # The gateway itself.
    CONFIG_TOO_OLD = "config_too_old"
    SHUTTING_DOWN = "shutting_down"
    OVERLOAD = "overload"
    CALLER_OVER_SHARE = "caller_over_share"

    # Connections that are closed before a request (nothing is answered).
    PROXY_HEADER = "proxy_header"
    PROXY_UNTRUSTED = "proxy_untrusted"


ANSWERS: dict[ReplyReason, tuple[int, str]] = {
    ReplyReason.BAD_REQUEST_LINE: (400, "The request line is malformed."),
    ReplyReason.BAD_HEADER: (400, "A header is malformed."),
    ReplyReason.BAD_HOST: (400, "The Host header is missing or malformed."),
    ReplyReason.BAD_FRAMING: (400, "The request does not say clearly where its body ends."),
    ReplyReason.BAD_CHUNK: (400, "A chunk of the request's body is malformed."),
    ReplyReason.BAD_TARGET: (400, "The request target is malformed."),
    ReplyReason.REQUEST_LOOP: (508, "The request has passed this gateway before."),
    ReplyReason.METHOD_CASE: (400, "Methods are case-sensitive; this gateway takes those in upper case."),
    ReplyReason.METHOD_NOT_ALLOWED: (405, "This gateway does not take this method."),
    ReplyReason.REQUEST_TIMEOUT: (408, "The request took too long to arrive."),
    ReplyReason.BODY_TOO_LARGE: (413, "The request's body is too large for this route."),
    ReplyReason.TARGET_TOO_LONG: (414, "The request target is too long."),
    ReplyReason.EXPECTATION_FAILED: (417, "The only expectation this gateway meets is 100-continue."),
    ReplyReason.HEAD_TOO_LARGE: (431, "The request's headers are too large."),
    ReplyReason.TOO_MANY_HEADERS: (431, "The request has too many headers."),
    ReplyReason.TRANSFER_CODING: (501, "The only transfer coding this gateway takes is chunked."),
    ReplyReason.HTTP_VERSION: (505, "This gateway speaks HTTP/1.1."),
    ReplyReason.NO_ROUTE: (404, "No route takes this request."),
    ReplyReason.UNKNOWN_PLAN: (503, "This route cannot be served by this version of the gateway."),
    ReplyReason.NO_DESTINATION: (503, "This route has no destination that takes traffic."),
    ReplyReason.REROUTED_PAST_AUTH: (403, "The request was sent on to a route that asks for another authentication."),
    ReplyReason.REROUTE_NOT_PERMITTED: (403, "The request was sent on to a route of another owner."),
    ReplyReason.KEY_ADDRESS_REFUSED: (403, "Requests with this key are not taken from this address."),
    ReplyReason.TOKEN_BOUND_ELSEWHERE: (403, "The token of this key is bound to other hosts."),
    ReplyReason.TOKEN_NOT_SHARED: (403, "The token of this key may not be used on this route."),
    ReplyReason.PASSWORD_CHECKS_EXHAUSTED: (
        429,
        "Too many wrong passwords came from this address; try again in a minute.",
    ),
    ReplyReason.HALF_EMPTY_CREDENTIAL: (403, "The credential for the provider would be incomplete."),
    ReplyReason.UNSAFE_RENDERING: (400, "A transformation of this request made a value that cannot be sent."),
    ReplyReason.UNSAFE_RESPONSE_RENDERING: (502, "A transformation of the response made a value that cannot be sent."),
    ReplyReason.ADDRESS_REFUSED: (502, "The upstream's address is not allowed."),
    ReplyReason.UPSTREAM_UNRESOLVED: (502, "The upstream's name cannot be resolved."),
    ReplyReason.UPSTREAM_UNREACHABLE: (502, "The upstream cannot be reached."),
    ReplyReason.UPSTREAM_UNTRUSTED: (502, "The upstream could not prove who it is."),
    ReplyReason.UPSTREAM_RESET: (502, "The upstream broke off."),
    ReplyReason.UPSTREAM_BROKEN: (502, "The upstream's response cannot be understood."),
    ReplyReason.UPSTREAM_OVERLOAD: (503, "Too many requests are on their way to this upstream; try again later."),
    ReplyReason.UPSTREAM_CONNECT_TIMEOUT: (504, "The upstream took no connection in time."),
    ReplyReason.UPSTREAM_TIMEOUT: (504, "The upstream took too long to answer."),
    ReplyReason.UPSTREAM_STALLED: (504, "The upstream stopped in the middle."),
    ReplyReason.EXCHANGE_TIMEOUT: (504, "The request took too long in all."),
    ReplyReason.RESPONSE_TOO_LARGE: (502, "The upstream's response is too large for this route."),
    ReplyReason.RESPONSE_UNDECODABLE: (
        502,
        "The upstream's response is compressed in a way that this route cannot read.",
    ),
    ReplyReason.RESPONSE_EXPANDS: (502, "The upstream's response is compressed too highly for this route."),
    ReplyReason.CONFIG_TOO_OLD: (503, "The gateway's configuration is too old to be trusted."),
    ReplyReason.SHUTTING_DOWN: (503, "The gateway is being stopped; try again."),
    ReplyReason.CALLER_OVER_SHARE: (429, "Too much is in flight for this caller; try again when some of it has ended."),
    ReplyReason.OVERLOAD: (503, "The gateway is overloaded; try again later."),
}
"""Status and sentence of every refusal with a JSON body. The recorded 401s have neither (see ``replies``)."""

RETRY_AFTER: dict[str, int] = {
    ReplyReason.PASSWORD_CHECKS_EXHAUSTED: 60,
    ReplyReason.UPSTREAM_UNRESOLVED: 2,
    ReplyReason.CALLER_OVER_SHARE: 1,
    ReplyReason.OVERLOAD: 1,
    ReplyReason.UPSTREAM_OVERLOAD: 1,
    ReplyReason.SHUTTING_DOWN: 1,
}
"""Seconds after which another try may go better, as ``retry-after`` tells clients. All others: nobody knows."""
