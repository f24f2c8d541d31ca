"""``docs/gloo-migration.md`` is followed: what a cluster holds is exported, checked and rendered."""

from __future__ import annotations

import shutil

from tests.cluster.cluster import Cluster
from tests.documents.blocks import ROOT, commands_of
from tests.documents.desk import Desk

MAKE, *EXPORT, CHECK, RENDER = commands_of(ROOT / "docs" / "gloo-migration.md")
LAB = ROOT / "examples" / "huggingface"


def test_what_is_exported_from_a_cluster_is_right(console: Desk, private_cluster: Cluster) -> None:
    for namespace in ("gloo-mesh-gateways", "ai-demo"):
        private_cluster.named_namespace(namespace)
    private_cluster.kubectl("apply", "-f", str(LAB))
    shutil.rmtree(console.folder / "manifests")

    for command in (MAKE, *EXPORT):
        assert 0 == console.run(command.text).returncode
    checked, rendered = console.run(CHECK.text), console.run(RENDER.text)

    assert (0, "") == (checked.returncode, checked.stderr)
    assert "No problems" in checked.stdout
    assert "in 2 files (8 objects" in checked.stdout
    assert "authorization: Bearer <secret>" in rendered.stdout


def test_the_export_names_every_kind() -> None:
    (kinds,) = [word for word in EXPORT[0].text.split() if "," in word]
    names = [path.stem.partition("_")[::2] for path in (ROOT / "crds").glob("*.yaml")]

    assert sorted(f"{plural}.{group}" for group, plural in names) == sorted(kinds.split(","))
