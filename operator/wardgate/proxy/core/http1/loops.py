"""The mark by which an installation knows a request that it has sent on before.

Every request that goes upstream carries ``CDN-Loop`` (RFC 8586) with the installation's name behind the names that it
came with; one that arrives with the name already in it has gone in a circle. The field is kept from templates and
matchers, so that no policy can take the mark off or read it, and a caller who writes the name fails alone. Why this
field, and whose name it is, is said in docs/decisions/0014.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from wardgate import field_names
from wardgate.proxy.core.grammar import members
from wardgate.proxy.core.messages import Header

FIELD: Final = field_names.LOOP_MARK.encode()
_DIGITS: Final = 16


class LoopMark:
    """One installation's mark. ``installation``: a text that its proxies share; only a part of its hash is sent."""

    __slots__ = ("_alone", "_name")

    def __init__(self, installation: str) -> None:
        self._name = b"wardgate-" + sha256(installation.encode()).hexdigest()[:_DIGITS].encode()
        self._alone = (FIELD, self._name)

    def is_in(self, values: Sequence[bytes]) -> bool:
        """Whether the installation's name is among those that a request came with."""
        return any(member.partition(b";")[0].rstrip(b" \t") == self._name for member in members(values))

    def after(self, values: Sequence[bytes]) -> Header:
        """Return the field for a request that came with these values."""
        return (FIELD, b", ".join((*values, self._name))) if values else self._alone
