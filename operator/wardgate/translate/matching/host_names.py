"""Host names of listeners, route tables and external services: ``api.example.com``, ``*.example.com`` or ``*``.

A wildcard stands for the whole left-most part and at least one label. Two patterns either exclude each other, or one
lies within the other: then the narrower one is the hosts that both allow.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

ANY: Final = "*"

_LABEL: Final = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
MAX_NAME: Final = 253


def normal(host: str) -> str:
    """The host in lower case, without the root's dot."""
    return host.strip().lower().removesuffix(".")


def is_dns_name(host: str) -> bool:
    """Whether ``host`` (normal) could be looked up."""
    return len(host) <= MAX_NAME and _NAME.fullmatch(host) is not None


def is_ip(host: str) -> bool:
    """Whether ``host`` is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_wildcard(host: str) -> bool:
    """Whether ``host`` is ``*`` or ``*.suffix``."""
    return host.startswith("*")


def is_pattern(host: str) -> bool:
    """Whether ``host`` (normal) is a name, an address, ``*.suffix`` or ``*``."""
    return host == ANY or is_ip(host) or is_dns_name(host.removeprefix("*."))


def covers(pattern: str, host: str) -> bool:
    """Whether ``pattern`` includes every name that ``host`` stands for."""
    if pattern in (ANY, host):
        return True
    return pattern.startswith("*.") and host.removeprefix("*").endswith(pattern[1:]) and host != pattern[2:]


def common(first: str, second: str) -> str | None:
    """The narrower of two patterns of which one covers the other; None where they exclude each other."""
    if covers(first, second):
        return second
    return first if covers(second, first) else None


def narrowness(pattern: str) -> int:
    """Sort key for patterns that lie within one another: the narrower, the greater."""
    if pattern == ANY:
        return 0
    return 2 * (pattern.removeprefix("*.").count(".") + 1) + (not is_wildcard(pattern))


def wider(host: str) -> list[str]:
    """The patterns other than ``host`` that cover it, the narrowest first."""
    if host == ANY:
        return []
    labels = host.removeprefix("*.").split(".")
    return [f"*.{'.'.join(labels[start:])}" for start in range(1, len(labels)) if not is_ip(host)] + [ANY]
