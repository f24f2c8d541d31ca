"""Fields of one connection as they came, for templates and matchers to read; none is sent on as it came.

``Content-Length``, ``Transfer-Encoding``, ``Connection``, ``TE``, ``Upgrade`` and their like end at this hop
(``field_names.PROXY_WRITTEN``), so they are kept apart from the headers that go on. A template that sets one is cut out
when it is compiled, and whatever is written to a wire passes ``framing``, which drops these names in every spelling.

A message holds a reference to the fields that its reader has sorted out anyway; the first reader of a field pays for
folding, and for the search for copies of a key (invariant 3): a caller may put the key here too.
"""

from __future__ import annotations

from collections.abc import Iterable

from wardgate.proxy.core.fields.folded import fold
from wardgate.proxy.core.fields.key_copies import holds
from wardgate.proxy.core.grammar import PROXY_WRITTEN
from wardgate.proxy.core.messages import Request


def is_of_connection(name: bytes) -> bool:
    """Whether the field, lower case and in whatever spelling, ends at this hop."""
    return name in PROXY_WRITTEN


def first_of_connection(request: Request, name: bytes) -> bytes | None:
    """Return the first value of a field in this spelling; None if it is absent, or a copy of an accepted key."""
    return next(iter(_shown(request, request.connection_fields.get(name, ()))), None)


def all_of_connection(request: Request, folded: bytes) -> bytes | None:
    """Return all values of a field in every spelling, joined by commas; None if it is absent."""
    given = [value for name, values in request.connection_fields.items() if fold(name) == folded for value in values]
    values = _shown(request, given)
    return b",".join(values) if values else None


def _shown(request: Request, values: Iterable[bytes]) -> list[bytes]:
    return [value for value in values if not any(holds(value, key) for key in request.hidden_keys)]
