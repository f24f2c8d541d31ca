"""Who came first, in a folder: what the cluster's own times say where manifests carry them, else names."""

from __future__ import annotations

from pathlib import Path

import pytest

from wardgate.ir import GatewayConfig
from wardgate.settings import Settings
from wardgate.standalone.findings.diagnostics import Diagnostic
from wardgate.standalone.rounds.engine import Engine, Outcome
from wardgate.standalone.scan.folder import Folder

_GATEWAY = """\
apiVersion: networking.gloo.solo.io/v2
kind: VirtualGateway
metadata: {name: gw}
spec: {listeners: [{http: {}, port: {number: 8081}}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: ExternalService
metadata: {name: llm}
spec: {hosts: [llm.example.com], ports: [{name: http, number: 80, protocol: HTTP}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: rt}
spec:
  hosts: ['*']
  virtualGateways: [{name: gw}]
  http:
  - name: llm
    labels: {route: llm}
    matchers: [{uri: {prefix: /}}]
    forwardTo: {destinations: [{kind: EXTERNAL_SERVICE, ref: {name: llm}, port: {number: 80}}]}
"""


def _policy(name: str, created: str | None) -> str:
    return f"""\
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata:
  name: {name}{_time(created)}
spec:
  applyToRoutes: [{{route: {{labels: {{route: llm}}}}}}]
  config: {{glooAuth: {{configs: [{{apiKeyAuth: {{k8sSecretApikeyStorage: {{labelSelector: {{keys: all}}}}}}}}]}}}}
"""


def _key(name: str, created: str | None) -> str:
    return f"""\
apiVersion: v1
kind: Secret
metadata:
  name: {name}
  labels: {{keys: all}}{_time(created)}
type: extauth.solo.io/apikey
data: {{api-key: b2xka2V5}}
"""


def _time(created: str | None) -> str:
    return "" if created is None else f"\n  creationTimestamp: {created}"


def _take(folder: Path, *documents: str) -> Outcome:
    (folder / "all.yaml").write_text("---\n".join([_GATEWAY, *documents]))
    return Engine(Settings()).take(Folder([folder]).scan())


def _guard(config: GatewayConfig) -> str | None:
    ((host,),) = (listener.virtual_hosts for listener in config.listeners)
    (route,) = host.routes
    return route.auth


OLD, NEW = '"2023-01-01T00:00:00Z"', '"2024-06-01T00:00:00Z"'
PAIRS = [
    pytest.param(NEW, OLD, "z", id="the older time wins"),
    pytest.param(OLD, NEW, "a", id="the older time wins whatever the name"),
    pytest.param(OLD, OLD, "a", id="equal times go by name"),
    pytest.param(None, None, "a", id="without times it is the name"),
    pytest.param(None, NEW, "z", id="one that was never in a cluster is the youngest"),
    pytest.param("null", NEW, "z", id="null is no time"),
    pytest.param("2024-06-01T00:00:00+02:00", '"2024-05-31T23:00:00Z"', "a", id="offsets count"),
    pytest.param("2024-06-01T00:00:00Z", "2023-01-01T00:00:00Z", "z", id="a time without quotes is one too"),
    pytest.param("yesterday", NEW, "z", id="what is no time counts for none"),
]


@pytest.mark.parametrize(("of_a", "of_z", "winner"), PAIRS)
def test_older_policy_guards_the_route(tmp_path: Path, of_a: str | None, of_z: str | None, winner: str) -> None:
    outcome = _take(tmp_path, _policy("a", of_a), _policy("z", of_z))

    assert f"default/{winner}" == _guard(outcome.config)


@pytest.mark.parametrize(("of_a", "of_z", "winner"), PAIRS)
def test_older_secret_has_the_key(tmp_path: Path, of_a: str | None, of_z: str | None, winner: str) -> None:
    outcome = _take(tmp_path, _policy("policy", None), _key("a", of_a), _key("z", of_z))

    assert [winner] == [credential.name for credential in outcome.config.credentials]


def test_time_that_is_written_into_a_running_folder_counts_at_once(tmp_path: Path) -> None:
    folder, engine = Folder([tmp_path]), Engine(Settings())

    def guard(of_a: str | None) -> str | None:
        (tmp_path / "all.yaml").write_text("---\n".join([_GATEWAY, _policy("a", of_a), _policy("z", OLD)]))
        return _guard(engine.take(folder.scan()).config)

    assert ["default/z", "default/a"] == [guard(NEW), guard('"2022-01-01T00:00:00Z"')]


def test_time_that_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    outcome = _take(tmp_path, _policy("a", "yesterday"))
    (told,) = [one for one in outcome.diagnostics if one.field == "metadata.creationTimestamp"]

    assert ("warning", "ExtAuthPolicy default/a", 27) == (told.severity, told.object, told.line)
    assert "yesterday" not in str(told)


def test_what_the_api_server_adds_to_an_export_is_no_problem(tmp_path: Path) -> None:
    exported = _policy("a", OLD).replace(
        "spec:\n",
        "  uid: 3c1e\n  resourceVersion: '812'\n  generation: 3\n  finalizers: [x.example.com/keep]\n"
        "  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: x, uid: y}]\n  selfLink: /apis/x\n"
        "  managedFields: [{manager: kubectl, operation: Apply, fieldsV1: {'f:spec': {}}}]\n"
        "  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{}'\n"
        "spec:\n",
    )
    exported += "status: {common: {State: {approval: FAILED}}, numSelectedRoutes: 0}\n"
    plain = _take(tmp_path, _policy("a", OLD), _key("key", None))
    outcome = _take(tmp_path, exported, _key("key", None))

    assert _told(plain) == _told(outcome) == []
    assert plain.bundle.revision == outcome.bundle.revision


def _told(outcome: Outcome) -> list[Diagnostic]:
    return list(outcome.diagnostics)
