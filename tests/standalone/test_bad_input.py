"""Whatever is wrong with one object has a place and a remedy, and costs no other object anything.

Every case is played twice: as a start, and as a change to a gateway that runs, together
with a good change to another object, which must go live.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.standalone.lab import GATEWAY, POLICY, ROUTES, SECRET, SERVICE, TRANSFORMATION, write_lab
from wardgate.ir import GatewayConfig, Route
from wardgate.settings import Settings
from wardgate.standalone.findings.diagnostics import Diagnostic
from wardgate.standalone.rounds.engine import Engine, Outcome
from wardgate.standalone.scan.folder import Folder

OTHER = """\
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: other, namespace: ai-demo}
spec:
  workloadSelectors: []
  http:
  - name: other
    labels: {route: other}
    matchers: [{uri: {prefix: /other}}]
    forwardTo: {destinations: [{kind: EXTERNAL_SERVICE, ref: {name: other}, port: {number: 443}}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: ExternalService
metadata: {name: other, namespace: ai-demo}
spec: {hosts: [other.example.com], ports: [{name: https, number: 443, protocol: HTTPS, clientsideTls: {}}]}
---
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata: {name: other, namespace: ai-demo}
spec:
  applyToRoutes: [{route: {labels: {route: other}}}]
  config: {glooAuth: {configs: [{apiKeyAuth: {k8sSecretApikeyStorage: {labelSelector: {keys: other}}}}]}}
---
apiVersion: v1
kind: Secret
metadata: {name: other, namespace: ai-demo, labels: {keys: other}}
type: extauth.solo.io/apikey
data: {api-key: b3RoZXJrZXk=}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """``at`` is text of the line that the diagnostic must point to, in the file ``file``."""

    name: str
    file: str
    content: str
    at: str
    words: str
    severity: Literal["error", "warning"] = "error"


LOOP = ROUTES + (
    "---\napiVersion: networking.gloo.solo.io/v2\nkind: RouteTable\nmetadata: {name: loop, namespace: ai-demo}\n"
    "spec:\n  workloadSelectors: []\n  http:\n  - name: again\n    matchers: [{uri: {prefix: /loop}}]\n"
    "    delegate: {routeTables: [{name: loop, namespace: ai-demo}]}\n"
)

CASES = [
    Case("not YAML", "service.yaml", SERVICE + "<<<<<<< HEAD\n", "<<<<<<< HEAD", "not YAML"),
    Case("not text", "service.yaml", SERVICE + "\udcff", "", "not UTF-8"),
    Case(
        "one document of two broken",
        "routes.yaml",
        ROUTES.replace("name: direct-to-huggingface-routetable", "name: 'direct-to-huggingface"),
        "name: 'direct-to-huggingface",
        "Close the quote",
    ),
    Case(
        "unknown kind",
        "policy.yaml",
        POLICY.replace("kind: ExtAuthPolicy", "kind: ExtAuthPolicies"),
        "kind: ExtAuthPolicies",
        "did you mean ExtAuthPolicy",
    ),
    Case(
        "unknown version",
        "policy.yaml",
        POLICY.replace("solo.io/v2", "solo.io/v1"),
        "apiVersion: security.policy.gloo.solo.io/v1",
        "write apiVersion: security.policy.gloo.solo.io/v2",
    ),
    Case(
        "wrong type",
        "policy.yaml",
        POLICY.replace("headerName: api-key", "headerName: [api-key]"),
        "headerName: [api-key]",
        "headerName must be a text",
    ),
    Case(
        "reference to nothing",
        "routes.yaml",
        ROUTES.replace("name: huggingface-api\n", "name: nothing\n"),
        "- kind: EXTERNAL_SERVICE",
        "names ExternalService ai-demo/nothing, which does not exist",
    ),
    Case("loop of delegations", "routes.yaml", LOOP, "- name: again", "closes a loop of delegations"),
    Case(
        "two gateways on one port",
        "second.yaml",
        GATEWAY.replace("name: ai-ingress-gw", "name: second").replace(
            "- http: {}", "- httpsRedirect: true\n    http: {}"
        ),
        "",
        "8081",
    ),
    Case(
        "template with a syntax error",
        "transformation.yaml",
        TRANSFORMATION.replace("{{ huggingface-api-key }}", "{{ nosuch(1) }}"),
        "text: 'Bearer {{ nosuch(1) }}'",
        "unknown function nosuch",
    ),
    Case(
        "regex that does not compile",
        "transformation.yaml",
        TRANSFORMATION.replace("regex: '.*'", "regex: '(unclosed'"),
        "huggingface-api-key:",
        "Invalid regex",
    ),
    Case(
        "regex that is not linear",
        "transformation.yaml",
        TRANSFORMATION.replace("regex: '.*'", r"regex: '(a)\1'"),
        "huggingface-api-key:",
        "linear time",
    ),
    Case(
        "Secret without api-key",
        "secret.yaml",
        SECRET.replace("  api-key: bXlz", "  other-key: bXlz"),
        "",
        'no entry "api-key"',
        severity="warning",
    ),
    Case(
        "Secret with bad base64",
        "secret.yaml",
        SECRET.replace("bXlzZWNyZXRrZXk=", "not/base64!"),
        "",
        "data.api-key is not base64",
        severity="warning",
    ),
    Case(
        "Secret with a newline in the key",
        "secret.yaml",
        SECRET.replace("bXlzZWNyZXRrZXk=", "bXlzZWNyZXQKa2V5"),
        "",
        "line break",
        severity="warning",
    ),
]


class Bench:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = Folder([root])
        self.engine = Engine(Settings())

    def put(self, name: str, content: str) -> None:
        (self.root / name).write_text(content, errors="surrogateescape")

    def take(self) -> Outcome:
        return self.engine.take(self.folder.scan())

    def diagnostics(self, outcome: Outcome, case: Case) -> list[Diagnostic]:
        """Those that the case is about."""
        content = case.content if case.file != "second.yaml" else ""
        line = next((at for at, text in enumerate(content.split("\n"), start=1) if case.at and case.at in text), 0)
        return [
            one
            for one in outcome.diagnostics
            if one.file == str(self.root / case.file)
            and (not line or one.line == line)
            and case.words in f"{one.message} {one.remedy}"
            and one.severity == case.severity
        ]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(write_lab(tmp_path / "lab"))
    made.put("other.yaml", OTHER)
    return made


def routes(config: GatewayConfig, part: str) -> list[Route]:
    return [
        route
        for listener in config.listeners
        for host in listener.virtual_hosts
        for route in host.routes
        if part in route.name
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mistake_at_a_start_has_its_place(bench: Bench, case: Case) -> None:
    bench.put(case.file, case.content)
    outcome = bench.take()

    assert bench.diagnostics(outcome, case), outcome.diagnostics


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mistake_in_a_running_gateway_costs_no_other_object_anything(bench: Bench, case: Case) -> None:
    before = bench.take()
    bench.put(case.file, case.content)
    bench.put("other.yaml", OTHER.replace("prefix: /other", "prefix: /elsewhere"))
    after = bench.take()

    assert bench.diagnostics(after, case), after.diagnostics
    (was,) = routes(before.config, "/other")
    (now,) = routes(after.config, "/other")
    assert ["/other", "/elsewhere"] == [route.matches[0].paths[-1].value for route in (was, now)]
    assert (was.action, was.auth) == (now.action, now.auth)
    assert [one for one in before.config.auth_plans if one.name == was.auth] == [
        one for one in after.config.auth_plans if one.name == now.auth
    ]
    assert [one for one in before.config.credentials if one.name == "other"] == [
        one for one in after.config.credentials if one.name == "other"
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_route_with_a_mistake_is_never_open(bench: Bench, case: Case) -> None:
    bench.take()
    bench.put(case.file, case.content)

    assert all(
        route.auth or type(route.action).__name__ == "Refuse" for route in routes(bench.take().config, "demo-hugg")
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_route_with_a_mistake_is_never_open_from_the_start(bench: Bench, case: Case) -> None:
    bench.put(case.file, case.content)
    config = bench.take().config

    assert all(route.auth or type(route.action).__name__ == "Refuse" for route in routes(config, "demo-hugg"))
    assert ["ai-demo/other"] == [route.auth for route in routes(config, "/other")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mistake_that_is_mended_leaves_nothing_behind(bench: Bench, case: Case) -> None:
    before = bench.take()
    bench.put(case.file, case.content)
    bench.take()
    (bench.root / case.file).unlink()
    write_lab(bench.root)
    after = bench.take()

    assert (before.bundle.revision, before.diagnostics) == (after.bundle.revision, after.diagnostics)


def test_no_message_quotes_a_secret(bench: Bench) -> None:
    for case in CASES:
        if case.file == "secret.yaml":
            bench.put(case.file, case.content)
            shown = repr(bench.take().diagnostics)
            assert "bXlz" not in shown
            assert "not/base64" not in shown


@pytest.mark.no_cover
def test_ten_megabytes_beside_a_gateway_cost_it_nothing(bench: Bench) -> None:
    before = bench.take()
    line = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {text: " + "x" * 1000 + "}\n---\n"
    bench.put("many.yaml", line * 10_000)
    after = bench.take()

    assert (bench.root / "many.yaml").stat().st_size > 10_000_000
    assert before.bundle.revision == after.bundle.revision
    assert () == after.diagnostics
