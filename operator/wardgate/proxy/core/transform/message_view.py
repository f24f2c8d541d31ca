"""A request or a response as transformations see it: headers and pseudo-headers under one set of names.

``host`` and ``:authority`` are the same header; ``:path`` holds the query too. A pseudo-header that a template renders
empty keeps its value, because no message goes without it. A value that could not be written on a wire, or would break
its framing there, is refused where it is set.
"""

from __future__ import annotations

import re
from typing import Protocol

from wardgate.proxy.core.fields.connection import first_of_connection, is_of_connection
from wardgate.proxy.core.fields.folded import drop, first_value
from wardgate.proxy.core.fields.forwarded import NAMES as FORWARDED
from wardgate.proxy.core.fields.forwarded import withdraw
from wardgate.proxy.core.fields.pseudo import FIXED, header_value, request_path
from wardgate.proxy.core.grammar import ORIGIN, UNSENDABLE, is_host, is_method
from wardgate.proxy.core.http1.methods import method_fault
from wardgate.proxy.core.http1.paths import read_target
from wardgate.proxy.core.messages import Header, HeaderList, Incoming, Request

_JOINED = FIXED | FORWARDED
_STATUS = re.compile(rb"[2-5][0-9][0-9]")


class MessageView(Protocol):
    """A message that a transformation reads and writes. Names are lower-case bytes."""

    body: bytes | None
    """None: not read (yet); empty: there is none."""

    @property
    def header_count(self) -> int:
        """Number of header fields."""
        ...

    def first(self, name: bytes) -> bytes | None:
        """Return a header's first value; None if it is absent."""
        ...

    def replace(self, name: bytes, value: bytes) -> bool:
        """Remove all values, whatever the name's spelling, and add this one unless it is empty.

        False: the value cannot be sent.
        """
        ...

    def append(self, name: bytes, value: bytes) -> bool:
        """Add one more value unless it is empty; False: the value cannot be sent."""
        ...

    def remove(self, name: bytes) -> None:
        """Remove all values, whatever the name's spelling."""
        ...


class RequestView:
    """A request and the body that was read of it."""

    __slots__ = ("body", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.body: bytes | None = None if request.has_body else b""

    @property
    def header_count(self) -> int:
        """See ``MessageView``."""
        return len(self.request.headers)

    def first(self, name: bytes) -> bytes | None:
        """See ``MessageView``."""
        if name in _JOINED:
            return header_value(self.request, name)
        if is_of_connection(name):
            return first_of_connection(self.request, name)
        return first_value(self.request.headers, name)

    def replace(self, name: bytes, value: bytes) -> bool:
        """See ``MessageView``."""
        if name in FIXED:
            return not value or self._set_fixed(name, value)
        if name in ORIGIN:
            withdraw(self.request, name)
        drop(self.request.headers, name)
        return self.append(name, value)

    def append(self, name: bytes, value: bytes) -> bool:
        """See ``MessageView``."""
        if name in FIXED:
            return self.replace(name, value)
        return _add(self.request.headers, (name, value))

    def remove(self, name: bytes) -> None:
        """See ``MessageView``."""
        if name not in FIXED:
            if name in ORIGIN:
                withdraw(self.request, name)
            drop(self.request.headers, name)

    def _set_fixed(self, name: bytes, value: bytes) -> bool:
        if name == b":path":
            return self._set_path(value)
        if name == b":method":
            if not is_method(value) or method_fault(value) is not None:
                return False
            self.request.method = value
            return True
        if name in (b":authority", b"host"):
            if not is_host(value):
                return False
            self.request.authority = value
        return True

    def _set_path(self, value: bytes) -> bool:
        if value == request_path(self.request):
            return True
        target = read_target(value, method=self.request.method)
        if target is None or target.authority is not None:
            return False
        self.request.path = target.path
        self.request.query = target.query
        return True


class ResponseView:
    """A response, or an answer of the gateway's own, on its way back."""

    __slots__ = ("_incoming",)

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming

    @property
    def header_count(self) -> int:
        """See ``MessageView``."""
        return len(self._incoming.headers)

    @property
    def body(self) -> bytes | None:
        """See ``MessageView``."""
        return self._incoming.body

    @body.setter
    def body(self, body: bytes | None) -> None:
        self._incoming.body = body

    def first(self, name: bytes) -> bytes | None:
        """See ``MessageView``."""
        if name == b":status":
            return b"%d" % self._incoming.status
        if is_of_connection(name):
            return first_value(self._incoming.arrived, name)
        return first_value(self._incoming.headers, name)

    def replace(self, name: bytes, value: bytes) -> bool:
        """See ``MessageView``."""
        if name == b":status":
            return not value or self._set_status(value)
        if name in FIXED:
            return True
        drop(self._incoming.headers, name)
        return _add(self._incoming.headers, (name, value))

    def append(self, name: bytes, value: bytes) -> bool:
        """See ``MessageView``."""
        if name in FIXED:
            return self.replace(name, value)
        return _add(self._incoming.headers, (name, value))

    def remove(self, name: bytes) -> None:
        """See ``MessageView``."""
        drop(self._incoming.headers, name)

    def _set_status(self, value: bytes) -> bool:
        if _STATUS.fullmatch(value) is None:
            return False
        self._incoming.status = int(value)
        return True


def _add(headers: HeaderList, field: Header) -> bool:
    value = field[1]
    if UNSENDABLE.search(value) is not None:
        return False
    if value:
        headers.append(field)
    return True
