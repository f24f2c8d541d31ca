"""Secret material as a type: what a log, a traceback or a crash report shows of it is always ``<redacted>``.

Invariant 7 of ARCHITECTURE.md rests on this type: a provider's token, an HMAC shared secret or a private key is
wrapped where it is first read and unwrapped only where it is put on a wire. It deliberately does not try to wipe
memory: Python cannot promise that.
"""

from __future__ import annotations

import hmac
from typing import final

_MASK = "<redacted>"


@final
class Sensitive:
    """Text nobody may see by accident. ``reveal()`` is the one way out, easy to search for in a review."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return _MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sensitive):
            return NotImplemented
        return hmac.compare_digest(self._encoded(), other._encoded())

    def __hash__(self) -> int:
        return hash((Sensitive, self._text))

    def __len__(self) -> int:
        return len(self._text)

    def __reduce__(self) -> str:
        msg = "Sensitive text is not pickled: a pickle would hold it in clear."
        raise TypeError(msg)

    def _encoded(self) -> bytes:
        # surrogatepass: an encoding error would carry the text itself, in clear.
        return self._text.encode("utf-8", "surrogatepass")
