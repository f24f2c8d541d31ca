"""The kinds that Wardgate serves, under the names that Kubernetes knows them by.

Four answers to "what is this?": one of our kinds; a foreign kind, which Wardgate knows and does not implement
(``foreign_kinds``); a stranger, which is left alone; or a kind of ours that is misspelt, or in another group or
version, which is an error because it may be meant to restrict something.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from wardgate.api.kinds.conditions import (
    ExtAuthPolicyStatus,
    ExtAuthServerStatus,
    ExternalEndpointStatus,
    ExternalServiceStatus,
    RouteTableStatus,
    Status,
    TransformationPolicyStatus,
    VirtualGatewayStatus,
)
from wardgate.api.kinds.ext_auth_policy import ExtAuthPolicy
from wardgate.api.kinds.ext_auth_server import ExtAuthServer
from wardgate.api.kinds.external_endpoint import ExternalEndpoint
from wardgate.api.kinds.external_service import ExternalService
from wardgate.api.kinds.foreign_kinds import GUARDS, ForeignKind, foreign_kind, misspelt_guard
from wardgate.api.kinds.groups import ADMIN, NETWORKING, PLATFORM_GROUPS, SECURITY, TRAFFIC
from wardgate.api.kinds.route_table import RouteTable
from wardgate.api.kinds.transformation_policy import TransformationPolicy
from wardgate.api.kinds.virtual_gateway import VirtualGateway
from wardgate.api.rules.model import KubernetesObject

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
    """Nothing that Wardgate knows. ``is_beside_ours``: its group is one of the API that ours belong to."""

    is_beside_ours: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """A kind of ours that is not written as it should be. ``advice`` is a sentence."""

    advice: str


def _kind(model: type[KubernetesObject], status: type[Status], *, group: str, plural: str, short: str) -> Kind:
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
            _kind(ExtAuthPolicy, ExtAuthPolicyStatus, group=SECURITY, plural="extauthpolicies", short="extauth"),
            _kind(
                TransformationPolicy,
                TransformationPolicyStatus,
                group=TRAFFIC,
                plural="transformationpolicies",
                short="tp",
            ),
            _kind(RouteTable, RouteTableStatus, group=NETWORKING, plural="routetables", short="rt"),
            _kind(VirtualGateway, VirtualGatewayStatus, group=NETWORKING, plural="virtualgateways", short="vg"),
            _kind(ExternalService, ExternalServiceStatus, group=NETWORKING, plural="externalservices", short="es"),
            _kind(ExternalEndpoint, ExternalEndpointStatus, group=NETWORKING, plural="externalendpoints", short="eep"),
            _kind(ExtAuthServer, ExtAuthServerStatus, group=ADMIN, plural="extauthservers", short="ess eas"),
        )
    }
)
"""Every custom kind by name. Secrets are no custom kind: ``parse`` knows them."""

_ALIKE: Final = 0.8
"""How much a name has to resemble one of ours to be taken for a misspelling of it: in all but a letter or two."""
_SIMILAR_GROUP: Final = 0.85
_BY_LOWER_CASE: Final = MappingProxyType({kind.lower(): kind for kind in KINDS})


def look_up(api_version: str, kind: str) -> Kind | ForeignKind | Stranger | Unknown:
    """Return Wardgate's reading of an object's ``apiVersion`` and ``kind``."""
    group = api_version.rpartition("/")[0]
    known = KINDS.get(kind)
    if known is not None and group in PLATFORM_GROUPS:
        return known if known.api_version == api_version else _elsewhere(known, group)
    foreign = foreign_kind(group, kind)
    if foreign is not None:
        return foreign
    if group in PLATFORM_GROUPS:
        return _misspelt(kind)
    return _stranger(group, kind)


def _elsewhere(known: Kind, group: str) -> Unknown:
    what = "group" if known.group != group else "version of it"
    return Unknown(f"Wardgate knows no such {what}: write apiVersion: {known.api_version}.")


def _stranger(group: str, kind: str) -> Stranger | Unknown | ForeignKind:
    """A group one letter away from that of a kind that restricts something is a misspelling and not a stranger."""
    known = KINDS.get(kind) or GUARDS.get(kind)
    if known is None or not difflib.get_close_matches(group, [known.group], cutoff=_SIMILAR_GROUP):
        return Stranger()
    return _elsewhere(known, group) if isinstance(known, Kind) else known


def _misspelt(kind: str) -> Stranger | Unknown:
    near = difflib.get_close_matches(kind.lower(), _BY_LOWER_CASE, n=1, cutoff=_ALIKE)
    meant = _BY_LOWER_CASE[near[0]] if near else misspelt_guard(kind)
    if meant is not None:
        return Unknown(f"Wardgate knows no such kind: did you mean {meant}?")
    return Stranger(is_beside_ours=True)
