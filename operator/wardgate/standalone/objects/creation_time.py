"""``metadata.creationTimestamp`` of a manifest, in the one form in which the API server writes it.

Exported manifests carry it, and whatever goes by age in a cluster (which policy guards a route, whose key counts) then
goes by it in a folder too. Text in that one form sorts by time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

# The "t" and "z" that RFC 3339 allows as well are left out: the API server does not read them.
_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def creation_time(metadata: Mapping[str, object]) -> str | None:
    """The time in UTC, to the second; None where it cannot be read.

    Empty where there is none. Null is none: ``kubectl create --dry-run=client`` writes it.
    """
    given = metadata.get("creationTimestamp")
    if given is None:
        return ""
    match = _RFC_3339.fullmatch(given) if isinstance(given, str) else None
    if match is None:
        return None
    time, offset = match.groups()
    try:
        moment = datetime.fromisoformat(time + ("+00:00" if offset == "Z" else offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return f"{moment.replace(tzinfo=None).isoformat()}Z"
