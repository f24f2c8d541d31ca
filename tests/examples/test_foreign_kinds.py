"""``wardgate run`` over folders that hold kinds of the API which Wardgate does not implement."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.conftest import StartGateway

ROUTES = """
apiVersion: networking.gloo.solo.io/v2
kind: VirtualGateway
metadata: {name: gateway, namespace: ai}
spec: {listeners: [{http: {}, port: {number: 8081}}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: models, namespace: ai}
spec:
  hosts: ['*']
  virtualGateways: [{name: gateway}]
  http:
  - {name: chat, labels: {team: chat}, matchers: [{uri: {prefix: /chat}}], directResponse: {status: 200, body: chat}}
  - {name: health, matchers: [{uri: {prefix: /health}}], directResponse: {status: 200, body: well}}
"""
CLUSTER = """
apiVersion: admin.gloo.solo.io/v2
kind: KubernetesCluster
metadata: {name: cluster-1, namespace: ai}
spec: {clusterDomain: cluster.local}
"""
JWT = """
apiVersion: security.policy.gloo.solo.io/v2
kind: JWTPolicy
metadata: {name: callers, namespace: ai}
spec:
  applyToRoutes: [{route: {labels: {team: chat}}}]
  config: {providers: {idp: {issuer: 'https://idp.example.com', local: {inline: '{"keys":[]}'}}}}
"""
KEYS = """
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata: {name: keys, namespace: ai}
spec:
  applyToRoutes: [{route: {labels: {team: chat}}}]
  config: {glooAuth: {configs: [{apiKeyAuth: {headerName: api-key, labelSelector: {team: chat}}}]}}
---
apiVersion: v1
kind: Secret
metadata: {name: alice, namespace: ai, labels: {team: chat}}
type: extauth.solo.io/apikey
stringData: {api-key: a-key-of-alice}
"""
AUTH_CONFIG = """
apiVersion: extauth.solo.io/v1
kind: AuthConfig
metadata: {name: keys, namespace: ai}
spec: {configs: [{apiKeyAuth: {headerName: api-key, labelSelector: {keys: chat}}}]}
"""
TIMEOUT = """
apiVersion: resilience.policy.gloo.solo.io/v2
kind: RetryTimeoutPolicy
metadata: {name: fast, namespace: ai}
spec: {applyToRoutes: [{route: {labels: {team: chat}}}], config: {requestTimeout: 2s}}
"""


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.mark.slow
def test_guard_of_another_kind_closes_its_route_until_a_policy_guards_it(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = start_gateway(written(tmp_path, routes=ROUTES, cluster=CLUSTER, jwt=JWT))

    closed = gateway.ask("GET", "/chat")
    assert (403, {"error": "This route is closed to all callers."}) == (closed.status, closed.json())
    assert 200 == gateway.ask("GET", "/health").status
    told = "\n".join(gateway.program.lines)
    assert 1 == told.count("JWTPolicy ai/callers selects 1 route and does not guard it: Wardgate does not check JWTs.")
    assert "KubernetesCluster" not in told

    written(tmp_path, keys=KEYS)
    # One worker takes a config a moment before the other: each answer is waited for.
    key = {"api-key": "a-key-of-alice"}
    assert 401 == gateway.ask_until(lambda answer: answer.status == 401, "GET", "/chat").status
    assert 200 == gateway.ask_until(lambda answer: answer.status == 200, "GET", "/chat", headers=key).status

    (tmp_path / "keys.yaml").unlink()
    assert 403 == gateway.ask_until(lambda answer: answer.status == 403, "GET", "/chat").status

    (tmp_path / "jwt.yaml").unlink()
    assert 200 == gateway.ask_until(lambda answer: answer.status == 200, "GET", "/chat").status


@pytest.mark.slow
def test_kinds_that_guard_no_route_of_ours_are_told_and_change_nothing(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    gateway = start_gateway(written(tmp_path, routes=ROUTES, auth=AUTH_CONFIG, timeout=TIMEOUT))

    assert 200 == gateway.ask("GET", "/chat").status
    told = "\n".join(gateway.program.lines)
    assert "AuthConfig ai/keys has no effect: it selects no route, and guards none." in told
    assert "RetryTimeoutPolicy ai/fast selects 1 route and does not change it: Wardgate retries no request" in told
