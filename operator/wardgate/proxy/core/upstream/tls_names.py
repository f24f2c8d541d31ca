"""Names of a certificate, compared with the ones that we ask for.

Only subject alternative names count (RFC 9525): DNS names, where a wildcard stands for exactly one whole left-most
label and at least two labels follow it, and IP addresses, which are compared as addresses and never by wildcard. The
common name is not looked at. The TLS library has verified the chain before this is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address


def carries_one_of(alt_names: Iterable[tuple[str, str]], names: Iterable[str]) -> bool:
    """Compare a certificate's names with the wanted ones.

    ``alt_names`` are pairs as ``ssl.SSLSocket.getpeercert()["subjectAltName"]`` has them: ``("DNS", "example.com")``,
    ``("IP Address", "192.0.2.1")``.
    """
    carried = list(alt_names)
    return any(_carries(carried, name) for name in names)


def _carries(alt_names: list[tuple[str, str]], name: str) -> bool:
    address = _address(name)
    if address is not None:
        return any(kind == "IP Address" and _address(value) == address for kind, value in alt_names)
    wanted = _labels(name)
    return any(kind == "DNS" and _matches(_labels(value), wanted) for kind, value in alt_names)


def _matches(pattern: list[str], wanted: list[str]) -> bool:
    if len(pattern) != len(wanted) or not all(wanted) or "*" in wanted:
        return False
    if pattern[0] == "*":
        return len(pattern) > 2 and pattern[1:] == wanted[1:]
    return pattern == wanted


def _labels(name: str) -> list[str]:
    return name.lower().removesuffix(".").split(".")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip().removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
