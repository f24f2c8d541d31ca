"""A folder means what a real cluster means: what was applied there from a folder, and what is exported from it.

The operator's side is its own: its watches with the rights of its chart, its store, its renderer. All that
needs no real API server is in ``tests/standalone/test_same_as_in_a_cluster.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.examples.servers import EXAMPLES
from tests.kube.watching import Account, run, watching
from wardgate.api import KINDS
from wardgate.renderer import Rendered, Renderer
from wardgate.settings import Settings
from wardgate.standalone.rounds.engine import Engine, Outcome
from wardgate.standalone.scan.folder import Folder

_ODD = Path(__file__).parent / "odd"
_EXPORTED = ",".join((*(kind.plural for kind in KINDS.values()), "secrets"))
_NAMESPACES = ("ai-demo", "ai-gateway", "gloo-mesh-gateways", "team-blue")

_POLICY = """\
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata: {{name: {name}}}
spec:
  applyToRoutes: [{{route: {{labels: {{route: llm}}}}}}]
  config: {{glooAuth: {{configs: [{{apiKeyAuth: {{k8sSecretApikeyStorage: {{labelSelector: {{keys: {name}}}}}}}}}]}}}}
"""


def _as_folder(folder: Path) -> Outcome:
    return Engine(Settings()).take(Folder([folder]).scan())


def _as_operator(account: Account) -> Rendered:
    """The operator's config once it has read everything, and the Secrets that objects name."""
    found: list[Rendered] = []

    async def scenario() -> None:
        renderer = Renderer(Settings())
        async with watching(account) as it:
            await it.is_quiet()
            it.secrets.follow(renderer.render(it.store.freeze()).translation.named_secrets)
            await it.is_quiet()
            found.append(renderer.render(it.store.freeze()))

    run(scenario())
    return found[0]


def _export(cluster: Cluster, folder: Path) -> Path:
    folder.mkdir()
    (folder / "all.yaml").write_text(cluster.kubectl("get", _EXPORTED, "-A", "-o", "yaml").stdout)
    return folder


@pytest.mark.parametrize("folder", [_ODD, *sorted(path.parent for path in EXAMPLES.glob("*/1-gateway.yaml"))])
def test_applied_folder_and_export_come_to_the_operators_config(cluster: Cluster, tmp_path: Path, folder: Path) -> None:
    for namespace in _NAMESPACES:
        cluster.named_namespace(namespace)
    cluster.kubectl("apply", "--validate=false", "-f", str(folder))
    operator = _as_operator(Account(cluster))

    assert operator.translation.config.listeners
    for given in (folder, _export(cluster, tmp_path / "export")):
        outcome = _as_folder(given)
        assert operator.translation.config == outcome.config
        assert operator.bundle.groups == outcome.bundle.groups


def test_exported_policies_keep_their_order_of_age(cluster: Cluster, tmp_path: Path) -> None:
    cluster.kubectl("apply", "--validate=false", "-f", str(_ODD))
    cluster.delete("ExtAuthPolicy", "policy", namespace="default")
    cluster.kubectl("apply", "-f", "-", stdin=_POLICY.format(name="z-older"))
    first = _created(cluster, "z-older")

    def is_younger() -> bool:
        cluster.kubectl("delete", "--ignore-not-found", "extauthpolicies", "a-younger")
        cluster.kubectl("apply", "-f", "-", stdin=_POLICY.format(name="a-younger"))
        return _created(cluster, "a-younger") > first

    cluster.wait_until(is_younger, seconds=10, what="the API server's clock shows another second")
    operator = _as_operator(Account(cluster))
    outcome = _as_folder(_export(cluster, tmp_path / "export"))

    assert ["default/z-older"] == [plan.name for plan in outcome.config.auth_plans]
    assert operator.bundle.groups == outcome.bundle.groups


def _created(cluster: Cluster, name: str) -> str:
    return str(cluster.get("ExtAuthPolicy", name, namespace="default")["metadata"]["creationTimestamp"])
