"""Methods that go through this gateway.

Methods are case-sensitive (RFC 9110, 9.1), but many frameworks put them into upper case before they look at them: to
them ``delete`` is DELETE, which a guard on ``method: DELETE`` has let pass. Every method of IANA's registry is written
in upper case, and matchers name methods in upper case alone; so a lower-case letter in a method is refused, whether
the method is registered or not.
"""

from __future__ import annotations

from typing import Final

from wardgate.proxy.core.reasons import ReplyReason

_MEANINGLESS: Final = frozenset({b"CONNECT", b"TRACE"})
"""A tunnel has no route here, and TRACE would echo an injected token to the caller."""


COMMON: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
"""Methods that have no fault: nearly all that arrive."""


def method_fault(method: bytes) -> ReplyReason | None:
    """Say why a method, which is a token, is not taken; None: it is."""
    if method in _MEANINGLESS:
        return ReplyReason.METHOD_NOT_ALLOWED
    return None if method == method.upper() else ReplyReason.METHOD_CASE
