"""The kinds that Wardgate serves, under the names that Kubernetes knows them by.

Three answers to "what is this?": one of our kinds; a stranger, whose group is not ours and which is left alone; or
something in a group of ours that we do not know, which is an error, because it is most likely a spelling mistake and
it may be meant to restrict something.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from wardgate.api.conditions import (
    ExtAuthPolicyStatus,
    ExtAuthServerStatus,
    ExternalEndpointStatus,
    ExternalServiceStatus,
    RouteTableStatus,
    Status,
    TransformationPolicyStatus,
    VirtualGatewayStatus,
)
from wardgate.api.ext_auth_policy import ExtAuthPolicy
from wardgate.api.ext_auth_server import ExtAuthServer
from wardgate.api.external_endpoint import ExternalEndpoint
from wardgate.api.external_service import ExternalService
from wardgate.api.model import KubernetesObject
from wardgate.api.route_table import RouteTable
from wardgate.api.transformation_policy import TransformationPolicy
from wardgate.api.virtual_gateway import VirtualGateway

_SECURITY: Final = "security.policy.gloo.solo.io"
_TRAFFIC: Final = "trafficcontrol.policy.gloo.solo.io"
_NETWORKING: Final = "networking.gloo.solo.io"
_ADMIN: Final = "admin.gloo.solo.io"
VERSION: Final = "v2"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. ``status`` is the model of what Wardgate writes under ``/status``."""

    kind: str
    group: str
    version: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    model: type[KubernetesObject]
    status: type[Status]

    @property
    def api_version(self) -> str:
        """As it stands in a manifest."""
        return f"{self.group}/{self.version}"


@dataclass(frozen=True, slots=True)
class Stranger:
    """Not of a group that Wardgate serves: left alone."""


@dataclass(frozen=True, slots=True)
class Passive:
    """A kind of the same API that Wardgate leaves alone, although its group is ours."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """In a group of ours, but no kind or version that we know. ``advice`` is a sentence."""

    advice: str


def _kind(model: type[KubernetesObject], status: type[Status], group: str, *, plural: str, short: str) -> Kind:
    name = model.__name__
    return Kind(
        kind=name,
        group=group,
        version=VERSION,
        plural=plural,
        singular=name.lower(),
        short_names=tuple(short.split()),
        model=model,
        status=status,
    )


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        kind.kind: kind
        for kind in (
            _kind(ExtAuthPolicy, ExtAuthPolicyStatus, _SECURITY, plural="extauthpolicies", short="extauth"),
            _kind(
                TransformationPolicy, TransformationPolicyStatus, _TRAFFIC, plural="transformationpolicies", short="tp"
            ),
            _kind(RouteTable, RouteTableStatus, _NETWORKING, plural="routetables", short="rt"),
            _kind(VirtualGateway, VirtualGatewayStatus, _NETWORKING, plural="virtualgateways", short="vg"),
            _kind(ExternalService, ExternalServiceStatus, _NETWORKING, plural="externalservices", short="es"),
            _kind(ExternalEndpoint, ExternalEndpointStatus, _NETWORKING, plural="externalendpoints", short="ep"),
            _kind(ExtAuthServer, ExtAuthServerStatus, _ADMIN, plural="extauthservers", short="ess eas"),
        )
    }
)
"""Every custom kind by name. Secrets are no custom kind: ``parse`` knows them."""

PASSIVE_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Workspace": _ADMIN,
        "WorkspaceSettings": _ADMIN,
        "GatewayLifecycleManager": _ADMIN,
        "RateLimitPolicy": _TRAFFIC,
    }
)
"""Kinds that stand beside ours in users' folders and have no effect here, by name; their group is the value."""

_GROUPS: Final = frozenset(kind.group for kind in KINDS.values())


def look_up(api_version: str, kind: str) -> Kind | Stranger | Passive | Unknown:
    """What an object's ``apiVersion`` and ``kind`` mean to Wardgate."""
    group = api_version.rpartition("/")[0]
    known = KINDS.get(kind)
    if group not in _GROUPS:
        return _stranger(group, known)
    if PASSIVE_KINDS.get(kind) == group:
        return Passive()
    if known is None:
        return Unknown(_advice_on_kind(kind, group))
    if known.api_version != api_version:
        what = "group" if known.group != group else "version of it"
        return Unknown(f"Wardgate knows no such {what}: write apiVersion: {known.api_version}.")
    return known


def _stranger(group: str, known: Kind | None) -> Stranger | Unknown:
    """A group one letter away from ours, with a kind of ours, is a spelling mistake and not a stranger."""
    if known is not None and difflib.get_close_matches(group, [known.group], cutoff=0.85):
        return Unknown(f"Wardgate knows no such group: write apiVersion: {known.api_version}.")
    return Stranger()


def _advice_on_kind(kind: str, group: str) -> str:
    here = sorted(known.kind for known in KINDS.values() if known.group == group)
    near = difflib.get_close_matches(kind, [*KINDS, *PASSIVE_KINDS], n=1, cutoff=0.6)
    if near:
        return f"Wardgate knows no such kind: did you mean {near[0]}?"
    return f"Wardgate knows no such kind: in {group} it serves {', '.join(here)}."
