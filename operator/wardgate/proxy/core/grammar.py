"""The words of HTTP, each rule once."""

from __future__ import annotations

import re

_HOST = re.compile(rb"(?:[0-9A-Za-z._~%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_NOT_IN_A_PATH = re.compile(rb"[\x00-\x20\x7f#]")


def is_host(authority: bytes) -> bool:
    """Whether this is a name or an address with an optional port, and so fit for a Host header."""
    return _HOST.fullmatch(authority) is not None


def is_sendable_path(path: bytes) -> bool:
    """Whether a path may stand in a request line; a query in it is none of this function's business."""
    return _NOT_IN_A_PATH.search(path) is None
