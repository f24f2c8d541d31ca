"""ExternalService: a server outside the cluster, its ports, and how TLS is spoken with it.

An absent ``clientsideTls`` means plain text, an empty one means TLS with everything at its default.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from wardgate.api.kinds.references import ObjectReference, PortSelector
from wardgate.api.rules.bounds import Flag, Host, Items, Label, Line, Name, OptionalTable, Port
from wardgate.api.rules.model import ApiModel, KubernetesObject
from wardgate.api.rules.rules import Rule, exactly_one, filled


class ClientsideTls(ApiModel):
    """TLS towards the server. Its certificate is verified unless ``insecureSkipVerify`` says otherwise."""

    sni: Line | None = Field(None, description="Server name to ask for; the first host if absent.")
    mode: Literal["SIMPLE", "DISABLE", "MUTUAL", "ISTIO_MUTUAL"] | None = Field(
        None,
        description="SIMPLE (if absent) verifies the server, MUTUAL also shows a certificate, DISABLE is plain text.",
    )
    client_certificate: Line | None = Field(None, description="File of the client certificate, for MUTUAL.")
    private_key: Line | None = Field(None, description="File of the client's private key, for MUTUAL.")
    ca_certificates: Line | None = Field(
        None, description="File of the authorities to trust; those of the system if absent."
    )
    credential_name: Name | None = Field(None, description="Secret with client certificate, key and authorities.")
    insecure_skip_verify: Flag = Field(
        False, description="Do not verify the server's certificate: anybody on the way can read the token."
    )


class EgressGatewayRoutes(ApiModel):
    """Go through an egress gateway. No effect in Wardgate."""

    port_match: Port | None = Field(None, description="Port that callers use; 80 if absent.")
    virtual_gateway_refs: Items[ObjectReference] = Field((), max_length=64, description="The egress gateways.")


class ExternalServicePort(ApiModel):
    """One port of the server."""

    number: Port = Field(description="Number of the port, as routes refer to it.")
    target_port: PortSelector | None = Field(None, description="Port that is dialled; number if absent.")
    name: Name | None = Field(None, description="Name of the port, as routes and ExternalEndpoints refer to it.")
    protocol: Literal["HTTP", "HTTPS", "GRPC", "HTTP2", "MONGO", "TCP", "TLS"] | None = Field(
        None, description="Protocol of the server. TLS is spoken only with clientsideTls."
    )
    clientside_tls: ClientsideTls | None = Field(
        None, description="Speak TLS; an empty object is enough. Absent means plain text."
    )
    egress_gateway_routes: EgressGatewayRoutes | None = Field(
        None, description="Go through an egress gateway. No effect in Wardgate."
    )


class ExternalServiceSpec(ApiModel):
    """Where the server is."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            filled("hosts"), filled("addresses"), message="Give the server's hosts or its addresses, one of the two."
        ),
    )

    hosts: Items[Host] = Field((), max_length=64, description="Host names; looked up unless ExternalEndpoints match.")
    addresses: Items[Name] = Field((), max_length=64, description="IP addresses or networks, instead of hosts.")
    ports: Items[ExternalServicePort] = Field(min_length=1, max_length=64, description="Ports of the server.")
    selector: OptionalTable[Label] = Field(
        None, max_length=64, description="Labels of the ExternalEndpoints that serve it; absent or empty selects none."
    )
    subject_alt_names: Items[Line] = Field(
        (), max_length=64, description="Names of which the server's certificate must carry one."
    )


class ExternalService(KubernetesObject):
    """A server outside the cluster."""

    spec: ExternalServiceSpec = Field(description="Where the server is.")
