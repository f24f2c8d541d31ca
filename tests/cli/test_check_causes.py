"""``wardgate check`` tells one cause once, and counts what follows from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_line import Wardgate
from tests.standalone.lab import POLICY, ROUTES, SECRET, SERVICE, TRANSFORMATION, write_lab

_MESH = """
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: east-west, namespace: shop}
spec:
  hosts: [reviews.shop.svc.cluster.local]
  workloadSelectors: [{selector: {labels: {app: page}}}]
  http:
  - forwardTo: {destinations: [{ref: {name: reviews}, port: {number: 9080}, subset: {version: v2}}]}
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_lab(tmp_path / "lab")
    return tmp_path / "lab"


def test_missing_gateway_is_one_finding(wardgate: Wardgate, lab: Path) -> None:
    (lab / "gateway.yaml").unlink()
    ended = wardgate("check", "lab")

    assert 1 == ended.status
    first, last = ended.out.splitlines()
    assert first.startswith("lab/routes.yaml:10:5: error: ")
    assert first.endswith("Correct the name, or create the gateway. [RefNotFound] ... and 3 consequences")
    assert last.startswith("1 error in ")


def test_consequences_are_listed_on_demand_and_for_programs(wardgate: Wardgate, lab: Path) -> None:
    (lab / "gateway.yaml").unlink()
    listed = [line for line in wardgate("check", "--verbose", "lab").out.splitlines() if line.startswith("  ")]
    (told,) = json.loads(wardgate("check", "-o", "json", "lab").out)["diagnostics"]

    assert ["  lab/policy.yaml", "  lab/routes.yaml", "  lab/transformation.yaml"] == [
        line.partition(":")[0] for line in listed
    ]
    assert ["NoRoutes", "NotServed", "NoRoutes"] == [one["reason"] for one in told["consequences"]]


def test_service_that_is_wrong_is_told_once_with_its_routes(wardgate: Wardgate, lab: Path) -> None:
    (lab / "service.yaml").write_text(SERVICE.replace("hosts:", "hosts: 5\n  hots:", 1))
    out = wardgate("check", "lab").out

    assert "1 error and 1 warning in " in out
    assert " ... and 1 consequence\n" in out


def test_independent_error_below_a_missing_gateway_is_told(wardgate: Wardgate, lab: Path) -> None:
    (lab / "gateway.yaml").unlink()
    (lab / "transformation.yaml").write_text(TRANSFORMATION.replace("}}", "", 1))
    out = wardgate("check", "lab").out

    assert "[TemplateError]\n" in out
    assert "2 errors in " in out


def test_table_for_a_mesh_is_one_note(wardgate: Wardgate, lab: Path) -> None:
    (lab / "mesh.yaml").write_text(_MESH)
    ended = wardgate("check", "lab")

    told, count = ended.out.splitlines()

    assert 0 == ended.status
    assert told.startswith("lab/mesh.yaml:5:1: note: ")
    assert count.startswith("No problems and 1 note in ")


def test_field_without_effect_is_told_once_with_a_count(wardgate: Wardgate, lab: Path) -> None:
    for number in range(5):
        table = ROUTES.partition("---")[0].replace("ai-ingress-rt", f"rt-{number}").replace("'*'", f"h{number}.example")
        (lab / f"t{number}.yaml").write_text(
            table.replace("- name: ai-ingress-gw", "- cluster: c\n    name: ai-ingress-gw")
        )
    ended = wardgate("check", "lab")

    assert 0 == ended.status
    assert 1 == ended.out.count(" note: ")
    assert "[NoEffect] ... on 5 objects\n" in ended.out


def test_missing_service_is_told_once_for_all_who_name_it(wardgate: Wardgate, lab: Path) -> None:
    (lab / "service.yaml").unlink()
    (lab / "more.yaml").write_text(
        ROUTES.partition("---\n")[2].replace("direct-to", "also-to").replace("/huggingface", "/again")
    )
    out = wardgate("check", "lab").out

    assert "1 error in " in out
    assert " ... on 2 objects\n" in out


def test_keys_that_are_all_bad_are_the_cause_of_having_none(wardgate: Wardgate, lab: Path) -> None:
    (lab / "secret.yaml").write_text(SECRET.replace("api-key: bXl", "api-kye: bXl"))
    (told,) = json.loads(wardgate("check", "-o", "json", "lab").out)["diagnostics"]

    assert ("BadSecret", ["NoKeys"]) == (told["reason"], [one["reason"] for one in told["consequences"]])


def test_unknown_field_is_told_once_for_all_objects_of_its_kind(wardgate: Wardgate, lab: Path) -> None:
    for name in ("policy", "more"):
        text = POLICY.replace("name: huggingface-apikey", f"name: {name}").replace("headerName", "headerNane")
        (lab / f"{name}.yaml").write_text(text)
    out = wardgate("check", "lab").out

    assert 1 == out.count("headerNane")
    assert "Did you mean headerName? [UnknownField] ... on 2 objects\n" in out
