r"""The grammar of HTTP/1.1, each rule once, with the words of its RFC.

Rules are texts of patterns for ``re``, so that they can stand within longer ones; the CRDs publish one too. Those who
read what a policy says use them as they are. The proxy, which reads bytes, compiles them in ``proxy/core/grammar``.

Where this gateway takes less than the RFC allows, the rule says so: what two readers might understand differently is
refused, not repaired.
"""

from __future__ import annotations

from typing import Final

TCHAR: Final = r"!#$%&'*+.^_`|~0-9A-Za-z-"
r"""The inside of a class of characters. RFC 9110, 5.6.2::

    token = 1*tchar
    tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA

Names of fields (5.1) and methods (9.1) are tokens.
"""
METHOD: Final = rf"[{TCHAR}]{{1,32}}"
"""RFC 9110, 9.1: ``method = token``. IANA's longest is UPDATEREDIRECTREF, of 17 characters; 32 bound what is logged."""

IP_LITERAL: Final = r"\[[0-9A-Fa-f:.]+\]"
r"""RFC 3986, 3.2.2: ``IP-literal = "[" ( IPv6address / IPvFuture  ) "]"``.

By its characters alone: what is no address leads to no route and is never dialled. IPvFuture and zones are refused.
"""
PORT: Final = r"(?::[0-9]{1,5})?"
r"""RFC 9110, 7.2: ``Host = uri-host [ ":" port ]``; RFC 3986, 3.2.3: ``port = *DIGIT``. An empty port is refused."""
HOST: Final = rf"(?:[0-9A-Za-z._~%-]+|{IP_LITERAL}){PORT}"
r"""RFC 3986, 3.2.2::

    host        = IP-literal / IPv4address / reg-name
    reg-name    = *( unreserved / pct-encoded / sub-delims )
    unreserved  = ALPHA / DIGIT / "-" / "." / "_" / "~"

An IPv4 address is a reg-name by its characters. Refused are sub-delims, of which a comma or a semicolon ends a host for
some readers, and the empty name.
"""

UNSENDABLE: Final = r"\x00-\x08\x0a-\x1f\x7f"
r"""The inside of a class: bytes that stand in no field's value. RFC 9110, 5.5::

    field-value    = *field-content
    field-content  = field-vchar [ 1*( SP / HTAB / field-vchar ) field-vchar ]
    field-vchar    = VCHAR / obs-text
    obs-text       = %x80-FF

"Field values containing CR, LF, or NUL characters are invalid and dangerous"; "containing other CTL characters are also
invalid". The tab is the one control character that may stand within a value.
"""
BREAKS_FRAMING: Final = "\r\n\0"
"""Those of the unsendable ones that end a line or a text for some reader: never sent, whatever a policy allows."""
UNSENDABLE_IN_PATH: Final = r"\x00-\x20\x7f#"
r"""The inside of a class: bytes that stand in no path of a request line.

RFC 9112, 3.2: "No whitespace is allowed in the request-target"; RFC 9110, 7.1: the target excludes the fragment. Bytes
beyond ASCII are none of it, because whoever rewrites a path escapes them.
"""
