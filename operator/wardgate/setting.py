"""A setting, stated once: at its field stand its default, and how its value is written or which option sets it.

The command line makes ``--set`` and its messages of what stands there (``cli/assignments``). A form knows nothing of
the setting it belongs to: whoever reads with it says which one was wrong.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

_Number = TypeVar("_Number", int, float)
_Value = TypeVar("_Value")

FORM: Final = "form"
OPTION: Final = "option"
"""Keys of a field's metadata."""

LARGEST_COUNT: Final = 10**9
_LARGEST_SIZE: Final = 1 << 40
_LARGEST_SECONDS: Final = 1_000_000
_UNITS: Final = {"": 1, "k": 1000, "ki": 1 << 10, "m": 10**6, "mi": 1 << 20, "g": 10**9, "gi": 1 << 30}
_SIZE: Final = re.compile(r"([0-9]{1,13})\s*([a-zA-Z]*)")
_COUNT: Final = re.compile(r"[0-9]{1,10}")
_SECONDS: Final = re.compile(r"[0-9]{1,7}(\.[0-9]{1,6})?")
_FRACTION: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,9})?")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_LAST_PORT: Final = 65535
_PROTOCOL: Final = re.compile(r"[a-z][-a-z0-9./]{0,63}")
_HTTP: Final = ("h2", "h3", "http", "tls")
"""Beginnings of the names of HTTP in its other forms."""
_DNS_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_LABEL_WORD: Final = r"[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_LABEL: Final = re.compile(rf"((?:{_DNS_LABEL}(?:\.{_DNS_LABEL})*/)?{_LABEL_WORD})=((?:{_LABEL_WORD})?)")


@dataclass(frozen=True, slots=True)
class ValueForm:
    """``expected`` completes "takes ..."; ``read`` raises ValueError for what is written otherwise."""

    expected: str
    read: Callable[[str], object]


def setting(default: _Value, form: ValueForm) -> _Value:
    """Return a dataclass field that ``--set NAME=VALUE`` sets, written in this form."""
    return field(default=default, metadata={FORM: form})


def by_option(default: _Value, option: str) -> _Value:
    """Return a dataclass field that an option of its own sets, and ``--set`` does not: there is one way to set each."""
    return field(default=default, metadata={OPTION: option})


def count(*, lowest: int = 1, highest: int = LARGEST_COUNT) -> ValueForm:
    """Return the form of a whole number within bounds."""

    def read(text: str) -> int:
        return _bounded(int(_matched(_COUNT, text)[0]), lowest=lowest, highest=highest)

    return ValueForm(f"a whole number from {lowest} to {highest}", read)


def seconds(*, lowest: float = 0.001, highest: float = _LARGEST_SECONDS) -> ValueForm:
    """Return the form of a time, which is read as a float."""

    def read(text: str) -> float:
        return _bounded(float(_matched(_SECONDS, text)[0]), lowest=lowest, highest=highest)

    return ValueForm(f"seconds such as 2.5, from {lowest:g} to {highest:.0f}", read)


def read_size(text: str) -> int:
    """Read a number of bytes: ``1048576``, ``10MiB``, ``64k``."""
    match = _matched(_SIZE, text)
    unit = _UNITS.get(match[2].lower().removesuffix("b"), 0)
    return _bounded(int(match[1]) * unit, lowest=1, highest=_LARGEST_SIZE)


def _read_config_size(text: str) -> int:
    return _bounded(read_size(text), lowest=1, highest=1 << 26)


def _read_fraction(text: str) -> float:
    return _bounded(float(_matched(_FRACTION, text)[0]), lowest=0.0, highest=1.0)


def _read_flag(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def _read_networks(text: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(one.strip())) for one in text.split(","))


def _read_endpoints(text: str) -> tuple[str, ...]:
    return tuple(_read_endpoint(one.strip()) for one in text.split(","))


def _read_port(text: str) -> int:
    return _bounded(int(_matched(_PORT, text)[0]), lowest=1, highest=_LAST_PORT)


def _read_ports(text: str) -> frozenset[int]:
    return frozenset(_read_port(one.strip()) for one in text.split(","))


def _read_protocols(text: str) -> tuple[str, ...]:
    """``none`` is none at all. HTTP in another form would pass no authentication."""
    names = tuple(_matched(_PROTOCOL, one.strip().lower())[0] for one in text.split(","))
    if any(name.startswith(_HTTP) for name in names) or (len(names) > 1 and "none" in names):
        raise ValueError(text)
    return () if names == ("none",) else names


def _read_endpoint(text: str) -> str:
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    address = ipaddress.ip_address(host[1:-1] if bracketed else host)
    if bracketed != (address.version == 6):
        raise ValueError(text)  # without brackets nobody can tell where an IPv6 address ends
    number = _read_port(port)
    return f"[{address}]:{number}" if bracketed else f"{address}:{number}"


def _read_labels(text: str) -> dict[str, str]:
    matches = [_matched(_LABEL, one.strip()) for one in text.split(",")]
    return {key: value for key, _, value in (match[0].partition("=") for match in matches)}


def _pattern(expected: str, pattern: str) -> ValueForm:
    compiled = re.compile(pattern)
    return ValueForm(expected, lambda text: _matched(compiled, text)[0])


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return match


def _bounded(value: _Number, *, lowest: _Number, highest: _Number) -> _Number:
    if not lowest <= value <= highest:
        raise ValueError(value)
    return value


SIZE: Final = ValueForm("a size such as 128KiB, from 1 byte to 1024GiB", read_size)
CONFIG_SIZE: Final = ValueForm("a size such as 32MiB, from 1 byte to 64MiB", _read_config_size)
"""A proxy puts a group of so many bytes together at most, and one group may be nearly all of a config."""
FRACTION: Final = ValueForm("a part such as 0.05, from 0 to 1", _read_fraction)
FLAG: Final = ValueForm("true or false", _read_flag)
NETWORKS: Final = ValueForm(
    "networks such as 10.0.0.0/8, with no address bits behind the prefix and with commas between them", _read_networks
)
ENDPOINTS: Final = ValueForm(
    "addresses such as 10.96.0.1:443 or [fd00::1]:443, with commas between them", _read_endpoints
)
PORT: Final = ValueForm(f"a port from 1 to {_LAST_PORT}", _read_port)
PORTS: Final = ValueForm(f"ports from 1 to {_LAST_PORT}, with commas between them", _read_ports)
PROTOCOLS: Final = ValueForm(
    'names of protocols such as websocket, with commas between them, or "none"; another HTTP (h2c) is never one',
    _read_protocols,
)
LABELS: Final = ValueForm("labels such as app=istio-ingressgateway, with commas between them", _read_labels)
NAME: Final = _pattern('a name of letters, digits, "-", "." and "_"', _LABEL_WORD)
NAMESPACE: Final = _pattern("the name of a namespace", _DNS_LABEL)
DOMAIN: Final = _pattern("a domain such as cluster.local", rf"{_DNS_LABEL}(\.{_DNS_LABEL})*")
