"""Kinds that stand beside ours in users' folders and clusters, and that Wardgate does not implement: all known by name.

The list is that of the Gloo Platform API, v2, with the kinds of Gloo Gateway and Edge that share its folders. Of each
it says whom it selects, whether it *guards* (its owner believes that it decides who gets in), and what is lost.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from wardgate.api.kinds.groups import (
    ADMIN,
    EXTENSIONS,
    INFRASTRUCTURE,
    INTERNAL,
    NETWORKING,
    OBSERVABILITY,
    PLATFORM_GROUPS,
    PORTAL,
    RESILIENCE,
    SECURITY,
    TRAFFIC,
)


class Reach(Enum):
    """The routes that an object of a kind means, and what its selectors mean where it gives none."""

    ROUTES = "routes"
    """``applyToRoutes``, and perhaps ``applyToDestinations``; none of both: all routes."""
    DESTINATIONS = "destinations"
    """``applyToDestinations``, none: all of them; nothing at all beside ``applyToWorkloads``."""
    NONE = "none"
    """It selects no routes: workloads, listeners, or nothing."""


@dataclass(frozen=True, slots=True)
class ForeignKind:
    """``loss`` completes "... has no effect:", and is empty where nothing is lost at a gateway.

    ``verb``: what it would do to a route. ``told_from``: nothing is lost of fewer objects. ``plural`` is given of
    guards alone, which are read in a cluster.
    """

    kind: str
    group: str
    loss: str = ""
    reach: Reach = Reach.NONE
    verb: str = "change"
    guards: bool = False
    told_from: int = 1
    plural: str = ""
    version: str = "v2"

    @property
    def name(self) -> str:
        """As it stands in references; with the group where another kind has that name, the way kubectl writes it."""
        return f"{self.kind}.{self.group}" if self.group in _AMBIGUOUS else self.kind


_EDGE: Final = "gateway.solo.io"
_AMBIGUOUS: Final = frozenset({_EDGE})
_NO_GRAPHQL: Final = "Wardgate does not read GraphQL"
_NO_LIMITS: Final = "Wardgate has no rate limits for a policy to set"
_NO_PORTAL: Final = "Wardgate has no developer portal"
_OTHER_API: Final = "Wardgate reads the RouteTable and the VirtualGateway of networking.gloo.solo.io/v2 instead"


def _guards() -> Iterator[ForeignKind]:
    for kind, plural, reach, loss in (
        ("AccessPolicy", "accesspolicies", Reach.DESTINATIONS, "Wardgate does not know the identities of workloads"),
        ("CSRFPolicy", "csrfpolicies", Reach.ROUTES, "Wardgate does not compare the Origin of requests"),
        (
            "ClientTLSPolicy",
            "clienttlspolicies",
            Reach.DESTINATIONS,
            "Wardgate takes TLS towards upstreams from clientsideTls of an ExternalService",
        ),
        ("GraphQLAllowedQueryPolicy", "graphqlallowedquerypolicies", Reach.ROUTES, _NO_GRAPHQL),
        ("JWTPolicy", "jwtpolicies", Reach.ROUTES, "Wardgate does not check JWTs"),
        ("WAFPolicy", "wafpolicies", Reach.ROUTES, "Wardgate has no web application firewall"),
    ):
        yield ForeignKind(kind, SECURITY, loss, reach, "guard", guards=True, plural=plural)


def _policies() -> Iterator[ForeignKind]:
    for kind, group, reach, loss in (
        ("CORSPolicy", SECURITY, Reach.ROUTES, "Wardgate answers no preflight requests and sets no CORS headers"),
        ("DLPPolicy", SECURITY, Reach.ROUTES, "Wardgate masks nothing in bodies and headers"),
        ("HTTPBufferPolicy", TRAFFIC, Reach.ROUTES, "the bound of bodies is the setting limits.body_bytes"),
        ("HeaderManipulationPolicy", TRAFFIC, Reach.ROUTES, "write a TransformationPolicy instead"),
        ("LoadBalancerPolicy", TRAFFIC, Reach.DESTINATIONS, "Wardgate chooses among endpoints by itself"),
        ("MirrorPolicy", TRAFFIC, Reach.ROUTES, "Wardgate mirrors no request"),
        ("RateLimitPolicy", TRAFFIC, Reach.ROUTES, _NO_LIMITS),
        ("ActiveHealthCheckPolicy", RESILIENCE, Reach.DESTINATIONS, "Wardgate asks no upstream for its health"),
        (
            "AdaptiveRequestConcurrencyPolicy",
            RESILIENCE,
            Reach.DESTINATIONS,
            "the bound of connections is the setting limits.upstream_connections",
        ),
        ("ConnectionPolicy", RESILIENCE, Reach.DESTINATIONS, "bounds of connections are settings of the proxy"),
        ("FailoverPolicy", RESILIENCE, Reach.DESTINATIONS, "Wardgate fails over to no other place"),
        ("FaultInjectionPolicy", RESILIENCE, Reach.ROUTES, "Wardgate injects no faults"),
        ("GraphQLPersistedQueryCachePolicy", RESILIENCE, Reach.ROUTES, _NO_GRAPHQL),
        (
            "OutlierDetectionPolicy",
            RESILIENCE,
            Reach.DESTINATIONS,
            "endpoints that fail are left out as the setting limits.endpoint_failures says",
        ),
        (
            "RetryTimeoutPolicy",
            RESILIENCE,
            Reach.ROUTES,
            "Wardgate retries no request, and its time-outs are settings of the proxy, such as timeouts.response_head",
        ),
        ("ListenerConnectionPolicy", RESILIENCE, Reach.NONE, "bounds of connections are settings of the proxy"),
        (
            "ProxyProtocolPolicy",
            TRAFFIC,
            Reach.NONE,
            "Wardgate takes the PROXY protocol from the annotation wardgate.dev/proxy-protocol of the VirtualGateway",
        ),
        ("WasmDeploymentPolicy", EXTENSIONS, Reach.NONE, "Wardgate runs no WebAssembly"),
        ("AccessLogPolicy", OBSERVABILITY, Reach.NONE, "the access log has one form, a JSON line a request"),
        ("TrimProxyConfigPolicy", RESILIENCE, Reach.NONE, ""),
    ):
        yield ForeignKind(kind, group, loss, reach, "limit" if loss == _NO_LIMITS else "change")


def _objects() -> Iterator[ForeignKind]:
    for group, loss, kinds in (
        (NETWORKING, "a route leads to a Service or an ExternalService", "VirtualDestination ExternalWorkload"),
        (NETWORKING, "Wardgate changes no route by itself", "ProgressiveDelivery"),
        (TRAFFIC, "", "RateLimitClientConfig"),
        (ADMIN, "", "RateLimitServerConfig RateLimitServerSettings WorkspaceSettings"),
        (
            ADMIN,
            "",
            "Dashboard GatewayLifecycleManager InsightsConfig IstioLifecycleManager KubernetesCluster RootTrustPolicy",
        ),
        (ADMIN, "", "WaypointLifecycleManager"),
        (PORTAL, _NO_PORTAL, "ApiDoc ApiProduct ApiSchemaDiscovery ApiVersion Portal PortalConfig"),
        (PORTAL, "Wardgate has no developer portal, and keeps nobody out of an API product", "PortalGroup"),
        (PORTAL, _NO_GRAPHQL, "GraphQLSchema GraphQLResolverMap GraphQLStitchedSchema"),
        (INFRASTRUCTURE, "Wardgate calls no cloud functions", "CloudProvider CloudResources"),
        (
            INTERNAL,
            "",
            "CertificateRequest DiscoveredCNI DiscoveredGateway IssuedCertificate Mesh PodBounceDirective",
        ),
        (INTERNAL, "", "SpireRegistrationEntry VirtualServiceBackup XdsConfig"),
        ("gateway.networking.k8s.io", _OTHER_API, "Gateway GatewayClass GRPCRoute HTTPRoute ReferenceGrant TCPRoute"),
        (_EDGE, _OTHER_API, "Gateway RouteOption RouteTable VirtualHostOption VirtualService"),
        ("gloo.solo.io", _OTHER_API, "Proxy Settings Upstream UpstreamGroup"),
        ("ratelimit.solo.io", _NO_LIMITS, "RateLimitConfig"),
    ):
        yield from (ForeignKind(kind, group, loss) for kind in kinds.split())
    yield ForeignKind("Workspace", ADMIN, "the setting tenancy decides whose objects act on whose", told_from=2)
    for group in ("enterprise.gloo.solo.io", "extauth.solo.io"):
        yield ForeignKind("AuthConfig", group, "it selects no route, and guards none. Write an ExtAuthPolicy instead")


_KNOWN: Final = (*_guards(), *_policies(), *_objects())
_BY_GROUP: Final = MappingProxyType({(kind.group, kind.kind): kind for kind in _KNOWN})
_OF_THE_PLATFORM: Final = MappingProxyType({kind.kind: kind for kind in _KNOWN if kind.group in PLATFORM_GROUPS})
FOREIGN_KINDS: Final[Mapping[str, ForeignKind]] = MappingProxyType({kind.name: kind for kind in _KNOWN})
"""By the name that their objects have in references."""
GUARDS: Final[Mapping[str, ForeignKind]] = MappingProxyType({kind.name: kind for kind in _KNOWN if kind.guards})
"""The kinds that close routes."""


_ALIKE: Final = 0.85
"""How much a name has to resemble a guard's to be a misspelling of it: CORSPolicy is none of CSRFPolicy."""
_GUARDS_BY_LOWER_CASE: Final = MappingProxyType({kind.lower(): kind for kind in GUARDS})


def misspelt_guard(kind: str) -> str | None:
    """The guard that a kind, which is none of those that are known, was meant to be; None: it resembles none."""
    near = difflib.get_close_matches(kind.lower(), _GUARDS_BY_LOWER_CASE, n=1, cutoff=_ALIKE)
    return _GUARDS_BY_LOWER_CASE[near[0]] if near else None


def foreign_kind(group: str, kind: str) -> ForeignKind | None:
    """The foreign kind of that name. One of the platform's API is known in any group of that API: kinds have moved."""
    known = _BY_GROUP.get((group, kind))
    return _OF_THE_PLATFORM.get(kind) if known is None and group in PLATFORM_GROUPS else known
