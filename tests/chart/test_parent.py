"""The chart as a part of another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.helm import CHART, Helm, Manifest, of_kind, one


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """A parent chart that has this chart twice, the second time as "edge", each by a condition."""
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "wardgate").symlink_to(CHART)
    chart = {
        "apiVersion": "v2",
        "name": "platform",
        "version": "1.0.0",
        "dependencies": [
            {"name": "wardgate", "version": "*", "condition": "wardgate.enabled"},
            {"name": "wardgate", "version": "*", "condition": "edge.enabled", "alias": "edge"},
        ],
    }
    (tmp_path / "Chart.yaml").write_text(yaml.safe_dump(chart))
    return tmp_path


def _render(helm: Helm, parent: Path, values: dict[str, Any]) -> list[Manifest]:
    text = helm.text("template", "all", str(parent), "--namespace", "wardgate", values=values)
    return [each for each in yaml.load_all(text, yaml.CSafeLoader) if each is not None]


def test_two_of_them_share_neither_names_nor_pods(helm: Helm, parent: Path) -> None:
    documents = _render(helm, parent, {"wardgate": {"enabled": True}, "edge": {"enabled": True}})
    named = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in documents]
    selectors = [
        tuple(sorted(each["spec"]["selector"]["matchLabels"].items())) for each in of_kind(documents, "Deployment")
    ]

    assert sorted(set(named), key=str) == sorted(named, key=str)
    assert {"all-wardgate-proxy", "all-edge-proxy"} <= {name for _, _, name in named}
    assert 4 == len(set(selectors))


def test_a_condition_leaves_it_out(helm: Helm, parent: Path) -> None:
    documents = _render(helm, parent, {"wardgate": {"enabled": True}, "edge": {"enabled": False}})

    assert ["all-wardgate-operator", "all-wardgate-proxy"] == [
        each["metadata"]["name"] for each in of_kind(documents, "Deployment")
    ]


def test_the_globals_of_the_parent_are_obeyed(helm: Helm, parent: Path) -> None:
    values = {
        "global": {"imageRegistry": "registry.example", "imagePullSecrets": ["login"], "storageClass": "fast"},
        "edge": {"enabled": False},
    }
    deployment = one(_render(helm, parent, values), "Deployment", "all-wardgate-proxy")
    pod = deployment["spec"]["template"]["spec"]

    assert "registry.example/wardgate:0.1.0" == pod["containers"][0]["image"]
    assert [{"name": "login"}] == pod["imagePullSecrets"]


@pytest.mark.parametrize(
    ("values", "release", "name"),
    [
        ({}, "gate", "gate"),
        ({"nameOverride": "edge"}, "gate", "gate-edge"),
        ({"nameOverride": "edge"}, "edge-gate", "edge-gate"),
        ({"fullnameOverride": "door", "nameOverride": "edge"}, "gate.1", "door"),
    ],
)
def test_names_begin_as_the_values_say(helm: Helm, values: dict[str, Any], release: str, name: str) -> None:
    documents = helm.render(values, release=release)
    proxy = one(documents, "Deployment", f"{name}-proxy")["spec"]["template"]

    assert f"--release={name}" in proxy["spec"]["containers"][0]["args"]
    assert name == proxy["metadata"]["labels"]["app.kubernetes.io/instance"]
    assert f"{name}-config" == of_kind(documents, "Namespace")[0]["metadata"]["name"]


def test_more_objects_are_templates(helm: Helm) -> None:
    given = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}}
    documents = helm.render({"extraObjects": [given, yaml.safe_dump(given).replace("more", "text")]}, release="gate")

    assert ["gate-more", "gate-text"] == [each["metadata"]["name"] for each in of_kind(documents, "ConfigMap")]


def test_rights_can_be_left_to_others(helm: Helm) -> None:
    documents = helm.render({"rbac": {"create": False}})

    assert [] == of_kind(documents, "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


def test_definitions_become_part_of_the_release_and_are_kept(helm: Helm) -> None:
    managed = of_kind(helm.render({"crds": {"manage": True}}), "CustomResourceDefinition")
    shipped = [yaml.safe_load(path.read_text()) for path in (CHART / "crds").iterdir()]

    assert {"keep"} == {each["metadata"]["annotations"]["helm.sh/resource-policy"] for each in managed}
    assert {each["metadata"]["name"]: each["spec"] for each in shipped} == {
        each["metadata"]["name"]: each["spec"] for each in managed
    }
    assert [] == of_kind(helm.render(), "CustomResourceDefinition")
