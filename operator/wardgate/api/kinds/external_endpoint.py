"""ExternalEndpoint: one address at which an ExternalService is reached, chosen by its labels."""

from __future__ import annotations

from pydantic import Field

from wardgate.api.rules.bounds import Items, Line, Name, Port
from wardgate.api.rules.model import ApiModel, KubernetesObject


class Locality(ApiModel):
    """Where the endpoint stands. No effect in Wardgate."""

    region: Name | None = Field(None, description="Region.")
    zone: Name | None = Field(None, description="Zone in the region.")
    sub_zone: Name | None = Field(None, description="Part of the zone.")


class EndpointPort(ApiModel):
    """One port of the endpoint."""

    name: Name | None = Field(None, description="Name of the ExternalService's port that this one stands for.")
    number: Port = Field(description="Number that is dialled.")


class ExternalEndpointSpec(ApiModel):
    """Address and ports."""

    address: Line = Field(min_length=1, description="IP address, host name, or unix:// and a path.")
    ports: Items[EndpointPort] = Field(
        (), max_length=64, description="Ports, where their numbers differ from those of the ExternalService."
    )
    locality: Locality | None = Field(None, description="Where the endpoint stands. No effect in Wardgate.")


class ExternalEndpoint(KubernetesObject):
    """One address of an ExternalService."""

    spec: ExternalEndpointSpec = Field(description="Address and ports.")
