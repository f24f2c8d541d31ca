"""``docs/status.md`` is followed on a real API server, in the state that its table shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.cluster import Cluster
from tests.documents.blocks import ROOT, commands_of
from tests.documents.desk import Desk
from tests.e2e.installation import Installation

TABLE, WIDE, APPLY, WAIT, STATUS, QUERY = commands_of(ROOT / "docs" / "status.md")
LAB = ROOT / "examples" / "huggingface"
GATEWAYS, ROUTES = "gloo-mesh-gateways", "ai-demo"
LIVE_SECONDS = 20.0


@pytest.fixture
def served(console: Desk, private_cluster: Cluster, tmp_path: Path) -> Iterator[Desk]:
    """The lab with three keys, and a policy of two routes that cannot be enforced."""
    assert 0 == console.run("helm install wardgate charts/wardgate -n wardgate --create-namespace").returncode
    for namespace in (GATEWAYS, ROUTES):
        private_cluster.named_namespace(namespace)
    for path in sorted(LAB.glob("*.yaml")):
        private_cluster.apply(list(yaml.safe_load_all(path.read_text())))
    private_cluster.apply([*more_keys(), *second_policy()])
    with Installation(private_cluster, None, tmp_path, release="wardgate", namespace="wardgate") as installation:
        installation.operator()
        for _ in range(2):
            installation.proxy()
        yield console


def more_keys() -> list[dict[str, object]]:
    (key,) = yaml.safe_load_all((LAB / "4-key.yaml").read_text())
    return [
        {
            **key,
            "metadata": {**key["metadata"], "name": f"key-{number}"},
            "data": {**key["data"], "api-key": f"a2V5LW{number}="},
        }
        for number in "gw"
    ]


def second_policy() -> list[dict[str, object]]:
    """A policy that asks for a module which is not implemented, its two routes and its key."""
    policy = yaml.safe_load((LAB / "3-policy.yaml").read_text())
    policy["metadata"]["name"] = "openai-apikey"
    policy["spec"]["applyToRoutes"] = [{"route": {"labels": {"route": "openai"}}}]
    policy["spec"]["config"]["glooAuth"]["configs"] = [{"oauth2": {}}]
    answer = {"labels": {"route": "openai"}, "directResponse": {"status": 200}}
    paths = ("/openai/chat", "/openai/models")
    table = {
        "apiVersion": "networking.gloo.solo.io/v2",
        "kind": "RouteTable",
        "metadata": {"name": "openai", "namespace": ROUTES},
        "spec": {"http": [{**answer, "name": path[8:], "matchers": [{"uri": {"exact": path}}]} for path in paths]},
    }
    return [policy, table]


def test_the_page_is_followed(served: Desk, private_cluster: Cluster) -> None:
    """One test for all of it: an API server, an operator and two proxies are much for each command."""
    private_cluster.wait_until(
        lambda: the_table_is_shown(served), seconds=LIVE_SECONDS, what="kubectl prints what the page shows"
    )
    wide = served.run(WIDE.text).stdout.splitlines()[0].split()
    assert ["REJECTED", "DUPLICATE", "EXPIRING", "MESSAGE"] == [each for each in wide if each not in TABLE.shown]

    (served.folder / "policy.yaml").write_text((LAB / "3-policy.yaml").read_text())
    assert 0 == served.run(APPLY.text).returncode
    assert 0 == served.run(WAIT.text).returncode

    screen = served.run(STATUS.text)
    assert (0, "") == (screen.returncode, screen.stderr)
    assert f"ExtAuthPolicy {GATEWAYS}/openai-apikey" in screen.stdout

    the_report_has_what_jq_is_asked_for(served)


def the_table_is_shown(served: Desk) -> bool:
    """All but the ages, for which a test cannot wait."""
    printed = served.run(TABLE.text).stdout
    assert without_last_column(TABLE.shown) == without_last_column(printed), printed
    return True


def without_last_column(table: str) -> list[list[str]]:
    return [line.split()[:-1] for line in table.splitlines()]


def the_report_has_what_jq_is_asked_for(served: Desk) -> None:
    """``jq`` is nothing of ours; the fields that its program reads are."""
    command, _, program = QUERY.text.partition(" | ")
    report = json.loads(served.run(command).stdout)
    wanted = set(re.findall(r"\\\(\.(\w+)\)", program))

    assert program.startswith("jq -r '.problems[] ")
    assert {"severity", "subject", "message"} == wanted
    assert report["problems"]
    assert all(wanted <= problem.keys() for problem in report["problems"])
