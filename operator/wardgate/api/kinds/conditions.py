"""Statuses: the envelope that tools for Gloo read, and conditions that ``kubectl wait`` reads.

``Accepted`` is about the object, ``Programmed`` about the proxies that serve it, ``Ready`` sums both up. ``Stalled`` is
there only while it holds, for kstatus, which waits for ever for an object that is merely not ready. A condition's
``lastTransitionTime`` moves only when its status flips; that is the writer's business, as is reading clocks.
Dump a status with ``as_manifest``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AliasGenerator, BaseModel, ConfigDict, Field

from wardgate.api.rules.bounds import Count, Name
from wardgate.api.rules.rules import json_name

MAX_MESSAGE = 32_768
"""Characters of a message, as for every condition of Kubernetes."""


class ConditionType(StrEnum):
    """The three questions a status answers, and the one that it raises."""

    ACCEPTED = "Accepted"
    """The object is right and its last change is the one that is served."""
    PROGRAMMED = "Programmed"
    """Every ready proxy serves this generation."""
    READY = "Ready"
    """Accepted and programmed."""
    STALLED = "Stalled"
    """The generation will not be served before somebody changes the object. Never False: it goes when that is over."""


class ConditionReason(StrEnum):
    """The closed set of reasons of conditions; those about a problem bring ``wardgate.problems.Reason`` instead."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    """Not looked at yet."""
    PROGRAMMED = "Programmed"
    NOT_PROGRAMMED = "NotProgrammed"
    """Some ready proxy still serves an older generation."""
    LISTENER_NOT_SERVED = "ListenerNotServed"
    """Some ready proxy cannot open a listener of the gateway: its port is taken, or needs a privilege."""
    NO_PROXIES = "NoProxies"
    """No proxy is ready, so nobody can say."""
    NOT_ACCEPTED = "NotAccepted"
    READY = "Ready"


class Approval(StrEnum):
    """The verdict as Gloo words it."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    INVALID = "INVALID"
    """Wrong values or references."""
    WARNING = "WARNING"
    """Partly wrong, served all the same."""
    FAILED = "FAILED"
    """Right, but it loses against another object."""
    UNLICENSED = "UNLICENSED"
    """Known for the sake of other tools; Wardgate never gives it."""


_Approval: TypeAlias = Literal["PENDING", "ACCEPTED", "INVALID", "WARNING", "FAILED", "UNLICENSED"]
_Generation: TypeAlias = Annotated[int, Field(ge=0, le=2**63 - 1)]
_Message: TypeAlias = Annotated[str, Field(max_length=MAX_MESSAGE)]


class StatusModel(BaseModel):
    """A part of a status. Built by attribute name, dumped by JSON name."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        alias_generator=AliasGenerator(serialization_alias=json_name),
        use_enum_values=False,
    )

    def as_manifest(self) -> dict[str, Any]:
        """Return the value of ``status``; unset numbers are left out."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


class Condition(StatusModel):
    """One condition, in the shape all of Kubernetes uses."""

    type: Annotated[str, Field(min_length=1, max_length=316)] = Field(
        description="Accepted, Programmed, Ready or Stalled."
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether the condition holds.")
    reason: Annotated[
        str, Field(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    ] = Field(description="One word for programs that says why.")
    message: _Message = Field(description="Sentences for people that say why.")
    last_transition_time: Annotated[str, Field(max_length=64)] = Field(
        description="When status last changed.", json_schema_extra={"format": "date-time"}
    )
    observed_generation: _Generation = Field(0, description="Generation of the object that the condition is about.")


class State(StatusModel):
    """The verdict on one generation."""

    approval: _Approval = Field(description="The verdict.")
    message: _Message = Field("", description="Why, in sentences.")
    observed_generation: _Generation = Field(0, description="Generation of the object that the verdict is about.")


class CommonStatus(StatusModel):
    """The envelope that every kind has."""

    state: State = Field(serialization_alias="State", description="The verdict.")
    workspace_conditions: dict[str, Count] | None = Field(
        None, max_length=16, description="How many workspaces gave which verdict."
    )


UNSEEN: Final[Mapping[str, object]] = MappingProxyType(
    {"common": {"State": {"approval": Approval.PENDING.value}}, "observedGeneration": -1}
)
"""The status of an object that nobody has looked at; the CRDs fill it in.

Without it a GitOps tool takes an object that has just been applied for a healthy one: nothing speaks against it. No
generation is -1, so each of them waits for the first verdict.
"""


class Status(StatusModel):
    """The status that every kind has."""

    common: CommonStatus | None = Field(None, description="The verdict, as tools for Gloo read it.")
    observed_generation: Annotated[int, Field(ge=-1, le=2**63 - 1)] = Field(
        0, description="Generation of the object that this status is about; -1 before anybody has looked at it."
    )
    conditions: tuple[Condition, ...] = Field(
        (),
        max_length=8,
        description="Accepted, Programmed, Ready and perhaps Stalled, for kubectl wait and for GitOps tools.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )


class KeyCounts(StatusModel):
    """How many key Secrets a policy selects, by what became of them."""

    usable: Count = Field(0, description="Keys that are accepted now.")
    rejected: Count = Field(0, description="Secrets that hold no usable key.")
    duplicate: Count = Field(0, description="Secrets whose key an older Secret holds already.")
    expiring_soon: Count = Field(0, description="Usable keys that expire soon.")
    rejected_reasons: dict[str, Count] | None = Field(
        None, max_length=32, description="How many Secrets were rejected for which reason."
    )
    faults: dict[str, str] | None = Field(
        None,
        max_length=64,
        description="Secrets with a fault, as namespace/name, and its reason. The first 50; all are counted.",
    )


class ExtAuthPolicyStatus(Status):
    """Status of an ExtAuthPolicy."""

    num_selected_routes: Count | None = Field(None, description="Routes that the policy guards.")
    num_selected_destination_ports: Count | None = Field(None, description="Ports of Services that the policy guards.")
    keys: KeyCounts | None = Field(None, description="Key Secrets that the policy selects.")


class TransformationPolicyStatus(Status):
    """Status of a TransformationPolicy."""

    num_selected_routes: Count | None = Field(None, description="Routes that the policy rewrites.")


class ExtAuthServerStatus(Status):
    """Status of an ExtAuthServer."""

    num_applied_policies: Count | None = Field(None, description="Policies that name the server.")
    num_selected_backing_services: Count | None = Field(None, description="Services behind the server.")


class RouteTableStatus(Status):
    """Status of a RouteTable."""

    num_applied_route_policies: dict[str, Count] | None = Field(
        None, max_length=32, description="Policies on the table's routes, by kind."
    )
    num_parent_route_tables: Count | None = Field(None, description="Tables that delegate to this one.")
    owned_by_workspace: Name | None = Field(None, description="The workspace it belongs to.")
    num_allowed_virtual_gateways: Count | None = Field(None, description="Gateways that serve the table.")


class VirtualGatewayStatus(Status):
    """Status of a VirtualGateway."""

    route_tables_count: Count | None = Field(None, description="RouteTables that the gateway serves.")
    selected_workloads_count: Count | None = Field(None, description="Gateway workloads that are selected.")
    external_services_count: Count | None = Field(None, description="ExternalServices that its routes use.")


class ExternalServiceStatus(Status):
    """Status of an ExternalService."""

    num_applied_destination_policies: dict[str, Count] | None = Field(
        None, max_length=32, description="Policies on the service, by kind."
    )
    num_selected_external_endpoints: Count | None = Field(None, description="ExternalEndpoints that serve it.")
    owned_by_workspace: Name | None = Field(None, description="The workspace it belongs to.")
    num_selected_virtual_gateways: Count | None = Field(None, description="Gateways whose routes use it.")


class ExternalEndpointStatus(Status):
    """Status of an ExternalEndpoint."""
