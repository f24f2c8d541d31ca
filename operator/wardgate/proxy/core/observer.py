"""An observer of every decision about a request, for ``wardgate render``. Requests that are served have none."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Is told of decisions in the order in which they are made. No call may change anything."""

    def decided(self, what: str, name: str, *, detail: str = "") -> None:
        """Hear a decision: ``what`` is a noun (``listener``, ``host``, ``route``, ``auth step``), ``name`` the one."""
        ...

    def header_set(self, name: str, value: bytes, *, by: str, secret: bool) -> None:
        """Hear of a header that ``by`` set; a ``secret`` value must not be shown."""
        ...

    def header_removed(self, name: str, *, by: str) -> None:
        """Hear of a header that ``by`` removed."""
        ...
