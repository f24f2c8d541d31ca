"""The neutral model that both planes share: ``translate`` produces it, ``wire`` carries it, ``proxy`` executes it.

Frozen, slotted dataclasses without a Kubernetes word. Objects refer to each other by name (a route names its auth plan,
its transformations and its upstreams), so that one plan serves many routes and a changed plan rewrites no route.
Credentials stand beside the plans, never inside them: a policy change rewrites no credential, a key change no route.
"""

from wardgate.ir.auth import (
    ApiKeyStep,
    AuthPlan,
    AuthStep,
    BasicAuthStep,
    BasicUser,
    BoolAnd,
    BoolExpr,
    BoolNot,
    BoolOr,
    BoolStep,
    Digest,
    Hmac,
    MetadataHeader,
)
from wardgate.ir.config import GatewayConfig, Guard
from wardgate.ir.credentials import Credential, MetadataEntry, TokenSource
from wardgate.ir.files import FileRef
from wardgate.ir.listeners import FrontProxies, Listener, ListenerTls, ServerCertificate, VirtualHost
from wardgate.ir.matches import HeaderMatch, PathMatch, QueryMatch, RouteMatch
from wardgate.ir.routes import (
    DirectResponse,
    Forward,
    PrefixRewrite,
    Redirect,
    Refuse,
    RegexRewrite,
    Route,
    RouteAction,
    WeightedUpstream,
)
from wardgate.ir.transformations import (
    AppendedHeader,
    DataSource,
    DynamicMetadataValue,
    Extractor,
    HeaderTemplate,
    MessageTemplate,
    TransformationPlan,
)
from wardgate.ir.upstreams import Endpoint, Upstream, UpstreamTls

__all__ = [
    "ApiKeyStep",
    "AppendedHeader",
    "AuthPlan",
    "AuthStep",
    "BasicAuthStep",
    "BasicUser",
    "BoolAnd",
    "BoolExpr",
    "BoolNot",
    "BoolOr",
    "BoolStep",
    "Credential",
    "DataSource",
    "Digest",
    "DirectResponse",
    "DynamicMetadataValue",
    "Endpoint",
    "Extractor",
    "FileRef",
    "Forward",
    "FrontProxies",
    "GatewayConfig",
    "Guard",
    "HeaderMatch",
    "HeaderTemplate",
    "Hmac",
    "Listener",
    "ListenerTls",
    "MessageTemplate",
    "MetadataEntry",
    "MetadataHeader",
    "PathMatch",
    "PrefixRewrite",
    "QueryMatch",
    "Redirect",
    "Refuse",
    "RegexRewrite",
    "Route",
    "RouteAction",
    "RouteMatch",
    "ServerCertificate",
    "TokenSource",
    "TransformationPlan",
    "Upstream",
    "UpstreamTls",
    "VirtualHost",
    "WeightedUpstream",
]
