"""VirtualGateway: the ports that the gateway listens on, their TLS, and which RouteTables they serve."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from wardgate.api.kinds.http_route import AllowedRoute
from wardgate.api.kinds.references import PortSelector
from wardgate.api.kinds.selectors import ObjectSelector, WorkloadSelector
from wardgate.api.rules.bounds import Flag, Host, Items, Line, Name, OptionalItems
from wardgate.api.rules.model import ApiModel, KubernetesObject, OpenModel
from wardgate.api.rules.rules import Rule, at_most_one, excludes, given, is_true

TlsVersion = Literal["TLS_AUTO", "TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3"]


class TlsFiles(ApiModel):
    """Certificate and key as files of the proxy."""

    server_cert: Line | None = Field(None, description="File of the certificate chain.")
    private_key: Line | None = Field(None, description="File of the private key.")
    ca_certs: Line | None = Field(None, description="File of the authorities that sign clients' certificates.")


class TlsParameters(ApiModel):
    """Versions and ciphers."""

    minimum_protocol_version: TlsVersion | None = Field(None, description="Lowest version of TLS; 1.2 if absent.")
    maximum_protocol_version: TlsVersion | None = Field(None, description="Highest version of TLS.")
    cipher_suites: Items[Name] = Field(
        (), max_length=64, description="Cipher suites for TLS 1.2, preferred ones first."
    )


class ListenerTls(ApiModel):
    """How a listener speaks TLS."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_most_one(given("secret_name"), given("files"), message="Give either secretName or files, not both."),
    )

    mode: Literal["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL"] | None = Field(
        None, description="SIMPLE shows a certificate, MUTUAL asks clients for one too; absent means PASSTHROUGH."
    )
    secret_name: Name | None = Field(None, description="Secret with certificate and key, in the gateway's namespace.")
    files: TlsFiles | None = Field(None, description="Certificate and key as files of the proxy.")
    verify_subject_alt_name: Items[Line] = Field(
        (), max_length=64, description="Names of which a client's certificate must carry one."
    )
    parameters: TlsParameters | None = Field(None, description="Versions and ciphers.")


class HttpListener(ApiModel):
    """The listener speaks HTTP."""


class TcpListener(OpenModel):
    """The listener forwards TCP. Not supported by Wardgate."""


class AllowedRouteTables(ApiModel):
    """RouteTables that a listener serves for a host."""

    host: Line = Field(
        min_length=1,
        description="Host name or wildcard; a namespace and a slash before it limit the tables' namespace.",
    )
    selector: ObjectSelector | None = Field(None, description="Which RouteTables; absent or empty means any.")
    allowed_routes: Items[AllowedRoute] = Field((), max_length=8, description="Routes they may have; empty means all.")


class ExposedExternalServices(ApiModel):
    """ExternalServices that an egress gateway serves. No effect in Wardgate."""

    host: Host | None = Field(None, description="Host name or wildcard.")
    selector: ObjectSelector | None = Field(None, description="Which ExternalServices.")


class Listener(ApiModel):
    """One port of the gateway."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_most_one(given("http"), given("tcp"), message="Give http alone: tcp is not supported."),
        at_most_one(
            given("tls"),
            is_true("https_redirect"),
            message="A listener either speaks TLS or redirects to it: give tls or httpsRedirect.",
        ),
        excludes(is_true("https_redirect"), given("tcp"), message="httpsRedirect works with http only: remove tcp."),
        Rule(
            "has(self.port.number) || has(self.port.name)",
            "Give the port's number or its name.",
            lambda model: model.port.number is not None or model.port.name is not None,
        ),
    )

    port: PortSelector = Field(description="Port of the gateway's Service.")
    http: HttpListener | None = Field(None, description="Speak HTTP: {}.")
    tcp: TcpListener | None = Field(None, description="Forward TCP. Not supported by Wardgate.")
    tls: ListenerTls | None = Field(None, description="Speak TLS.")
    https_redirect: Flag = Field(False, description="Answer 301 with the https URL.")
    allowed_route_tables: OptionalItems[AllowedRouteTables] = Field(
        None, max_length=64, description="RouteTables to serve; absent means any, an empty list none."
    )
    exposed_external_services: Items[ExposedExternalServices] = Field(
        (), max_length=64, description="For egress gateways. No effect in Wardgate."
    )
    app_protocol: (
        Literal["GRPC", "GRPC-WEB", "HTTP", "HTTP_PROXY", "HTTP2", "HTTPS", "TCP", "TLS", "MONGO", "REDIS", "MYSQL"]
        | None
    ) = Field(None, description="Protocol that clients speak.")


class VirtualGatewaySpec(ApiModel):
    """Listeners, and the gateways that have them."""

    workloads: OptionalItems[WorkloadSelector] = Field(
        None, max_length=64, description="Gateways by the labels of their pods; absent means every gateway."
    )
    listeners: Items[Listener] = Field(min_length=1, max_length=32, description="Ports of the gateway.")


class VirtualGateway(KubernetesObject):
    """Opens ports of the gateway."""

    spec: VirtualGatewaySpec = Field(description="Listeners, and the gateways that have them.")
