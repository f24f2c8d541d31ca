"""How objects choose one another by labels, namespaces and kinds. All that one selector gives must hold."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wardgate.api.kinds.references import PortSelector
from wardgate.api.rules.bounds import DestinationKind, Label, Name, Table, null_is
from wardgate.api.rules.model import ApiModel
from wardgate.api.rules.rules import Rule, exactly_one, given


class ObjectSelector(ApiModel):
    """Objects by labels and place. Where a selector may be absent, absence and ``{}`` differ: see the field."""

    labels: Table[Label] = Field({}, max_length=64, description="Labels that the object must carry, all of them.")
    name: Name | None = Field(None, description="Name of the object.")
    namespace: Name | None = Field(None, description="Namespace of the object; absent means any.")
    cluster: Name | None = Field(None, description="Cluster of the object; absent means any.")
    workspace: Name | None = Field(None, description="Workspace of the object; absent means any.")


class RouteLabelSelector(ApiModel):
    """Routes by labels of the route, of its RouteTable or of what delegates to them."""

    labels: Table[Label] = Field(
        {}, max_length=64, description="Labels that the route carries, itself or through its RouteTable or its parents."
    )
    namespace: Name | None = Field(None, description="Namespace of the RouteTable; absent means any.")
    cluster: Name | None = Field(None, description="Cluster of the RouteTable; absent means any.")
    workspace: Name | None = Field(None, description="Workspace of the RouteTable; absent means any.")


class DestinationSelector(ApiModel):
    """Destinations by labels and kind."""

    selector: ObjectSelector | None = Field(None, description="Which objects; absent or empty means all of the kind.")
    kind: Annotated[DestinationKind, null_is("SERVICE")] = Field(
        "SERVICE", description="Kind of the destination; a Kubernetes Service if absent."
    )
    port: PortSelector | None = Field(None, description="Only this port; absent means every port.")


class RouteSelector(ApiModel):
    """Routes by their labels, or by where they forward to."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            given("route"),
            given("with_destinations"),
            message="Give either route or withDestinations; to select every route write route: {}.",
        ),
    )

    route: RouteLabelSelector | None = Field(None, description="Select routes by label and place.")
    with_destinations: DestinationSelector | None = Field(
        None, description="Select routes one of whose destinations matches."
    )


class WorkloadSelector(ApiModel):
    """Workloads by the labels of their pods."""

    selector: ObjectSelector | None = Field(
        None, description="Which workloads; absent selects none, an empty selector selects all."
    )
    kind: Annotated[Literal["KUBE", "VM"], null_is("KUBE")] = Field(
        "KUBE", description="Kubernetes workloads (if absent) or virtual machines."
    )
    port: PortSelector | None = Field(None, description="Only this port of the workload.")
