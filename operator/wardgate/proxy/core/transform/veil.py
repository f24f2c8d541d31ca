"""A veil over a message that carries another owner's token: to a tenant's templates the token is absent.

The hidden parts are known before any request (``routing.derived``). Behind a veil a transformation still sets, appends
and removes what it likes; it reads nothing of them, neither in a request nor, through ``request_header``, in a
response.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from wardgate.inja.values import JsonValue
from wardgate.proxy.core.fields.folded import fold, without
from wardgate.proxy.core.messages import Request
from wardgate.proxy.core.transform.message_view import MessageView

_TARGET = frozenset({b":path", b":authority", b":method"})
_ALSO = {b"host": b":authority", b":authority": b"host"}
"""A header that has a second name."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """Hidden parts of one message: headers by their folded names, pseudo-headers among them, and its body."""

    names: frozenset[bytes] = frozenset()
    body: bool = False


@dataclass(frozen=True, slots=True)
class Veil:
    """The hidden parts of an exchange. ``metadata``: values of dynamic metadata, by namespace and key."""

    request: Hidden
    response: Hidden = Hidden()
    metadata: frozenset[tuple[str, str]] = frozenset()

    @property
    def hides_target(self) -> bool:
        """Whether even the request's path, host or method may give something away."""
        return not self.request.names.isdisjoint(_TARGET)

    def visible(self, metadata: Mapping[str, Mapping[str, JsonValue]]) -> dict[str, dict[str, JsonValue]]:
        """Return the dynamic metadata that is not hidden."""
        return {
            namespace: {key: value for key, value in values.items() if (namespace, key) not in self.metadata}
            for namespace, values in metadata.items()
        }

    def request_behind(self, request: Request) -> Request:
        """Return the request as a matcher of a tenant's may see it; its query is part of ``:path``."""
        query = None if b":path" in self.request.names else request.query
        return replace(request, headers=without(request.headers, self.request.names), query=query)


class VeiledView:
    """A message behind a veil; see ``MessageView``."""

    __slots__ = ("_hidden", "_view")

    def __init__(self, view: MessageView, hidden: Hidden) -> None:
        self._view = view
        self._hidden = hidden

    @property
    def header_count(self) -> int:
        """Number of header fields, hidden ones included."""
        return self._view.header_count

    @property
    def body(self) -> bytes | None:
        """The body; None where it is hidden."""
        return None if self._hidden.body else self._view.body

    @body.setter
    def body(self, body: bytes | None) -> None:
        self._view.body = body

    def first(self, name: bytes) -> bytes | None:
        """See ``MessageView``."""
        return None if fold(name) in self._hidden.names else self._view.first(name)

    def replace(self, name: bytes, value: bytes) -> bool:
        """See ``MessageView``."""
        return self._view.replace(name, value)

    def append(self, name: bytes, value: bytes) -> bool:
        """See ``MessageView``."""
        return self._view.append(name, value)

    def remove(self, name: bytes) -> None:
        """See ``MessageView``."""
        self._view.remove(name)


def names_of(name: bytes) -> set[bytes]:
    """Return all names under which a header can be read; folded."""
    folded = fold(name)
    return {folded, _ALSO.get(folded, folded)}
