"""Invariant 4: a half-empty credential is never sent.

``Bearer {{ token }}`` renders as ``Bearer `` when the token is missing, and such a header may be taken for a valid one,
or send a caller's request on under nobody's name. So a credential header whose rendering printed an empty value read
from a header is refused if something else stands beside the value, or if the value should have come from the key's
Secret. Other headers follow Gloo: an empty rendering removes them.
"""

from __future__ import annotations

from wardgate.field_names import fold


def is_half_empty(text: str, hollow: frozenset[str], *, metadata_headers: frozenset[str]) -> bool:
    """Judge a rendering. ``hollow``: the headers whose empty values it printed; ``metadata_headers`` are folded."""
    return bool(hollow) and (bool(text) or not metadata_headers.isdisjoint(map(fold, hollow)))
