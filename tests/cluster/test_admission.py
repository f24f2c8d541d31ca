"""Our kinds on a real API server: it takes them, explains them, and refuses what is wrong with a word that helps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.manifests import (
    api_key_policy,
    auth_policy,
    external_service,
    gateway,
    manifest,
    request_template,
    route_table,
)
from tests.cluster.cluster import CRDS, Cluster
from tests.cluster.http_api import ApiError
from wardgate.api.kinds.conditions import UNSEEN

pytestmark = pytest.mark.slow

LAB = sorted((Path(__file__).parents[2] / "examples" / "huggingface").glob("*.yaml"))
LAB_NAMESPACES = ("gloo-mesh-gateways", "ai-demo")

_FORWARD = {"forwardTo": {"destinations": [{"ref": {"name": "a"}, "port": {"number": 443}}]}}
_KEY = {"headerName": "api-key", "k8sSecretApikeyStorage": {"labelSelector": {"a": "b"}}}

# What is wrong, and the field and the word with which the API server refuses it.
REFUSED = {
    # by the schema
    "auth server's status of text": (
        manifest("ExtAuthServer", {"destinationServer": {"ref": {"name": "a"}}, "statusOnError": "many"}),
        r"spec\.statusOnError.*must be of type integer",
    ),
    "port beyond 65535": (
        external_service(hosts=["api.test"], ports=[{"number": 70000}]),
        r"spec\.ports\[0\]\.number.*less than or equal to 65535",
    ),
    "gateway without a listener": (
        manifest("VirtualGateway", {"listeners": []}),
        r"spec\.listeners.*at least 1 items",
    ),
    "destination of an unknown kind": (
        route_table({"forwardTo": {"destinations": [{"kind": "MAINFRAME", "ref": {"name": "a"}}]}}),
        r"destinations\[0\]\.kind: Unsupported value: \"MAINFRAME\"",
    ),
    # by CEL
    "route without an action": (route_table({"name": "idle"}), r"spec\.http\[0\].*Name exactly one action"),
    "route with two actions": (
        route_table({**_FORWARD, "directResponse": {"status": 200}}),
        r"spec\.http\[0\].*Name exactly one action",
    ),
    "table without a route": (route_table(), "Give at least one route under http: tcp and tls are not supported"),
    "port by name and by number": (
        route_table({"forwardTo": {"destinations": [{"ref": {"name": "a"}, "port": {"number": 1, "name": "b"}}]}}),
        r"port.*Give the port's number or its name, not both",
    ),
    "two ways to match a path": (
        route_table({**_FORWARD, "matchers": [{"uri": {"prefix": "/a", "exact": "/b"}}]}),
        "Give only one of exact, prefix, regex and suffix",
    ),
    "two host rewrites": (
        route_table({"forwardTo": {**_FORWARD["forwardTo"], "hostRewrite": "a.test", "autoHostRewrite": True}}),
        "Give either hostRewrite or autoHostRewrite, not both",
    ),
    "service with hosts and addresses": (
        external_service(hosts=["api.test"], addresses=["192.0.2.7"]),
        "Give the server's hosts or its addresses, one of the two",
    ),
    "certificate from a Secret and from files": (
        gateway({"tls": {"mode": "SIMPLE", "secretName": "a", "files": {"serverCert": "/a", "privateKey": "/b"}}}),
        "Give either secretName or files, not both",
    ),
    "auth server that is an ExternalService": (
        manifest("ExtAuthServer", {"destinationServer": {"ref": {"name": "a"}, "kind": "EXTERNAL_SERVICE"}}),
        "An ExternalService cannot be the auth server",
    ),
}

ACCEPTED = {
    "policy with a key step": api_key_policy(_KEY),
    "policy with two steps": auth_policy({"apiKeyAuth": _KEY}, {"apiKeyAuth": _KEY}),
    "policy that reads a header": request_template({"headers": {"x": {"text": '{{ header("y") }}'}}}),
    "table that forwards": route_table(_FORWARD),
    "service with a host": external_service(hosts=["api.test"]),
}


def _in(namespace: str, given: dict[str, Any]) -> dict[str, Any]:
    return {**given, "metadata": {"name": "one", "namespace": namespace}}


def test_every_crd_is_established_without_a_complaint(cluster: Cluster) -> None:
    """``NonStructuralSchema`` and refused names are conditions as well, and none may be there."""
    for path in sorted(CRDS.glob("*.yaml")):
        name = yaml.safe_load(path.read_text(encoding="utf-8"))["metadata"]["name"]
        conditions = cluster.get("CustomResourceDefinition", name)["status"]["conditions"]

        assert {"NamesAccepted": "True", "Established": "True"} == {
            condition["type"]: condition["status"] for condition in conditions
        }, name


def test_crds_apply_with_kubectl_without_a_warning(cluster: Cluster) -> None:
    ended = cluster.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", str(CRDS))

    assert "" == ended.stderr
    assert 7 == len(ended.stdout.splitlines())


def test_policies_explain_themselves(cluster: Cluster) -> None:
    told = cluster.kubectl("explain", "extauthpolicy.spec").stdout
    fields = dict(re.findall(r"^  (\w+)\t<.*?>.*\n((?:    .*\n)+)", told, re.MULTILINE))

    assert {"applyToRoutes", "config"} <= fields.keys()
    assert [] == [name for name, text in fields.items() if not text.strip().endswith(".")]


def test_explanation_reaches_the_last_field(cluster: Cluster) -> None:
    told = cluster.kubectl("explain", "extauthpolicy.spec.config.glooAuth.configs.apiKeyAuth.headerName").stdout

    assert "<string>" in told
    assert re.search(r"DESCRIPTION:\n +\S.*\.\n", told)


@pytest.mark.parametrize("case", REFUSED)
def test_mistake_is_refused_with_field_and_reason(cluster: Cluster, case: str) -> None:
    given, message = REFUSED[case]
    with pytest.raises(ApiError, match=f"(?s){message}") as refused:
        cluster.create(_in(cluster.namespace("team"), given))

    assert (422, "Invalid") == (refused.value.status, refused.value.reason)


@pytest.mark.parametrize("case", ACCEPTED)
def test_right_object_is_accepted_as_it_is(cluster: Cluster, case: str) -> None:
    given = _in(cluster.namespace("team"), ACCEPTED[case])

    assert given["spec"] == cluster.create(given)["spec"]


def test_kubectl_user_reads_the_message(cluster: Cluster) -> None:
    namespace = cluster.namespace("team")
    given = _in(namespace, route_table({"name": "idle"}))
    ended = cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(given), check=False)

    assert 1 == ended.returncode
    assert "Name exactly one action: forwardTo, redirect, directResponse or delegate." in ended.stderr


def test_lab_is_accepted_as_it_is(cluster: Cluster) -> None:
    for namespace in LAB_NAMESPACES:
        cluster.named_namespace(namespace)
    token = cluster.control_plane.credentials.admin_token
    kubeconfig = cluster.kubeconfig_for(token=token, namespace=LAB_NAMESPACES[0])
    for path in LAB:
        cluster.kubectl("apply", "-f", str(path), kubeconfig=kubeconfig)

    written = [each for path in LAB for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    for each in written:
        namespace = each["metadata"].get("namespace", LAB_NAMESPACES[0])
        served = cluster.get(each["kind"], each["metadata"]["name"], namespace=namespace)
        assert each.get("spec") == served.get("spec")


def test_status_is_a_subresource(cluster: Cluster) -> None:
    namespace = cluster.namespace("team")
    cluster.create(_in(namespace, api_key_policy(_KEY)))
    status = {"status": {"common": {"State": {"approval": "ACCEPTED"}}}}
    through_object = cluster.patch("ExtAuthPolicy", "one", status, namespace=namespace)
    through_status = cluster.patch("ExtAuthPolicy", "one", status, namespace=namespace, subresource="status")

    assert UNSEEN == through_object["status"]
    assert {**UNSEEN, **status["status"]} == through_status["status"]
    assert 1 == through_status["metadata"]["generation"]


def test_spec_cannot_be_changed_through_status(cluster: Cluster) -> None:
    namespace = cluster.namespace("team")
    made = cluster.create(_in(namespace, api_key_policy(_KEY)))
    body: dict[str, Any] = {"spec": {"config": {"glooAuth": {"configs": []}}}}
    patched = cluster.patch("ExtAuthPolicy", "one", body, namespace=namespace, subresource="status")

    assert made["spec"] == patched["spec"]
