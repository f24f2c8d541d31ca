"""The workshop's labs in one folder, unchanged: accepted, and nothing said of them but what matters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_line import Wardgate
from wardgate.api import Approval
from wardgate.settings import Settings
from wardgate.standalone.scan.folder import Folder
from wardgate.store import Store
from wardgate.translate import translate

_GOLDEN = Path(__file__).parents[1] / "golden" / "translate"
_LABS = ("lab-3-external-service", "lab-5-products-apikey", "lab-6-ai-api-key")
"""Each holds what the labs before it have made."""
_MESH = """
apiVersion: security.policy.gloo.solo.io/v2
kind: AccessPolicy
metadata: {name: frontend-access, namespace: online-boutique}
spec:
  applyToWorkloads: [{selector: {labels: {app: frontend}}}]
  config: {authz: {allowedClients: [{serviceAccountSelector: {name: ingress}}]}}
---
apiVersion: resilience.policy.gloo.solo.io/v2
kind: FaultInjectionPolicy
metadata: {name: delay, namespace: online-boutique}
spec:
  applyToRoutes: [{route: {labels: {fault: delay}}}]
  config: {delay: {fixedDelay: 5s}}
"""


@pytest.fixture
def labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "labs"
    folder.mkdir()
    for name in _LABS:
        documents = (_GOLDEN / f"{name}.in.yaml").read_text().split("---\n")
        (folder / f"{name}.yaml").write_text("---\n".join(one for one in documents if "kind:" in one))
    monkeypatch.chdir(tmp_path)
    return folder


def test_labs_have_no_problem(wardgate: Wardgate, labs: Path) -> None:
    ended = wardgate("check", "labs")
    report = json.loads(wardgate("check", "-o", "json", "labs").out)
    told = [(one["severity"], one["reason"]) for one in report["diagnostics"] if "same content" not in one["message"]]

    assert 0 == ended.status
    assert [("note", "NoEffect")] == told
    assert "[NoEffect] ... on 3 objects\n" in ended.out


def test_labs_for_the_mesh_are_told_once_each(wardgate: Wardgate, labs: Path) -> None:
    (labs / "lab-8.yaml").write_text(_MESH)
    ended = wardgate("check", "labs")
    about = [line for line in ended.out.splitlines() if line.startswith("labs/lab-8.yaml")]

    assert 0 == ended.status
    assert 2 == len(about)
    assert "2 warnings and " in ended.out


def test_every_object_of_the_labs_is_accepted(labs: Path) -> None:
    """The column STATUS of ``kubectl get``."""
    store, scan = Store(), Folder([labs]).scan()
    for kind, objects in scan.objects.items():
        store.replace(kind, objects, as_of=scan.serial)
    statuses = translate(store.freeze(), Settings()).statuses

    assert {Approval.ACCEPTED} == {one.approval for one in statuses}
