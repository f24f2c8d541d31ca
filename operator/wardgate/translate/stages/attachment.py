"""Third stage: which policy acts on which route."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.settings import Settings
from wardgate.translate.findings import Findings
from wardgate.translate.policies.auth_attachment import AuthAttachment, attach_auth
from wardgate.translate.policies.idle_policies import IdlePolicies
from wardgate.translate.policies.transformation_attachment import TransformationAttachment, attach_transformations
from wardgate.translate.stages.policies import Policies
from wardgate.translate.stages.routing import Routing
from wardgate.translate.tenancy import Tenancy


@dataclass(frozen=True, slots=True)
class Attached:
    """By the numbers of the routes."""

    auth: AuthAttachment
    transformations: TransformationAttachment
    findings: Findings


def attach(routing: Routing, policies: Policies, settings: Settings, *, knows_policies: bool) -> Attached:
    """Attach all policies. ``knows_policies``: the cluster has the kind; while it has not, nothing may stay open."""
    findings, tenancy = Findings(), Tenancy.of(settings)
    idle = IdlePolicies(
        routing.routed.unserved.routes, cluster_name=settings.cluster_name, tenancy=tenancy, findings=findings
    )
    auth = attach_auth(
        policies.auth,
        routing.instances,
        finder=routing.finder,
        tenancy=tenancy,
        findings=findings,
        idle=idle,
        require_auth=settings.require_auth or not knows_policies,
    )
    transformations = attach_transformations(
        policies.transformations, finder=routing.finder, tenancy=tenancy, findings=findings, idle=idle
    )
    return Attached(auth, transformations, findings)
