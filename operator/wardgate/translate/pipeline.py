"""From a snapshot to a config and to statuses: total, pure, deterministic.

The order of events: every object is read in the form that is served (``objects``); listeners get their ports; tables
become routes in their places (``routing``); policies are attached to them; the keys of the policies are resolved; the
config is put together, and every object is judged.

Same input, same bytes: nothing here reads a clock or draws a number, and whatever is iterated has an order of its own.
A user's mistake is a problem in a status and never an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from wardgate.api import KINDS, ExtAuthPolicy
from wardgate.ir import GatewayConfig
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.config_builder import Parts, build_config
from wardgate.translate.contract import KeyOutcome, Scope
from wardgate.translate.destinations.upstreams import Upstreams
from wardgate.translate.evidence import Evidence
from wardgate.translate.findings import Findings
from wardgate.translate.forms import Forms, LastGood
from wardgate.translate.listening.attachment import Attachment
from wardgate.translate.listening.ports import OpenListener, assign_ports
from wardgate.translate.manifests import labels_of
from wardgate.translate.memo import Memo
from wardgate.translate.objects import Objects, read_objects
from wardgate.translate.policies.auth_attachment import attach_auth
from wardgate.translate.policies.closed_requests import closed_requests
from wardgate.translate.policies.idle_bindings import report_idle_bindings
from wardgate.translate.policies.keys import key_problems, resolve_keys
from wardgate.translate.policies.selection import RouteFinder
from wardgate.translate.policies.transformation_attachment import attach_transformations
from wardgate.translate.routes.routing import Routed, Router
from wardgate.translate.secrets import DecodedSecret, SecretIndex
from wardgate.translate.statuses import Statuses
from wardgate.translate.stray_annotations import report_stray_annotations
from wardgate.translate.tenancy import Tenancy
from wardgate.translate.verdicts import judge_all, next_last_good

_NOTHING: Final[LastGood] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Translation:
    """``last_good`` is input of the next translation. ``named_secrets`` are those that objects name, there or not."""

    config: GatewayConfig
    statuses: Statuses
    last_good: LastGood
    named_secrets: tuple[ObjectRef, ...] = ()


def translate(
    snapshot: ClusterSnapshot, settings: Settings, last_good: LastGood = _NOTHING, *, memo: Memo | None = None
) -> Translation:
    """Translate everything. A memo makes it faster and changes nothing else."""
    memo = Memo() if memo is None else memo
    memo.begin(settings)
    translation = _Translator(snapshot, settings, last_good, memo=memo).run()
    memo.end()
    return translation


class _AskedSecrets(SecretIndex):
    """Remembers which Secrets were asked for by name: those have to be watched."""

    def __init__(self, stored: Sequence[StoredObject], memo: Memo) -> None:
        super().__init__(stored, memo)
        self.asked: set[ObjectRef] = set()

    def find(self, namespace: str, name: str) -> DecodedSecret | None:
        self.asked.add(ObjectRef("Secret", namespace, name))
        return super().find(namespace, name)


class _Translator:
    def __init__(self, snapshot: ClusterSnapshot, settings: Settings, last_good: LastGood, *, memo: Memo) -> None:
        self.snapshot = snapshot
        self.settings = settings
        self.last_good = last_good
        self.findings = Findings()
        self.forms = Forms(last_good, memo=memo, findings=self.findings)
        self.secrets = _AskedSecrets(snapshot.of("Secret"), memo)
        self.scope = Scope(settings, Tenancy.of(settings), self.secrets, memo)

    def run(self) -> Translation:
        report_stray_annotations(self.snapshot, self.findings)
        objects = read_objects(
            self.snapshot, self.last_good, forms=self.forms, scope=self.scope, findings=self.findings
        )
        upstreams = Upstreams(
            objects.services, objects.endpoints, scope=self.scope, service_labels=self._service_labels()
        )
        gateways = [one.value for one in objects.gateways if one.value is not None]
        listeners = assign_ports([one for one in gateways if one.is_ours], self.findings)
        routed = self._route(objects, listeners, upstreams)
        keys = self._keys(objects)
        evidence = self._attach(objects, routed, keys=keys, upstreams=upstreams)
        config = build_config(_parts(evidence, listeners), self.settings)
        report_idle_bindings(config, self.findings)
        return Translation(
            config=config,
            statuses=judge_all(evidence),
            last_good=next_last_good(evidence),
            named_secrets=tuple(sorted(self.secrets.asked)),
        )

    def _service_labels(self) -> dict[tuple[str, str], frozenset[tuple[str, str]]]:
        """Services are not watched; where a folder holds some, their labels are known."""
        services = self.snapshot.of("Service")
        return {(one.ref.namespace, one.ref.name): frozenset(labels_of(one.manifest).items()) for one in services}

    def _route(self, objects: Objects, listeners: Sequence[OpenListener], upstreams: Upstreams) -> Routed:
        attachment = Attachment(
            [one.value for one in objects.gateways if one.value is not None],
            listeners,
            tenancy=self.scope.tenancy,
            cluster_name=self.settings.cluster_name,
            findings=self.findings,
        )
        router = Router(
            objects.tables,
            listeners,
            attachment=attachment,
            upstreams=upstreams,
            scope=self.scope,
            findings=self.findings,
        )
        return router.run()

    def _keys(self, objects: Objects) -> KeyOutcome:
        """The keys of every policy that is served, and what their owners should know about them."""
        served = [one for one in objects.auth if one.form is not None and one.value is not None]
        keys = resolve_keys(
            {request for one in served if one.value for request in one.value.key_sets},
            self.scope,
            closed=[
                request
                for one in objects.auth
                if not one.is_current
                for request in closed_requests(one.stored, self.scope.tenancy)
            ],
        )
        for one in served:
            assert one.form is not None
            assert one.value is not None
            parsed, _ = self.forms.parse(one.form, ExtAuthPolicy)
            assert parsed is not None
            self.findings.extend(key_problems(parsed, one.value, keys, self.scope))
        return keys

    def _attach(self, objects: Objects, routed: Routed, *, keys: KeyOutcome, upstreams: Upstreams) -> Evidence:
        instances = [instance for host in routed.hosts for instance in host.instances]
        finder = RouteFinder(instances, cluster_name=self.settings.cluster_name)
        tenancy = self.scope.tenancy
        return Evidence(
            snapshot=self.snapshot,
            kinds=tuple(KINDS),
            last_good=self.last_good,
            served_instead=self.forms.served_instead,
            objects=objects,
            routed=routed,
            instances=instances,
            auth=attach_auth(
                objects.auth,
                instances,
                finder=finder,
                tenancy=tenancy,
                findings=self.findings,
                require_auth=self.settings.require_auth or "ExtAuthPolicy" in self.snapshot.absent_kinds,
            ),
            transformations=attach_transformations(
                objects.transformations, finder=finder, tenancy=tenancy, findings=self.findings
            ),
            keys=keys,
            upstreams=upstreams,
            findings=self.findings,
        )


def _parts(evidence: Evidence, listeners: Sequence[OpenListener]) -> Parts:
    auth, transformations = evidence.objects.auth, evidence.objects.transformations
    return Parts(
        listeners=listeners,
        hosts=evidence.routed.hosts,
        auth=evidence.auth,
        transformations=evidence.transformations,
        auth_plans=[one.value.plan for one in auth if one.value is not None and one.value.plan is not None],
        transformation_plans=[
            one.value.plan for one in transformations if one.value is not None and one.value.plan is not None
        ],
        credentials=evidence.keys.credentials,
        upstreams=evidence.upstreams,
    )
