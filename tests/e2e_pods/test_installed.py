"""The chart in a namespace that enforces the restricted Pod Security Standard, and what its pods may not do."""

from __future__ import annotations

import json

import pytest

from tests.e2e_pods.calls import Calls
from tests.e2e_pods.release import Release, restarts
from tests.e2e_pods.site import Site

LOOK = """
import errno, json, os
status = dict(line.split(":", 1) for line in open("/proc/1/status").read().splitlines())
def written(folder):
    try:
        open(os.path.join(folder, "probe"), "w").close()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "written"
print(json.dumps({
    "users": sorted({int(word) for word in status["Uid"].split()}),
    "capabilities": int(status["CapEff"], 16),
    "no new privileges": status["NoNewPrivs"].strip(),
    "seccomp": status["Seccomp"].strip(),
    "folders": {folder: written(folder) for folder in ("/", "/opt/wardgate", "/tmp", "/usr")},
}))
"""
ASK_FOR_SECRETS = """
import ssl, urllib.error, urllib.request
folder = "/var/run/secrets/kubernetes.io/serviceaccount/"
context = ssl.create_default_context(cafile=folder + "ca.crt")
headers = {"Authorization": "Bearer " + open(folder + "token").read()}
for path in PATHS:
    request = urllib.request.Request("https://kubernetes.default.svc" + path, headers=headers)
    try:
        print(urllib.request.urlopen(request, context=context, timeout=10).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""
COMPONENTS = pytest.mark.parametrize("component", ["operator", "proxy"])


@COMPONENTS
def test_every_pod_is_ready_and_was_started_once(release: Release, component: str) -> None:
    assert [0, 0] == [restarts(pod) for pod in release.ready_pods(component)]


@COMPONENTS
def test_a_pod_is_no_root_and_can_write_nowhere(site: Site, release: Release, component: str) -> None:
    pod = release.pods(component)[0]["metadata"]["name"]

    found = json.loads(site.run_in(release.namespace, pod, LOOK))

    assert [65532] == found["users"]
    assert (0, "1", "2") == (found["capabilities"], found["no new privileges"], found["seccomp"])
    assert {"EROFS"} == set(found["folders"].values())


def test_the_data_plane_is_compiled(site: Site, release: Release) -> None:
    pod = release.pods("proxy")[0]["metadata"]["name"]

    said = site.kubectl("-n", release.namespace, "exec", pod, "--", "wardgate", "version")

    assert said.endswith(", compiled)\n")


def test_a_proxy_s_own_token_reads_the_config_and_nothing_else(site: Site, release: Release, calls: Calls) -> None:
    """Asked from within the pod, with the token that an intruder would find there."""
    config = f"/api/v1/namespaces/{release.config_namespace}/secrets"
    paths = [
        f"{config}/{release.name}-index",
        config,
        f"/api/v1/namespaces/{release.namespace}/secrets",
        f"/api/v1/namespaces/{calls.namespace}/secrets/caller",
        "/api/v1/secrets",
        f"/api/v1/namespaces/{release.namespace}/pods",
    ]
    pod = release.pods("proxy")[0]["metadata"]["name"]

    said = site.run_in(release.namespace, pod, f"PATHS = {paths}\n{ASK_FOR_SECRETS}")

    assert ["200", *["403"] * 5] == said.split()


def test_an_operator_s_own_token_takes_no_secret_from_a_tenant(site: Site, release: Release, calls: Calls) -> None:
    """It lists and watches them; it has no right to get, change or delete one."""
    user = f"system:serviceaccount:{release.namespace}:{release.name}-operator"

    may = {
        verb: site.can(user, verb, "secrets", namespace=calls.namespace)
        for verb in ("list", "watch", "get", "create", "update", "patch", "delete")
    }

    assert ["list", "watch"] == [verb for verb, allowed in may.items() if allowed]
