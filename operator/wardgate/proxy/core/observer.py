"""Who wants to hear every decision about a request: ``wardgate render``. On the hot path there is nobody."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Told in the order in which things are decided. No call may change anything."""

    def decided(self, what: str, name: str, detail: str = "") -> None:
        """Hear a decision: ``what`` is a noun (``listener``, ``host``, ``route``, ``auth step``), ``name`` the one."""
        ...

    def header_set(self, name: str, value: bytes, *, by: str, secret: bool) -> None:
        """Hear of a header that ``by`` set; a ``secret`` value must not be shown."""
        ...

    def header_removed(self, name: str, *, by: str) -> None:
        """Hear of a header that ``by`` removed."""
        ...
