"""Invariant 12: addresses that may not be dialled.

Asked at every connect, with the address that is dialled, after resolution: a name that resolves to something else the
second time gains nothing. An address is judged in all of its meanings: an IPv6 address that carries an IPv4 address
(mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP) is refused if either is. The order: what is denied as
address and port, what the installation denies, what it allows, then the rules. Pinned addresses are exempt and never
asked about.

Private, shared (100.64.0.0/10), unique local and reserved (240.0.0.0/4) networks are not refused: clusters have their
pods there. Nor are the prefixes that a network chooses for itself, for NAT64 or 6rd: nobody else can know them. An
installation denies what it does not want of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from wardgate.ir import Guard

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_METADATA_SERVICES = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, GCP, Azure, OpenStack, DigitalOcean
        "169.254.169.253",  # AWS: resolver
        "169.254.169.123",  # AWS: time
        "169.254.170.2",  # AWS: credentials of ECS tasks
        "169.254.170.23",  # AWS: EKS pod identity
        "169.254.0.23",  # Tencent
        "fd00:ec2::254",  # AWS
        "fd00:ec2::253",
        "fd00:ec2::123",
        "fd00:ec2::23",
        "fd20:ce::254",  # GCP
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure
        "192.0.0.192",  # Oracle
    )
)
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
_BROADCAST = IPv4Address("255.255.255.255")
_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
"""SIIT's form before RFC 6145 (RFC 2765, 2.1), which stacks with a translator still take."""
_ISATAP = 0x5EFE
_ISATAP_BITS = 0xFCFFFFFF
"""The upper half of an interface identifier but for its universal and group bits (RFC 5214, 6.1)."""


class AddressRules:
    """The rules of one installation.

    ``own``: where the proxy itself listens, as (address, port); an unspecified address stands for every address of
    this host, which are the loopback ones and those that ``is_local`` says yes to. A guard that cannot be read refuses
    everything.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        own: Iterable[tuple[str, int]] = (),
        is_local: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._readable = True
        self._allow_loopback = guard.allow_loopback
        self._allowed = self._networks(guard.allow_cidrs)
        self._denied = self._networks(guard.deny_cidrs)
        self._denied_endpoints = frozenset(self._endpoints(guard.denied_addresses))
        self._own, self._own_anywhere = self._split_own(own)
        self._is_local = is_local

    def refusal(self, address: str, port: int) -> str | None:
        """Say why this address may not be dialled; None: it may."""
        parsed = _parse(address)
        if parsed is None:
            return "it is not an IP address"
        if not self._readable:
            return "the guard of this installation cannot be read"
        for meaning in _meanings(parsed):
            reason = self._endpoint_refusal(meaning, port) or self._network_refusal(meaning)
            if reason is not None:
                return reason
        return None

    def _endpoint_refusal(self, address: Address, port: int) -> str | None:
        if (address, port) in self._denied_endpoints:
            return "it is denied by the gateway's config"
        if (address, port) in self._own:
            return "the gateway itself listens there"
        if port in self._own_anywhere and (
            address.is_loopback or address.is_unspecified or self._is_local(str(address))
        ):
            return "the gateway itself listens there"
        return None

    def _network_refusal(self, address: Address) -> str | None:
        if _within(address, self._denied):
            return "the installation denies its network"
        if _within(address, self._allowed):
            return None
        if address.is_loopback:
            return None if self._allow_loopback else "it is a loopback address"
        return _rule_refusal(address)

    def _networks(self, texts: Iterable[str]) -> tuple[Network, ...]:
        networks: list[Network] = []
        for text in texts:
            try:
                networks.append(ip_network(text, strict=False))
            except ValueError:
                self._readable = False
        return tuple(networks)

    def _endpoints(self, texts: Iterable[str]) -> Iterator[tuple[Address, int]]:
        for text in texts:
            host, _, port = text.rpartition(":")
            address = _parse(host)
            if address is None or not (port.isascii() and port.isdigit()):
                self._readable = False
            else:
                yield _canonical(address), int(port)

    def _split_own(self, own: Iterable[tuple[str, int]]) -> tuple[frozenset[tuple[Address, int]], frozenset[int]]:
        exact: set[tuple[Address, int]] = set()
        anywhere: set[int] = set()
        for text, port in own:
            address = _parse(text)
            if address is None or address.is_unspecified:
                anywhere.add(port)
            else:
                exact.add((_canonical(address), port))
        return frozenset(exact), frozenset(anywhere)


_KINDS: tuple[tuple[str, Callable[[Address], bool]], ...] = (
    ("an unspecified", lambda address: address.is_unspecified or _within(address, (_THIS_NETWORK,))),
    ("a link-local", lambda address: address.is_link_local),
    ("a site-local", lambda address: isinstance(address, IPv6Address) and address.is_site_local),
    ("a multicast", lambda address: address.is_multicast),
    ("the broadcast", lambda address: address == _BROADCAST),
)


def _rule_refusal(address: Address) -> str | None:
    if address in _METADATA_SERVICES:
        return "it is a cloud's metadata service"
    return next((f"it is {kind} address" for kind, holds in _KINDS if holds(address)), None)


def _meanings(address: Address) -> list[Address]:
    """List the address and every IPv4 address that it carries."""
    canonical = _canonical(address)
    if not isinstance(canonical, IPv6Address):
        return [canonical]
    return [canonical, *_carried(canonical)]


def _carried(address: IPv6Address) -> Iterator[IPv4Address]:
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _LOCAL_NAT64:
        yield from (inside for inside in _nat64_inside(address) if inside not in _THIS_NETWORK)
    if address in _TRANSLATED or (int(address) >> 32) & _ISATAP_BITS == _ISATAP:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _COMPATIBLE and int(address) > 1:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _nat64_inside(address: IPv6Address) -> Iterator[IPv4Address]:
    """Read the IPv4 address wherever RFC 6052 puts it: a network chooses its prefix's length, we cannot know which.

    Prefixes of 48, 56 and 64 bits put it around the byte 8, which is always zero; that of 96 bits at the end.
    """
    octets = address.packed
    for start in (6, 7, 8):
        yield IPv4Address(bytes(octets[index] for index in range(start, start + 5) if index != 8))
    yield IPv4Address(octets[12:])


def _canonical(address: Address) -> Address:
    """Return the IPv4 address of a mapped one, which is the same endpoint; otherwise the address without its zone."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address))
    return address


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _parse(text: str) -> Address | None:
    try:
        return ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
