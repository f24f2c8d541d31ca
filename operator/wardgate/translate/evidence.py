"""All that a translation has found out, for those who judge and count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wardgate.problems import ObjectRef
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.contract import KeyOutcome
from wardgate.translate.destinations.upstreams import Upstreams
from wardgate.translate.findings import Findings
from wardgate.translate.forms import LastGood
from wardgate.translate.objects import Objects
from wardgate.translate.policies.auth_attachment import AuthAttachment
from wardgate.translate.policies.transformation_attachment import TransformationAttachment
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.routes.routing import Routed


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a translation has found out."""

    snapshot: ClusterSnapshot
    kinds: Sequence[str]
    """Those with a status and a last good form."""
    last_good: LastGood
    served_instead: Mapping[ObjectRef, StoredObject]
    objects: Objects
    routed: Routed
    instances: Sequence[RouteInstance]
    auth: AuthAttachment
    transformations: TransformationAttachment
    keys: KeyOutcome
    upstreams: Upstreams
    findings: Findings
