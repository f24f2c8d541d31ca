"""How objects point at one another: by name, and by destination."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from wardgate.api.rules.bounds import DestinationKind, Int32, Label, Name, Port, Table, null_is
from wardgate.api.rules.model import ApiModel, JsonObject
from wardgate.api.rules.rules import Rule, at_most_one, exactly_one, given


class ObjectReference(ApiModel):
    """One object by name. A missing namespace or cluster is that of the object that refers to it."""

    name: Name = Field(min_length=1, description="Name of the object.")
    namespace: Name | None = Field(None, description="Its namespace; absent means the namespace of this object.")
    cluster: Name | None = Field(None, description="Its cluster; absent means the cluster of this object.")


class SecretReference(ApiModel):
    """One Secret by name."""

    name: Name = Field(min_length=1, description="Name of the Secret.")
    namespace: Name | None = Field(None, description="Its namespace; absent means the namespace of this object.")


class PortSelector(ApiModel):
    """A port by number or by name."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_most_one(given("number"), given("name"), message="Give the port's number or its name, not both."),
    )

    number: Port | None = Field(None, description="Number of the port.")
    name: Name | None = Field(None, description="Name of the port.")


class AwsLambda(ApiModel):
    """A function of a cloud provider. Wardgate reads it and reports it as unsupported."""

    cloud_provider: ObjectReference | None = Field(None, description="The CloudProvider object that holds the account.")
    function: Name | None = Field(None, description="Name of the function.")
    qualifier: Name | None = Field(None, description="Version or alias of the function.")
    options: JsonObject | None = Field(None, description="How the function is called.")


class DestinationReference(ApiModel):
    """Where requests go: a Service, an ExternalService, or something that Wardgate reports as unsupported."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            given("ref"), given("aws_lambda"), message="Name the target with ref alone: awsLambda is not supported."
        ),
    )

    ref: ObjectReference | None = Field(None, description="The Service or ExternalService by name.")
    aws_lambda: AwsLambda | None = Field(None, description="A cloud function. Not supported by Wardgate.")
    kind: Annotated[DestinationKind, null_is("SERVICE")] = Field(
        "SERVICE", description="What ref names: a Kubernetes Service (if absent) or an ExternalService."
    )
    port: PortSelector | None = Field(None, description="Port of the target; needed if it has several.")
    subset: Table[Label] = Field(
        {}, max_length=64, description="Labels that narrow the target's pods. Not supported by Wardgate."
    )
    weight: Annotated[Int32, Field(ge=0, le=100), null_is(0)] = Field(
        0,
        description="Per cent of the requests; absent or 0 takes an equal share of what the others leave over.",
    )
