"""A config as JSON that anyone may see: secret material shows as ``<redacted>``, credentials and tokens not at all."""

from __future__ import annotations

import dataclasses
from typing import Final

from wardgate.sensitive import Sensitive

_UNSHOWN: Final = frozenset({"credentials", "token_sources"})


def redacted(value: object) -> object:
    """Turn dataclasses into JSON-ready values. Whatever type is not known shows as its name only."""
    if isinstance(value, Sensitive):
        return repr(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: redacted(getattr(value, field.name)) for field in fields if field.name not in _UNSHOWN}
    if isinstance(value, tuple | list):
        return [redacted(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return type(value).__name__
