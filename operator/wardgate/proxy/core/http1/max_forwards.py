"""``Max-Forwards`` of OPTIONS (RFC 9110, 7.6.2): how many more hops a request may take. TRACE has no way through here.

"The intermediary MUST check and update the field's value prior to forwarding": at zero this hop answers, after it has
authenticated the caller as for any other request; a value that cannot be counted down is refused.
"""

from __future__ import annotations

import re
from typing import Final

from wardgate.proxy.core.fields.folded import drop, values_of
from wardgate.proxy.core.messages import Reply, Request
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS

_NAME: Final = b"max-forwards"
_DIGITS: Final = re.compile(rb"[0-9]{1,18}")
_LAST_HOP: Final = Reply(status=200, reason=ReplyReason.MAX_FORWARDS)


def count_down(request: Request) -> Reply | None:
    """Count down the hops of an OPTIONS request, in place; return the answer if it goes no further."""
    values = values_of(request.headers, _NAME)
    if not values:
        return None
    if len(values) != 1 or _DIGITS.fullmatch(values[0]) is None:
        return REFUSALS[ReplyReason.BAD_HEADER]
    left = int(values[0])
    if left == 0:
        return _LAST_HOP
    drop(request.headers, _NAME)
    request.headers.append((_NAME, b"%d" % (left - 1)))
    return None
