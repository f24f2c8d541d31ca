"""ExtAuthServer: settings of a separate auth server.

Wardgate's proxy authenticates by itself, so the object is informative: it is read and checked, policies may name it,
and it changes no request. ``failureModeAllow`` in particular opens nothing.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from wardgate.api.kinds.references import DestinationReference
from wardgate.api.rules.bounds import Count, Duration, Flag, HeaderName, Items, Line, Name, Path, Table
from wardgate.api.rules.model import ApiModel, KubernetesObject
from wardgate.api.rules.rules import Rule

_STATUSES: Final = frozenset({100, *range(200, 227), *range(300, 309), *range(400, 432), *range(500, 512)})


class AuthServerRequest(ApiModel):
    """The request to an auth server that speaks HTTP."""

    allowed_headers: Items[HeaderName] = Field((), max_length=256, description="Headers of the request to send along.")
    headers_to_add: Table[Line] = Field({}, max_length=256, description="Further headers to send.")


class AuthServerResponse(ApiModel):
    """The parts of an HTTP auth server's answer that are used."""

    allowed_upstream_headers: Items[HeaderName] = Field(
        (), max_length=256, description="Headers of the answer that the upstream gets."
    )
    allowed_client_headers: Items[HeaderName] = Field(
        (), max_length=256, description="Headers of a refusal that the client gets."
    )


class HttpService(ApiModel):
    """The auth server speaks HTTP instead of gRPC."""

    path_prefix: Path | None = Field(None, description="Put before the path of the request.")
    request: AuthServerRequest | None = Field(None, description="What is sent.")
    response: AuthServerResponse | None = Field(None, description="What is taken from the answer.")


class RequestBody(ApiModel):
    """How much of the body the auth server gets."""

    max_request_bytes: Count | None = Field(None, description="Largest body in bytes; 4096 if absent.")
    allow_partial_message: Flag = Field(
        False, description="Send the beginning of a larger body instead of refusing it."
    )
    pack_as_bytes: Flag = Field(False, description="Send the body as bytes instead of text.")


class ExtAuthServerSpec(ApiModel):
    """Where the auth server is, and how it is asked."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.destinationServer) || !has(self.destinationServer.kind) || "
            "self.destinationServer.kind != 'EXTERNAL_SERVICE'",
            "An ExternalService cannot be the auth server: name a Service.",
            lambda spec: spec.destination_server is None or spec.destination_server.kind != "EXTERNAL_SERVICE",
        ),
        Rule(
            "!has(self.statusOnError) || self.statusOnError == 100 || "
            "(self.statusOnError >= 200 && self.statusOnError <= 226) || "
            "(self.statusOnError >= 300 && self.statusOnError <= 308) || "
            "(self.statusOnError >= 400 && self.statusOnError <= 431) || "
            "(self.statusOnError >= 500 && self.statusOnError <= 511)",
            "statusOnError is no status of HTTP: use one of 100, 200-226, 300-308, 400-431 and 500-511.",
            lambda spec: spec.status_on_error is None or spec.status_on_error in _STATUSES,
        ),
    )

    destination_server: DestinationReference | None = Field(None, description="The server; the default one if absent.")
    http_service: HttpService | None = Field(None, description="The server speaks HTTP instead of gRPC.")
    request_timeout: Duration | None = Field(None, description="How long to wait for an answer; 2s if absent.")
    failure_mode_allow: Flag = Field(False, description="Opens nothing in Wardgate, whatever its value.")
    request_body: RequestBody | None = Field(None, description="How much of the body the server gets.")
    clear_route_cache: Flag = Field(False, description="Choose the route again after authentication.")
    status_on_error: Annotated[int, Field(ge=100, le=511)] | None = Field(
        None, description="Status of the answer if the server cannot be reached; 403 if absent."
    )
    transport_api_version: Literal["GLOO_MESH_AUTO", "ENVOY_AUTO", "V3"] | None = Field(
        None, description="Version of the protocol spoken with the server."
    )
    stat_prefix: Name | None = Field(None, description="Begins the names of the server's metrics.")


class ExtAuthServer(KubernetesObject):
    """Settings of a separate auth server; informative in Wardgate."""

    spec: ExtAuthServerSpec = Field(description="Where the auth server is, and how it is asked.")
