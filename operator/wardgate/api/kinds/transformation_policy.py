"""TransformationPolicy: rewrites requests and responses of routes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wardgate.api.kinds.selectors import RouteSelector
from wardgate.api.kinds.transformation_template import TransformationTemplate
from wardgate.api.rules.bounds import Flag, Int32, Items, null_is
from wardgate.api.rules.model import ApiModel, JsonObject, KubernetesObject
from wardgate.api.rules.rules import Rule, at_most_one, given


class PhasePriority(ApiModel):
    """Order within a phase."""

    priority: Annotated[Int32, null_is(0)] = Field(0, description="The lowest goes first; 0 if absent.")


class PrioritizedPhase(ApiModel):
    """Before or after authentication."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_most_one(given("pre_authz"), given("post_authz"), message="Give either preAuthz or postAuthz."),
    )

    pre_authz: PhasePriority | None = Field(None, description="Before authentication.")
    post_authz: PhasePriority | None = Field(None, description="After authentication; this is the default.")

    @property
    def name(self) -> Literal["pre", "post"]:
        """The phase."""
        return "post" if self.pre_authz is None else "pre"

    @property
    def priority(self) -> int:
        """Order within the phase, the lowest first."""
        chosen = self.pre_authz or self.post_authz
        return 0 if chosen is None else chosen.priority


class RequestTransformation(ApiModel):
    """How requests are rewritten."""

    inja_template: TransformationTemplate | None = Field(None, description="Templates for the request.")
    recalculate_routing_destination: Flag = Field(
        False, description="Choose the route again from the rewritten request."
    )
    xslt_transformation: JsonObject | None = Field(None, description="An XSLT sheet. Not supported by Wardgate.")


class ResponseTransformation(ApiModel):
    """How responses are rewritten."""

    inja_template: TransformationTemplate | None = Field(None, description="Templates for the response.")
    xslt_transformation: JsonObject | None = Field(None, description="An XSLT sheet. Not supported by Wardgate.")


class TransformationConfig(ApiModel):
    """The rewrites, and when each is done."""

    phase: PrioritizedPhase | None = Field(None, description="Before or after authentication; after it if absent.")
    request: RequestTransformation | None = Field(None, description="How requests are rewritten.")
    response: ResponseTransformation | None = Field(None, description="How responses are rewritten.")


class TransformationPolicySpec(ApiModel):
    """Routes, and how their messages are rewritten."""

    apply_to_routes: Items[RouteSelector] = Field(
        (), max_length=256, description="Routes that the policy rewrites; empty or absent means every route."
    )
    config: TransformationConfig = Field(description="The rewrites, and when each is done.")


class TransformationPolicy(KubernetesObject):
    """Rewrites requests and responses of routes."""

    spec: TransformationPolicySpec = Field(description="Routes, and how their messages are rewritten.")
