"""How values of options are read: ports, addresses, destinations. Every reader raises ``typer.BadParameter``."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Final, NamedTuple

import typer

_HOST: Final = re.compile(r"[0-9A-Za-z]([-._0-9A-Za-z]*[0-9A-Za-z])?")


class PortMapping(NamedTuple):
    """A listener's port, and the one to bind in its place."""

    listener: int
    bound: int


class Pin(NamedTuple):
    """A destination as the manifests name it, and what to dial in its place."""

    name: str
    address: str


def parse_port_mapping(text: str | PortMapping) -> PortMapping:
    """Read ``80=8080``."""
    if isinstance(text, PortMapping):
        return text
    listener, _, bound = text.partition("=")
    if not bound:
        raise typer.BadParameter(f'"{text}" is not LISTENER=PORT, for example 80=8080.')
    return PortMapping(_port(listener), _port(bound, lowest=0))


def parse_pin(text: str | Pin) -> Pin:
    """Read ``api.openai.com:443=127.0.0.1:8443``."""
    if isinstance(text, Pin):
        return text
    name, _, address = text.partition("=")
    host, _, port = name.rpartition(":")
    ip, _, target_port = address.rpartition(":")
    if not host or not ip:
        raise typer.BadParameter(f'"{text}" is not HOST:PORT=ADDR:PORT, for example api.openai.com:443=127.0.0.1:8443.')
    if _HOST.fullmatch(host) is None:
        raise typer.BadParameter(f'"{host}" is not a host name.')
    try:
        ipaddress.ip_address(ip.strip("[]"))
    except ValueError as error:
        raise typer.BadParameter(f'"{ip}" is not an IP address; put one on the right of "=".') from error
    return Pin(f"{host.lower().rstrip('.')}:{_port(port)}", f"{ip.strip('[]')}:{_port(target_port)}")


def parse_bind(text: str) -> str:
    """Read an address to listen on; ``*`` stands for all of this machine, IPv6 and IPv4."""
    if text == "*":
        return "::" if _has_ipv6() else "0.0.0.0"  # noqa: S104 - all is what was asked for
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError as error:
        raise typer.BadParameter(f'"{text}" is not an IP address; use 127.0.0.1, or * for all.') from error


def parse_binds(text: str) -> str:
    """Read addresses to listen on, separated by commas."""
    return ",".join(dict.fromkeys(parse_bind(part.strip()) for part in text.split(",")))


def _has_ipv6() -> bool:
    """Whether this machine's kernel has IPv6 at all; then a socket of it takes both, whatever networks there are."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def parse_admin(text: str) -> str:
    """Read ``ADDR:PORT``, or ``none``."""
    if text in {"", "none"}:
        return ""
    address, _, port = text.rpartition(":")
    if not address:
        raise typer.BadParameter(f'"{text}" is not ADDR:PORT, for example 127.0.0.1:9901, or "none".')
    bound = parse_bind(address)
    return f"[{bound}]:{_port(port, lowest=0)}" if ":" in bound else f"{bound}:{_port(port, lowest=0)}"


def _port(text: str, *, lowest: int = 1) -> int:
    if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= 65535:
        raise typer.BadParameter(f'"{text}" is not a port; ports are {lowest} to 65535.')
    return int(text)
