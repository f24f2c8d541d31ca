"""Names of header fields: when two of them are the same header; which the proxy alone writes; which are credentials.

CGI, WSGI, Rack and PHP hand a header to the program as a variable, in which ``x-user-id`` and ``x_user_id`` are both
``HTTP_X_USER_ID`` (RFC 3875, 4.1.18). So whatever is stripped, required or set by name goes by the folded name: a guard
on one spelling is a guard on all. A header that goes on keeps the spelling it came in.
"""

from __future__ import annotations

from typing import Final

HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that end at the next hop whatever ``Connection`` says.

RFC 9110, 7.6.1: "intermediaries SHOULD remove or replace fields that are known to require removal before forwarding,
whether or not they appear as a connection-option [...]. This includes but is not limited to: Proxy-Connection,
Keep-Alive, TE, Transfer-Encoding, Upgrade". ``Connection`` itself goes by the same section, ``HTTP2-Settings`` by RFC
7540, 3.2.1, and ``Trailer`` because not all trailers go on (``http1/trailers``), and nobody needs to be told of them.
"""
PROXY_WRITTEN: Final = HOP_BY_HOP | {"content-length", "expect"}
"""Headers that belong to one connection or say where a message ends: no caller's, upstream's or policy's is sent on."""
LOOP_MARK: Final = "cdn-loop"
"""Names the proxies that a request has passed (RFC 8586)."""
TAKEN_OFF: Final = frozenset({LOOP_MARK, "proxy"})
"""Headers that end at the proxy and that no policy sees, in this spelling alone: a key in them would always be missing.

``Proxy`` is no header of HTTP: CGI hands it to a program as ``HTTP_PROXY``, where HTTP libraries look for a proxy to
send the program's own requests through.
"""
ORIGIN: Final = frozenset(
    {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-real-ip"}
)
"""Headers that say where a request comes from. A caller's end at the proxy in every spelling; it writes its own."""

CREDENTIAL_HEADERS: Final = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "ocp-apim-subscription-key",
    }
)
"""Request headers that are credentials whatever a policy says; folded names."""


def fold(name: str) -> str:
    """Return the name under which a header is compared: lower case, with hyphens for underscores."""
    return name.lower().replace("_", "-")
