"""Networks of callers, made ready once for all that name the same ones."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

_REMEMBERED: Final = 1024
"""Lists that keys have in common: ten thousand keys mostly name a few."""


class Networks:
    """A list of networks. One that cannot be read holds nobody."""

    __slots__ = ("_networks",)

    def __init__(self, texts: tuple[str, ...]) -> None:
        found: list[IPv4Network | IPv6Network] = []
        for text in texts:
            try:
                found.append(ip_network(text, strict=False))
            except ValueError:
                continue
        self._networks = tuple(found)

    def hold(self, address: str) -> bool:
        """Whether an address is in one of them; a text that is none, such as an empty one, is in no network."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


@lru_cache(maxsize=_REMEMBERED)
def networks_of(texts: tuple[str, ...]) -> Networks:
    """Return the networks of a list; mostly the same object for the same list."""
    return Networks(texts)
