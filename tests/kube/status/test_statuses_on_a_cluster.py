"""Statuses, Events and discovery on the real API server, in the operator's own identity and with its rights alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.audit import AuditEvent
from tests.cluster.cluster import Cluster
from tests.cluster.http_api import ApiError
from tests.kube.verdicts import condition, desired, verdict
from wardgate.api import KINDS, Approval
from wardgate.api.kinds.conditions import UNSEEN
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.connect import connect
from wardgate.kube.api.pacing import Timing
from wardgate.kube.status.event_recorder import EventRecorder
from wardgate.kube.status.manifest import NO_PROXIES, Desired, not_programmed
from wardgate.kube.status.proxies import DiscoveredProxies
from wardgate.kube.status.proxy_views import ProxyEndpoint
from wardgate.kube.status.writer import SETTLE, StatusWriter
from wardgate.problems import ObjectRef
from wardgate.tasks import spawn
from wardgate.translate.statuses.object_status import Counts, ObjectStatus

pytestmark = pytest.mark.measured

_POLICY = """
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata: {name: apikey}
spec:
  applyToRoutes: [{route: {labels: {route: x}}}]
  config:
    glooAuth:
      configs: [{apiKeyAuth: {headerName: api-key, labelSelector: {team: ai}}}]
"""
_TABLE = """
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: routes}
spec: {hosts: ["*"], http: [{name: x, directResponse: {status: 200}}]}
"""
_COUNTS: Counts = {
    "num_selected_routes": 3,
    "num_selected_destination_ports": 0,
    "keys": {"usable": 12, "rejected": 1, "duplicate": 2, "rejected_reasons": {"BadSecret": 1}},
}


@dataclass
class Site:
    """A namespace, and the operator's identity, which may do what its statuses need in it and nothing else."""

    cluster: Cluster
    namespace: str
    kubeconfig: Path
    user: str
    mark: int

    def apply(self, manifest: str) -> ObjectStatus:
        """Apply an object and accept it."""
        (made,) = self.cluster.apply(manifest, namespace=self.namespace)
        ref = ObjectRef(made["kind"], self.namespace, made["metadata"]["name"])
        return verdict(ref=ref, uid=made["metadata"]["uid"], generation=made["metadata"]["generation"])

    def status(self, of: ObjectStatus) -> Any:
        return self.cluster.get(of.ref.kind, of.ref.name, namespace=self.namespace)["status"]

    def play(self, work: Callable[[KubeClient], Awaitable[None]]) -> None:
        async def play() -> None:
            client = await connect(kubeconfig=str(self.kubeconfig))
            try:
                async with asyncio.timeout(30):
                    await work(client)
            finally:
                await client.close()

        asyncio.run(play())

    def write(self, *wanted: Desired) -> StatusWriter:
        """Let a new writer, which knows nothing, bring these about, and then look again."""
        made: list[StatusWriter] = []

        async def work(client: KubeClient) -> None:
            writer = StatusWriter(client, now=lambda: datetime.now(UTC), clock=time.monotonic)
            made.append(writer)
            for _ in range(2):
                writer.submit({one.verdict.ref: one for one in wanted})
                await _finish(writer)

        self.play(work)
        return made[0]

    def audited(self, **match: Any) -> list[AuditEvent]:
        return [
            event
            for event in self.cluster.audit(since=self.mark, user=self.user, **match)
            if event.stage == "ResponseComplete"
        ]

    def kubectl(self, *arguments: str, check: bool = True) -> str:
        return self.cluster.kubectl(*arguments, "-n", self.namespace, check=check).stdout


async def _finish(writer: StatusWriter) -> None:
    """Write until nothing is left to write."""
    for _ in range(20):
        rest = await writer.write_due()
        if not writer.pending:
            return
        await asyncio.sleep(min(rest, SETTLE))
    raise AssertionError("The writer does not finish.")


def _rights(namespace: str) -> list[dict[str, Any]]:
    rules = [
        {"apiGroups": [kind.group], "resources": [kind.plural], "verbs": ["get", "list", "watch"]}
        for kind in KINDS.values()
    ]
    rules += [
        {"apiGroups": [kind.group], "resources": [f"{kind.plural}/status"], "verbs": ["patch"]}
        for kind in KINDS.values()
    ]
    rules += [
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]},
    ]
    group = "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": f"{group}/v1",
            "kind": "Role",
            "metadata": {"name": "wardgate-operator", "namespace": namespace},
            "rules": rules,
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "wardgate-operator", "namespace": namespace},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "wardgate-operator"},
            "subjects": [{"kind": "ServiceAccount", "name": "wardgate-operator", "namespace": namespace}],
        },
    ]


def _site(cluster: Cluster) -> Site:
    namespace = cluster.namespace("team")
    token = cluster.service_account_token(namespace, "wardgate-operator")
    cluster.apply(_rights(namespace))
    user = f"system:serviceaccount:{namespace}:wardgate-operator"
    cluster.wait_until(
        lambda: cluster.can(user, "list", "endpointslices", namespace=namespace), seconds=10, what="the rights count"
    )
    return Site(cluster, namespace, cluster.kubeconfig_for(token=token), user, cluster.audit_mark())


@pytest.fixture
def site(cluster: Cluster) -> Site:
    return _site(cluster)


def test_status_of_every_kind_is_taken_as_it_is(site: Site) -> None:
    """What our own CRDs prune would be a mistake in them."""
    counts: dict[str, Counts] = {
        "ExtAuthPolicy": _COUNTS,
        "TransformationPolicy": {"num_selected_routes": 1},
        "RouteTable": {
            "num_applied_route_policies": {"security.policy.gloo.solo.io/v2, Kind=ExtAuthPolicy": 1},
            "num_parent_route_tables": 0,
            "num_allowed_virtual_gateways": 1,
        },
        "VirtualGateway": {"route_tables_count": 1, "selected_workloads_count": 1, "external_services_count": 0},
        "ExternalService": {"num_selected_external_endpoints": 0, "num_selected_virtual_gateways": 1},
        "ExternalEndpoint": {},
        "ExtAuthServer": {"num_applied_policies": 1},
    }
    specs: dict[str, dict[str, Any]] = {
        "ExtAuthPolicy": {"config": {"disable": True}},
        "TransformationPolicy": {"config": {}},
        "RouteTable": {"http": [{"directResponse": {"status": 200}}]},
        "VirtualGateway": {"listeners": [{"http": {}, "port": {"number": 80}}]},
        "ExternalService": {"hosts": ["api.openai.com"], "ports": [{"number": 443, "protocol": "HTTPS"}]},
        "ExternalEndpoint": {"address": "10.0.0.1", "ports": [{"number": 443}]},
        "ExtAuthServer": {"destinationServer": {"port": {"number": 8083}, "ref": {"name": "a", "namespace": "b"}}},
    }
    wanted = []
    for kind in KINDS.values():
        manifest = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": {"name": "one", "namespace": site.namespace},
            "spec": specs[kind.kind],
        }
        made = site.cluster.create(manifest)
        ref = ObjectRef(kind.kind, site.namespace, "one")
        of = verdict(
            Approval.WARNING, ref=ref, uid=made["metadata"]["uid"], message="Careful.", counts=counts[kind.kind]
        )
        wanted.append(desired(of))
    site.write(*wanted)

    for one in wanted:
        status = site.status(one.verdict)
        assert {"approval": "WARNING", "message": "Careful.", "observedGeneration": 1} == status["common"]["State"]
        assert ["Accepted", "Programmed", "Ready"] == [entry["type"] for entry in status["conditions"]]
        assert len(counts[one.verdict.ref.kind]) == len(status) - 3


def test_second_writer_writes_nothing_where_nothing_differs(site: Site) -> None:
    of = site.apply(_POLICY)
    for _ in range(3):
        site.write(desired(of))

    assert 1 == len(site.audited(verb="patch"))


def test_fields_that_vanish_are_removed_and_those_of_others_stay(site: Site) -> None:
    of = site.apply(_POLICY)
    alien = {
        "type": "Audited",
        "status": "True",
        "reason": "Fine",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    site.cluster.patch(
        "ExtAuthPolicy",
        "apikey",
        {
            "status": {
                "conditions": [alien],
                "common": {"workspaceConditions": {"ACCEPTED": 1}, "State": {"approval": "PENDING"}},
            }
        },
        namespace=site.namespace,
        subresource="status",
    )
    site.write(desired(_with(of, _COUNTS)))
    site.write(desired(_with(of, {"keys": {"usable": 1}})))

    status = site.status(of)
    assert {"usable": 1, "rejected": 0, "duplicate": 0, "expiringSoon": 0} == status["keys"]
    assert {"common", "conditions", "keys", "observedGeneration"} == status.keys()
    assert {"State"} == status["common"].keys()
    assert alien == {
        name: value for name, value in condition(status, "Audited").items() if name != "observedGeneration"
    }
    assert 4 == len(status["conditions"])


def _with(of: ObjectStatus, counts: Counts, approval: Approval = Approval.ACCEPTED, message: str = "") -> ObjectStatus:
    return verdict(approval, ref=of.ref, uid=of.uid, generation=of.generation, counts=counts, message=message)


def test_conditions_that_changed_meanwhile_are_not_lost(site: Site) -> None:
    """The patch carries the version it was made from, and the API server refuses it for that."""
    of = site.apply(_POLICY)
    first = {
        "type": "Audited",
        "status": "True",
        "reason": "Fine",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }

    async def work(client: KubeClient) -> None:
        writer = StatusWriter(client, now=lambda: datetime.now(UTC), clock=time.monotonic)
        writer.seen(of.ref, {"conditions": [{**first, "type": "Older"}]}, uid=of.uid, version=1)
        site.cluster.patch(
            "ExtAuthPolicy",
            "apikey",
            {"status": {"conditions": [first]}},
            namespace=site.namespace,
            subresource="status",
        )
        writer.submit({of.ref: desired(of)})
        await _finish(writer)

    site.play(work)

    assert [409, 200] == [event.code for event in site.audited(verb="patch")]
    assert {"Accepted", "Programmed", "Ready", "Audited"} == {one["type"] for one in site.status(of)["conditions"]}


def test_object_made_anew_is_not_given_its_predecessor_s_status(site: Site) -> None:
    of = site.apply(_POLICY)

    async def work(client: KubeClient) -> None:
        writer = StatusWriter(client, now=lambda: datetime.now(UTC), clock=time.monotonic)
        writer.seen(of.ref, None, uid=of.uid, version=1)
        site.cluster.delete("ExtAuthPolicy", "apikey", namespace=site.namespace)
        site.apply(_POLICY)
        writer.submit({of.ref: desired(of)})
        await _finish(writer)

    site.play(work)

    assert [409] == [event.code for event in site.audited(verb="patch")]
    assert UNSEEN == site.cluster.get("ExtAuthPolicy", "apikey", namespace=site.namespace)["status"]


def test_kubectl_waits_for_the_generation_that_was_applied(site: Site) -> None:
    wait = ("wait", "--for=condition=Programmed", "--timeout=1s", "extauthpolicy/apikey")
    site.write(desired(site.apply(_POLICY)))
    assert "condition met" in site.kubectl(*wait)

    changed = site.apply(_POLICY.replace("api-key,", "x-key,"))
    assert 2 == changed.generation
    assert "condition met" not in site.kubectl(*wait, check=False), "that is about generation 1"

    site.write(desired(changed, not_programmed()))
    assert "condition met" not in site.kubectl(*wait, check=False)

    site.write(desired(changed))
    for kind in ("Accepted", "Programmed", "Ready"):
        assert "condition met" in site.kubectl(
            "wait", f"--for=condition={kind}", "--timeout=1s", "extauthpolicy/apikey"
        )


def test_columns_tell_the_story(site: Site) -> None:
    of = site.apply(_POLICY)
    site.write(desired(_with(of, _COUNTS)))
    header, good = site.kubectl("get", "extauthpolicies").splitlines()
    bad = _with(of, {"num_selected_routes": 3}, Approval.INVALID, "Field spec.x is wrong.")
    site.write(desired(bad))
    _, invalid = site.kubectl("get", "extauthpolicies").splitlines()
    site.write(desired(_with(of, _COUNTS), NO_PROXIES))
    wide_header, wide = site.kubectl("get", "extauth", "-o", "wide").splitlines()

    assert ["NAME", "STATUS", "ACCEPTED", "PROGRAMMED", "REASON", "ROUTES", "KEYS", "AGE"] == header.split()
    assert ["apikey", "ACCEPTED", "True", "True", "Ready", "3", "12"] == good.split()[:-1]
    assert ["apikey", "INVALID", "False", "False", "TemplateError", "3"] == invalid.split()[:-1]
    assert ["REJECTED", "DUPLICATE", "EXPIRING", "MESSAGE"] == wide_header.split()[-4:]
    assert ["apikey", "ACCEPTED", "True", "Unknown", "NoProxies", "3", "12"] == wide.split()[:7]
    assert ["1", "2", "0"] == wide.split()[8:]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_its_columns(site: Site, kind: str) -> None:
    shown = site.kubectl("get", f"{KINDS[kind].plural}.{KINDS[kind].group}", "--show-kind", check=False)
    table = site.cluster.http.request(
        "GET",
        f"/apis/{KINDS[kind].api_version}/{KINDS[kind].plural}",
        accept="application/json;as=Table;v=v1;g=meta.k8s.io",
    )

    assert "" == shown.replace(f"No resources found in {site.namespace} namespace.", "").strip()
    names = [column["name"] for column in table["columnDefinitions"]]
    assert ["Name", "Status", "Accepted", "Programmed", "Reason"] == names[:5]
    assert {"Age", "Message"} <= set(names)


def test_events_tell_of_turns(site: Site) -> None:
    of = site.apply(_POLICY)

    async def work(client: KubeClient) -> None:
        recorder = EventRecorder(
            client, instance="wardgate-operator-0", now=lambda: datetime.now(UTC), clock=time.monotonic
        )
        writer = StatusWriter(
            client,
            now=lambda: datetime.now(UTC),
            clock=time.monotonic,
            written=lambda one, before: recorder.tell(before, one.verdict),
        )
        for one in (of, _with(of, {}, Approval.INVALID, "Field spec.x is wrong. " + "€" * 1000), of, of):
            writer.submit({of.ref: desired(one)})
            await writer.write_due()
            await recorder.create_waiting()
        assert (3, 0) == (recorder.created, recorder.failures), "the last Accepted is no turn"

    site.play(work)

    events = site.cluster.list("events.events.k8s.io", namespace=site.namespace)
    assert {("Normal", "Accepted"), ("Warning", "TemplateError")} == {(one["type"], one["reason"]) for one in events}
    assert {("wardgate.dev/operator", "wardgate-operator-0")} == {
        (one["reportingController"], one["reportingInstance"]) for one in events
    }
    described = site.kubectl("describe", "extauthpolicy", "apikey")
    assert "TemplateError" in described
    assert "Field spec.x is wrong." in described
    assert f"TemplateError is resolved. ExtAuthPolicy {site.namespace}/apikey is accepted." in described


def test_nothing_but_statuses_and_events_is_written(site: Site) -> None:
    policy, table = site.apply(_POLICY), site.apply(_TABLE)

    async def work(client: KubeClient) -> None:
        recorder = EventRecorder(client, instance="x", now=lambda: datetime.now(UTC), clock=time.monotonic)
        writer = StatusWriter(
            client,
            now=lambda: datetime.now(UTC),
            clock=time.monotonic,
            written=lambda one, before: recorder.tell(before, one.verdict),
        )
        writer.submit({one.ref: desired(one) for one in (policy, table)})
        await writer.write_due()
        await recorder.create_waiting()

    site.play(work)

    assert {
        ("get", "security.policy.gloo.solo.io", "extauthpolicies", ""),
        ("patch", "security.policy.gloo.solo.io", "extauthpolicies", "status"),
        ("get", "networking.gloo.solo.io", "routetables", ""),
        ("patch", "networking.gloo.solo.io", "routetables", "status"),
        ("create", "events.k8s.io", "events", ""),
    } == {(event.verb, event.group, event.resource, event.subresource) for event in site.audited()}
    assert {200, 201} == {event.code for event in site.audited()}
    found = site.cluster.get("ExtAuthPolicy", "apikey", namespace=site.namespace)
    assert (1, False, False) == (
        found["metadata"]["generation"],
        "finalizers" in found["metadata"],
        "annotations" in found["metadata"],
    )


def test_missing_right_is_named(cluster: Cluster, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    of = site.apply(_POLICY)
    cluster.delete("RoleBinding", "wardgate-operator", namespace=site.namespace)
    cluster.wait_until(
        lambda: not cluster.can(site.user, "get", "extauthpolicies", namespace=site.namespace),
        seconds=10,
        what="the right is gone",
    )

    async def work(client: KubeClient) -> None:
        writer = StatusWriter(client, now=lambda: datetime.now(UTC), clock=time.monotonic)
        writer.submit({of.ref: desired(of)})
        await writer.write_due()

    site.play(work)

    (told,) = caplog.messages
    assert "Statuses of kind ExtAuthPolicy cannot be written" in told
    assert "Grant the operator patch on extauthpolicies/status and get on extauthpolicies" in told


def test_crd_that_prunes_conditions_causes_no_second_write(private_cluster: Cluster) -> None:
    name = "extauthpolicies.security.policy.gloo.solo.io"
    schema = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties"
    private_cluster.patch(
        "CustomResourceDefinition", name, [{"op": "remove", "path": f"{schema}/conditions"}], strategy="json"
    )
    site = _site(private_cluster)
    of = site.apply(_POLICY)
    private_cluster.wait_until(lambda: _prunes(site), seconds=10, what="the CRD prunes conditions")
    site.mark = private_cluster.audit_mark()

    async def work(client: KubeClient) -> None:
        writer = StatusWriter(client, now=lambda: datetime.now(UTC), clock=time.monotonic)
        for programming in (not_programmed(), desired(of).programming, not_programmed(), desired(of).programming):
            writer.submit({of.ref: Desired(of, programming)})
            await asyncio.sleep(SETTLE)
            await writer.write_due()
            found = private_cluster.get("ExtAuthPolicy", "apikey", namespace=site.namespace)
            version = int(found["metadata"]["resourceVersion"])
            writer.seen(of.ref, found["status"], uid=of.uid, version=version)
        assert 0 == writer.pending

    site.play(work)

    assert 1 == len(site.audited(verb="patch"))
    status = site.status(of)
    assert {"common", "observedGeneration"} == status.keys()
    assert "ACCEPTED" == status["common"]["State"]["approval"]


def _prunes(site: Site) -> bool:
    body: dict[str, Any] = {"status": {"conditions": []}}
    site.cluster.patch("ExtAuthPolicy", "apikey", body, namespace=site.namespace, subresource="status")
    found = site.cluster.get("ExtAuthPolicy", "apikey", namespace=site.namespace)
    return "conditions" not in found.get("status", {})


def _put_proxy(site: Site, address: str, *, serving: bool) -> None:
    """What the controller makes of the headless Service and one Pod."""
    endpoint = {
        "addresses": [address],
        "conditions": {"ready": True, "serving": serving, "terminating": False},
        "targetRef": {"kind": "Pod", "name": "proxy-0"},
    }
    site.cluster.apply(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "wardgate-proxy-admin-x",
                "namespace": site.namespace,
                "labels": {"kubernetes.io/service-name": "wardgate-proxy-admin"},
            },
            "addressType": "IPv4",
            "ports": [{"name": "admin", "port": 9901, "protocol": "TCP"}],
            "endpoints": [endpoint],
        }
    )


def test_proxies_are_found_within_a_second(site: Site) -> None:
    told: list[tuple[ProxyEndpoint, ...]] = []

    async def until(expected: tuple[ProxyEndpoint, ...]) -> float:
        began = time.monotonic()
        while not told or told[-1] != expected:  # noqa: ASYNC110 - the test's own clock
            await asyncio.sleep(0.005)
        return time.monotonic() - began

    async def work(client: KubeClient) -> None:
        source = DiscoveredProxies(client, namespace=site.namespace, service="wardgate-proxy-admin", timing=Timing())
        following = spawn(source.follow(told.append), name="follow")
        try:
            await until(())
            for address, serving in (("10.0.0.1", False), ("10.0.0.1", True), ("10.0.0.2", True)):
                await asyncio.to_thread(_put_proxy, site, address, serving=serving)
                assert await until((ProxyEndpoint("proxy-0", f"http://{address}:9901", serving),)) < 1.0
            await asyncio.to_thread(
                site.cluster.delete, "EndpointSlice", "wardgate-proxy-admin-x", namespace=site.namespace
            )
            assert await until(()) < 1.0
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    site.play(work)

    assert {("list", "endpointslices"), ("watch", "endpointslices")} == {
        (event.verb, event.resource) for event in site.cluster.audit(since=site.mark, user=site.user)
    }


def test_operator_may_not_touch_what_users_wrote(site: Site) -> None:
    site.apply(_POLICY)
    token = site.cluster.service_account_token(site.namespace, "wardgate-operator")
    with pytest.raises(ApiError, match="cannot patch"):
        site.cluster.as_token(token).patch(
            "ExtAuthPolicy", "apikey", {"metadata": {"annotations": {"a": "b"}}}, namespace=site.namespace
        )
