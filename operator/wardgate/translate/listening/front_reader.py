"""Reads the annotations of a VirtualGateway about the proxies in front of it.

One that cannot be read makes the gateway INVALID, so that its last good form goes on: a guess would believe a stranger
what only a proxy may say, or turn every caller away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from wardgate.api.kinds.annotations import (
    PROXY_PROTOCOL,
    TRUSTED_HOPS,
    TRUSTED_PROXIES,
    AnnotationError,
    parse_hops,
    parse_networks,
    parse_ports,
)
from wardgate.ir import FrontProxies
from wardgate.problems import FieldPath, ObjectRef, Reason
from wardgate.translate.findings import Findings

_ValueT = TypeVar("_ValueT")


@dataclass(frozen=True, slots=True)
class GatewayFront:
    """The proxies in front of a gateway. ``proxy_protocol``: on all ports, on none, or on these."""

    trusted_hops: int = 0
    proxy_protocol: bool | tuple[int, ...] = False
    trusted_networks: tuple[str, ...] = ()

    def of(self, port: int) -> FrontProxies:
        """The proxies in front of one port."""
        on = self.proxy_protocol if isinstance(self.proxy_protocol, bool) else port in self.proxy_protocol
        # Where nobody is believed there is nobody to choose among.
        networks = self.trusted_networks if on or self.trusted_hops else ()
        return FrontProxies(self.trusted_hops, on, networks)


@dataclass(frozen=True, slots=True)
class FrontReader:
    """Reads the annotations of one gateway; problems go to ``findings``."""

    ref: ObjectRef
    findings: Findings

    def read(self, annotations: Mapping[str, str]) -> GatewayFront | None:
        """The proxies that they name; None where one of them cannot be read."""
        hops = self._value(TRUSTED_HOPS, parse_hops(annotations.get(TRUSTED_HOPS, "0")))
        ports = self._ports(annotations.get(PROXY_PROTOCOL, "false"))
        written = annotations.get(TRUSTED_PROXIES)
        networks = () if written is None else self._value(TRUSTED_PROXIES, parse_networks(written))
        if hops is None or ports is None or networks is None:
            return None
        if networks and not hops and not ports:
            self._useless()
        return GatewayFront(hops, ports, networks)

    def check(self, front: GatewayFront, *, ports: set[int]) -> None:
        """Report ports that the gateway does not have: a typing mistake would leave the right one without."""
        asked = () if isinstance(front.proxy_protocol, bool) else front.proxy_protocol
        for port in asked:
            if port not in ports:
                message = (
                    f"The annotation {PROXY_PROTOCOL} of {self.ref} names port {port}, on which the gateway has no "
                    "listener. Name a port of spec.listeners."
                )
                self.findings.error(self.ref, Reason.INVALID, message=message, field=_path(PROXY_PROTOCOL))

    def _ports(self, text: str) -> bool | tuple[int, ...] | None:
        ports = parse_ports(text)
        if isinstance(ports, AnnotationError):
            return self._value(PROXY_PROTOCOL, ports)
        return ports

    def _value(self, name: str, value: _ValueT | AnnotationError) -> _ValueT | None:
        if not isinstance(value, AnnotationError):
            return value
        message = f"The annotation {name} of {self.ref} must be {value.expected}."
        self.findings.error(self.ref, Reason.INVALID, message=message, field=_path(name))
        return None

    def _useless(self) -> None:
        message = (
            f"The annotation {TRUSTED_PROXIES} of {self.ref} has no effect, because nothing is believed of proxies: "
            f"add {TRUSTED_HOPS} or {PROXY_PROTOCOL}, or remove it."
        )
        self.findings.warning(self.ref, Reason.NO_EFFECT, message=message, field=_path(TRUSTED_PROXIES))


def _path(name: str) -> FieldPath:
    return ("metadata", "annotations", name)
