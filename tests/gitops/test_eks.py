"""The example for EKS: its objects are right together, once the tools that it uses have made their Secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from tests.chart.helm import Helm, Manifest, container, of_kind, one
from tests.cluster.objects import read_manifests
from tests.documents.blocks import ROOT
from wardgate.cli.check import diagnose
from wardgate.settings import Settings

EXAMPLE = ROOT / "examples" / "eks"
VALUES: Any = yaml.safe_load((EXAMPLE / "values.yaml").read_text(encoding="utf-8"))
NLB: Any = yaml.safe_load((ROOT / "charts" / "wardgate" / "values-nlb.yaml").read_text(encoding="utf-8"))
STORED = {"key": "not-a-real-key", "token": "not-a-real-token"}
GATEWAY: Any = next(each for each in read_manifests(EXAMPLE / "5-gateway.yaml") if each["kind"] == "VirtualGateway")


def objects(kind: str) -> list[Any]:
    """The example's objects of a kind."""
    return [each for each in read_manifests(EXAMPLE) if each.get("kind") == kind]


def key_secret() -> Any:
    """Make the Secret of the ExternalSecret, as its template says."""
    (external,) = objects("ExternalSecret")
    target = external["spec"]["target"]
    entries = {}
    for name, template in target["template"]["data"].items():
        entries[name] = template
        for each in external["spec"]["data"]:
            entries[name] = entries[name].replace(f"{{{{ .{each['secretKey']} }}}}", STORED[each["secretKey"]])
    metadata = {"name": target["name"], "namespace": external["metadata"]["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata | target["template"]["metadata"],
        "type": target["template"]["type"],
        "stringData": entries,
    }


def certificate_secret(folder: Path) -> Any:
    """Make the Secret of the Certificate."""
    (wanted,) = objects("Certificate")
    made = trustme.CA().issue_cert(*wanted["spec"]["dnsNames"])
    made.private_key_pem.write_to_path(folder / "key.pem")
    chain = "".join(each.bytes().decode() for each in made.cert_chain_pems)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": wanted["spec"]["secretName"], "namespace": wanted["metadata"]["namespace"]},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": chain, "tls.key": (folder / "key.pem").read_text()},
    }


def found(folder: Path, *more: Any) -> list[tuple[str, str]]:
    manifests = folder / "manifests"
    manifests.mkdir()
    everything = [*read_manifests(EXAMPLE / "5-gateway.yaml"), *more]
    (manifests / "all.yaml").write_text(yaml.safe_dump_all(everything))
    settings = Settings(tenancy=VALUES["tenancy"], platform_namespaces=frozenset(VALUES["platformNamespaces"]))
    return [(each.severity, each.message) for each in diagnose([manifests], settings)[1]]


def test_objects_are_right_once_the_secrets_are_there(tmp_path: Path) -> None:
    assert [] == found(tmp_path, key_secret(), certificate_secret(tmp_path))


def test_key_has_both_the_callers_part_and_the_providers() -> None:
    made = key_secret()

    assert {"api-key": STORED["key"], "authorization": f"Bearer {STORED['token']}"} == made["stringData"]
    (service,) = objects("ExternalService")
    assert ",".join(service["spec"]["hosts"]) == made["metadata"]["annotations"]["wardgate.dev/upstream-hosts"]


def test_role_reads_the_secrets_that_are_named_and_no_others() -> None:
    (reading, _) = json.loads((EXAMPLE / "iam-keys.json").read_text(encoding="utf-8"))["Statement"]
    prefix = reading["Resource"].rpartition(":secret:")[2].removesuffix("*")
    (external,) = objects("ExternalSecret")

    assert "wardgate/" == prefix
    assert {True} == {each["remoteRef"]["key"].startswith(prefix) for each in external["spec"]["data"]}


def test_stores_and_issuers_are_those_that_are_named() -> None:
    (external,), (store,), (account,) = objects("ExternalSecret"), objects("SecretStore"), objects("ServiceAccount")
    (certificate,), (issuer,) = objects("Certificate"), objects("Issuer")

    assert store["metadata"]["name"] == external["spec"]["secretStoreRef"]["name"]
    assert account["metadata"]["name"] == store["spec"]["provider"]["aws"]["auth"]["jwt"]["serviceAccountRef"]["name"]
    assert issuer["metadata"]["name"] == certificate["spec"]["issuerRef"]["name"]
    assert certificate["spec"]["secretName"] == GATEWAY["spec"]["listeners"][0]["tls"]["secretName"]


@pytest.fixture
def rendered(helm: Path) -> list[Manifest]:
    """The chart with the values of the walk, the balancer's first."""
    text = Helm(helm).text(
        *("template", "wardgate", str(ROOT / "charts" / "wardgate"), "--namespace", "wardgate"),
        *("--values", str(ROOT / "charts" / "wardgate" / "values-nlb.yaml"), "--values", str(EXAMPLE / "values.yaml")),
    )
    return [each for each in yaml.safe_load_all(text) if each]


def test_balancer_offers_the_gateways_port_and_no_other(rendered: list[Manifest]) -> None:
    service = one(rendered, "Service", "wardgate-proxy")

    assert [GATEWAY["spec"]["listeners"][0]["port"]["number"]] == [port["port"] for port in service["spec"]["ports"]]
    assert "LoadBalancer" == service["spec"]["type"]
    assert NLB["proxy"]["service"]["annotations"].items() <= service["metadata"]["annotations"].items()


def test_operator_is_isolated_and_reads_secrets_of_the_platform_alone(rendered: list[Manifest]) -> None:
    arguments = " ".join(container(rendered, "operator")["args"])
    assert "--tenancy=isolated" in arguments
    assert "--platform-namespace=ai-gateway" in arguments

    reading = {
        role["metadata"].get("namespace", "everywhere")
        for role in of_kind(rendered, "Role", "ClusterRole")
        for rule in role["rules"]
        if "secrets" in rule["resources"] and "watch" in rule["verbs"] and "resourceNames" not in rule
    }
    secrets = {each["metadata"]["namespace"] for each in (key_secret(), *objects("Certificate"))}
    assert {*secrets, "wardgate-config"} == reading


def test_namespaces_of_the_rights_are_made_before(rendered: list[Manifest]) -> None:
    own = {each["metadata"]["name"] for each in of_kind(rendered, "Namespace")}
    made = {each["metadata"]["name"] for each in read_manifests(EXAMPLE / "1-namespaces.yaml")}
    needed = {each["metadata"]["namespace"] for each in rendered if "namespace" in each["metadata"]}

    assert set() == needed - own - made - {"default"}
