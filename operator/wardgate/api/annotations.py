"""Annotations and labels that mean something to Wardgate, and how their values are read.

A value that cannot be read is an ``AnnotationError`` *value*, never an exception: what a bad value costs (a key, a
policy) is decided in ``translate``. Its text says what should stand there and does not repeat what does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

FORWARD_CREDENTIAL: Final = "wardgate.dev/forward-credential"
"""On an ExtAuthPolicy: ``"true"`` leaves the caller's key on the request that goes upstream (invariant 3)."""
CREDENTIAL_HEADERS: Final = "wardgate.dev/credential-headers"
"""On a TransformationPolicy: further headers, comma-separated, that are credentials and never sent half-empty
(invariant 4)."""
EXPIRES_AT: Final = "wardgate.dev/expires-at"
"""On a key Secret: RFC 3339 time from which the key is refused (invariant 5)."""
UPSTREAM_HOSTS: Final = "wardgate.dev/upstream-hosts"
"""On a key Secret: the only hosts, comma-separated, that may get what the Secret holds (invariant 11)."""
REQUIRE_AUTH: Final = "gateway.gloo.solo.io/require_auth"
"""Label of a route or a RouteTable: ``"true"`` refuses every request while no valid ExtAuthPolicy guards the route."""

_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:)(\d\d)((\.\d+)?([Zz]|[+-]\d\d:\d\d))", re.ASCII)


@dataclass(frozen=True, slots=True)
class AnnotationError:
    """``expected`` continues the sentence "The annotation must be ..."."""

    expected: str


def parse_flag(text: str) -> bool | AnnotationError:
    """``true`` or ``false``, in any case."""
    match text.strip().lower():
        case "true":
            return True
        case "false":
            return False
        case _:
            return AnnotationError('"true" or "false"')


def parse_time(text: str) -> int | AnnotationError:
    """RFC 3339 (section 5.6) to Unix seconds; a fraction is cut off, so that nothing lives longer than written.

    Unix time has no leap seconds: one is taken as the second after it.
    """
    try:
        if written := _RFC_3339.fullmatch(text.strip()):
            return _leap_second(*written.group(1, 3)) if written[2] == "60" else _seconds(written[0])
    except (ValueError, OverflowError):
        pass
    return AnnotationError("an RFC 3339 time with a zone, such as 2030-01-31T12:00:00Z")


def _leap_second(minute: str, rest: str) -> int:
    """The second after it. Raises ``ValueError`` where none can be: they come at the end of a month (section 5.7)."""
    following = _seconds(f"{minute}59{rest}") + 1
    if datetime.fromtimestamp(following, UTC).timetuple()[2:6] != (1, 0, 0, 0):
        msg = "A leap second is the last one of a month in UTC."
        raise ValueError(msg)
    return following


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text.upper()).timestamp() // 1)


def parse_list(text: str) -> tuple[str, ...]:
    """A comma-separated list in lower case, without blanks, empty parts and repetitions, in the order written."""
    parts = (part.strip().lower() for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))
