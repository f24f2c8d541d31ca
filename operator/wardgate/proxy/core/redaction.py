"""Secrets taken out of texts that are shown: errors of templates, and the request in the access log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import unquote_to_bytes

from wardgate.text_codec import from_bytes

REDACTED = "<redacted>"
_SHORTEST_SECRET = 4
"""Bytes. A shorter text hides nothing, and taking it out would garble every text."""


def is_long_enough(secret: bytes) -> bool:
    """Whether a secret is looked for in texts."""
    return len(secret) >= _SHORTEST_SECRET


def redact(text: str, secrets: Iterable[bytes]) -> str:
    """Replace secrets wherever they stand in a text, the longest first."""
    held = [secret for secret in secrets if is_long_enough(secret) and from_bytes(secret) in text]
    for secret in sorted(held, key=len, reverse=True) if len(held) > 1 else held:
        text = text.replace(from_bytes(secret), REDACTED)
    return text


def redact_escaped(text: str, secrets: Sequence[bytes]) -> str:
    """Redact a path. One that holds a secret in percent-escapes is not shown at all."""
    shown = redact(text, secrets)
    if "%" not in shown:
        return shown
    plain = from_bytes(unquote_to_bytes(shown))
    return shown if redact(plain, secrets) == plain else REDACTED
