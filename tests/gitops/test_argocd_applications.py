"""The Applications and the project of ``examples/argocd`` against the chart that they install."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chart.helm import Helm, Manifest
from tests.cluster.objects import read_manifests
from tests.documents.blocks import ROOT

EXAMPLE = ROOT / "examples" / "argocd"
PROJECT: Any = read_manifests(EXAMPLE / "project.yaml")[0]
APPLICATIONS: dict[str, Any] = {
    each["metadata"]["name"]: each for each in read_manifests(EXAMPLE / "applications.yaml")
}


def rendered(helm: Path) -> list[Manifest]:
    """Render the chart as the Application does: its values, its release, its namespace."""
    spec = APPLICATIONS["wardgate"]["spec"]
    assert (ROOT / spec["source"]["path"] / "Chart.yaml").is_file()
    settings = spec["source"]["helm"]
    namespace = spec["destination"]["namespace"]
    return Helm(helm).render(settings["valuesObject"], release=settings["releaseName"], namespace=namespace, crds=True)


@pytest.mark.slow
def test_project_permits_what_the_chart_makes_and_no_more(helm: Path) -> None:
    documents = rendered(helm)
    cluster_wide = {
        (each["apiVersion"].rpartition("/")[0], each["kind"])
        for each in documents
        if "namespace" not in each["metadata"]
    }
    namespaces = {each["metadata"]["namespace"] for each in documents if "namespace" in each["metadata"]}

    assert cluster_wide == {(one["group"], one["kind"]) for one in PROJECT["spec"]["clusterResourceWhitelist"]}
    policies = APPLICATIONS["ai-policies"]["spec"]["destination"]["namespace"]
    assert namespaces | {policies} == {one["namespace"] for one in PROJECT["spec"]["destinations"]}


@pytest.mark.parametrize("name", sorted(APPLICATIONS))
def test_application_is_within_the_project(name: str) -> None:
    spec = APPLICATIONS[name]["spec"]

    assert PROJECT["metadata"]["name"] == spec["project"]
    assert spec["source"]["repoURL"] in PROJECT["spec"]["sourceRepos"]


@pytest.mark.parametrize("name", sorted(APPLICATIONS))
def test_no_difference_is_hidden(name: str) -> None:
    """``tests/gitops/test_no_drift.py`` shows that there is none to hide."""
    spec = APPLICATIONS[name]["spec"]

    assert "ignoreDifferences" not in spec
    assert {"prune": True, "selfHeal": True} == spec["syncPolicy"]["automated"]
