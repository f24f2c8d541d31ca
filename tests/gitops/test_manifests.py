"""Every manifest of the examples is taken by a real API server, and every set of values by the real chart."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.helm import Helm
from tests.cluster.cluster import Cluster
from tests.cluster.objects import read_manifests
from tests.documents.blocks import ROOT
from wardgate.api import KINDS

EXAMPLES = ROOT / "examples"
FOLDERS = ("argocd", "eks", "flux", "kind")
FOREIGN = (".external-secrets.io", "argoproj.io", "cert-manager.io", "external-secrets.io", ".toolkit.fluxcd.io")
"""Groups of other tools: ``published_schemas.py`` validates these against what the tools publish."""
_NO_MANIFESTS = {"values.yaml", "argocd-cm.yaml", "cluster.yaml"}


def manifests(*folders: str) -> list[Any]:
    """All objects of the examples' folders."""
    paths = [path for folder in folders for path in sorted((EXAMPLES / folder).glob("*.yaml"))]
    return [each for path in paths if path.name not in _NO_MANIFESTS for each in read_manifests(path)]


def is_foreign(manifest: Any) -> bool:
    """Whether another tool brings the kind."""
    return str(manifest["apiVersion"]).partition("/")[0].endswith(FOREIGN)


def values_of_flux() -> Any:
    (release,) = [each for each in manifests("flux") if each["kind"] == "HelmRelease"]
    return release["spec"]["values"]


def values_in(folder: str) -> Any:
    return yaml.safe_load((EXAMPLES / folder / "values.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("source", ["eks", "flux", "kind"])
def test_api_server_takes_the_chart_with_the_values(cluster: Cluster, helm: Path, source: str) -> None:
    values = values_of_flux() if source == "flux" else values_in(source)
    documents = Helm(helm).render(values)
    made = {each["metadata"]["name"] for each in documents if each["kind"] == "Namespace"}
    for namespace in {each["metadata"].get("namespace", "default") for each in documents} | made:
        _namespace(cluster, namespace)

    dry_run(cluster, [each for each in documents if each["kind"] != "Namespace" and not _is_hook(each)])


def test_api_server_takes_our_kinds_and_kubernetes_own(cluster: Cluster) -> None:
    wanted = [each for each in manifests(*FOLDERS) if not is_foreign(each)]
    for namespace in {each["metadata"].get("namespace", "default") for each in wanted}:
        _namespace(cluster, namespace)

    assert {"ExtAuthPolicy", "VirtualGateway"} <= {each["kind"] for each in wanted} & set(KINDS)
    dry_run(cluster, [each for each in wanted if each["kind"] != "Namespace"])


def test_patch_of_argo_cds_settings_is_a_patch(cluster: Cluster) -> None:
    namespace = cluster.namespace("argocd")
    cluster.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": {"url": "x"}},
        namespace=namespace,
    )
    patch = str(EXAMPLES / "argocd" / "argocd-cm.yaml")
    cluster.kubectl("patch", "configmap", "argocd-cm", "--namespace", namespace, "--patch-file", patch)

    patched = cluster.get("ConfigMap", "argocd-cm", namespace=namespace)["data"]
    assert len(KINDS) + 1 == len(patched)
    assert "x" == patched["url"]


def test_script_of_kind_names_files_that_are_there() -> None:
    """There is no Docker here: the script's syntax is checked, and what it hands to other programs."""
    script = EXAMPLES / "kind" / "lab"
    text = script.read_text(encoding="utf-8")
    assert 0 == subprocess.run(["bash", "-n", script], timeout=60, check=False).returncode
    named = re.findall(r"examples/[\w./-]*\w", text.replace("$here", "examples/kind"))

    assert {
        "examples/kind/cluster.yaml",
        "examples/kind/provider.Dockerfile",
        "examples/kind/provider.yaml",
        "examples/kind/values.yaml",
        "examples/huggingface",
    } <= set(named)
    assert [] == [name for name in named if not (ROOT / name).exists()]


def test_address_of_the_stand_in_is_the_one_that_is_dialled() -> None:
    (service,) = [each for each in manifests("kind") if each["kind"] == "Service"]
    (pinned,) = values_in("kind")["proxy"]["resolve"]
    (port,) = values_in("kind")["proxy"]["ports"]
    (mapped,) = yaml.safe_load((EXAMPLES / "kind" / "cluster.yaml").read_text())["nodes"][0]["extraPortMappings"]

    assert f"{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}" == pinned.partition("=")[2]
    assert port["nodePort"] == mapped["containerPort"]


def dry_run(cluster: Cluster, documents: list[Any]) -> None:
    """Ask the API server whether it would take these, by server-side apply as GitOps tools do."""
    text = yaml.safe_dump_all(documents)
    flags = ("--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts")
    cluster.kubectl("apply", *flags, "-f", "-", stdin=text)


def _is_hook(document: Any) -> bool:
    """A pod of `helm test` is not installed."""
    return "helm.sh/hook" in document["metadata"].get("annotations", {})


def _namespace(cluster: Cluster, name: str) -> None:
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
