"""What the real Helm renders is what the architecture names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.chart.helm import CHART, Helm, HelmRefused, Manifest, container, of_kind, one
from tests.chart.values import EVERY_VALUE


def _names(documents: Sequence[Manifest]) -> list[str]:
    return sorted(
        f"{document['kind']} {document['metadata'].get('namespace', '')}/{document['metadata']['name']}"
        for document in documents
    )


def test_default_values_render_the_objects_that_the_architecture_names(helm: Helm) -> None:
    rights = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    documents = helm.render()

    assert [
        "Deployment wardgate/wardgate-operator",
        "Deployment wardgate/wardgate-proxy",
        "Namespace /wardgate-config",
        "Pod wardgate/wardgate-test",
        "PodDisruptionBudget wardgate/wardgate-operator",
        "PodDisruptionBudget wardgate/wardgate-proxy",
        "Service wardgate/wardgate-proxy",
        "Service wardgate/wardgate-proxy-admin",
        "ServiceAccount wardgate/wardgate-operator",
        "ServiceAccount wardgate/wardgate-proxy",
    ] == _names([document for document in documents if document["kind"] not in rights])


def test_no_two_objects_have_one_name(helm: Helm) -> None:
    everywhere = ["default", "wardgate", "wardgate-config"]
    names = _names(helm.render({"watchNamespaces": everywhere, "keyNamespaces": everywhere}))

    assert sorted(set(names)) == names


def test_two_releases_of_one_name_share_no_object_outside_their_namespaces(helm: Helm) -> None:
    first, second = (
        set(_names(helm.render({"configNamespace": {"name": f"config-of-{namespace}"}}, namespace=namespace)))
        for namespace in ("one", "two")
    )

    assert set() == first & second


def test_every_object_is_labelled_as_part_of_its_release(helm: Helm) -> None:
    labels = [document["metadata"]["labels"] for document in helm.render(release="edge")]

    assert {("wardgate", "edge", "Helm")} == {
        (each["app.kubernetes.io/name"], each["app.kubernetes.io/instance"], each["app.kubernetes.io/managed-by"])
        for each in labels
    }


@pytest.mark.parametrize("component", ["operator", "proxy"])
def test_an_upgrade_of_the_chart_alone_restarts_no_pod(helm: Helm, component: str) -> None:
    template = one(helm.render(), "Deployment", f"wardgate-{component}")["spec"]["template"]

    assert {
        "app.kubernetes.io/name": "wardgate",
        "app.kubernetes.io/instance": "wardgate",
        "app.kubernetes.io/component": component,
    } == template["metadata"]["labels"]


def test_services_select_the_proxies_and_nothing_else(helm: Helm) -> None:
    documents = helm.render(EVERY_VALUE)
    spec = one(documents, "Deployment", "wardgate-proxy")["spec"]
    pods = spec["selector"]["matchLabels"]

    assert pods.items() <= spec["template"]["metadata"]["labels"].items()
    assert [pods, pods] == [service["spec"]["selector"] for service in of_kind(documents, "Service")]
    assert pods != one(documents, "Deployment", "wardgate-operator")["spec"]["selector"]["matchLabels"]


def test_the_service_leads_each_port_to_what_the_proxy_binds(helm: Helm) -> None:
    documents = helm.render()
    bound = {port["name"]: port["containerPort"] for port in container(documents, "proxy")["ports"]}
    ports = one(documents, "Service", "wardgate-proxy")["spec"]["ports"]

    assert {80: 8080, 443: 8443, 8081: 8081} == {port["port"]: bound[port["targetPort"]] for port in ports}
    assert {"--port=80=8080", "--port=443=8443"} == {
        argument for argument in container(documents, "proxy")["args"] if argument.startswith("--port=")
    }


def test_the_service_keeps_callers_addresses_where_it_should(helm: Helm) -> None:
    kept = one(helm.render(EVERY_VALUE), "Service", "wardgate-proxy")["spec"]
    inside = one(helm.render(), "Service", "wardgate-proxy")["spec"]

    assert ("LoadBalancer", "Local") == (kept["type"], kept["externalTrafficPolicy"])
    assert ("ClusterIP", None) == (inside["type"], inside.get("externalTrafficPolicy"))


def test_the_headless_service_shows_proxies_that_are_not_ready(helm: Helm) -> None:
    spec = one(helm.render(), "Service", "wardgate-proxy-admin")["spec"]

    assert ("None", True) == (spec["clusterIP"], spec["publishNotReadyAddresses"])
    assert [{"name": "admin", "port": 9901, "targetPort": "admin"}] == spec["ports"]


def test_the_image_is_named_by_tag_or_by_digest(helm: Helm) -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    images = [
        container(helm.render({"image": image}), "proxy")["image"]
        for image in ({}, {"repository": "registry.example/w", "tag": "edge"}, {"tag": "edge", "digest": digest})
    ]

    assert ["wardgate:0.1.0", "registry.example/w:edge", f"wardgate@{digest}"] == images


def test_the_image_is_pulled_as_the_values_say(helm: Helm) -> None:
    documents = helm.render(EVERY_VALUE)

    for deployment in of_kind(documents, "Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        assert [{"name": "registry-login"}, {"name": "another-login"}] == pod["imagePullSecrets"]
        assert "Always" == pod["containers"][0]["imagePullPolicy"]


def test_the_config_namespace_is_not_created_where_that_is_not_wanted(helm: Helm) -> None:
    assert [] == of_kind(helm.render({"configNamespace": {"create": False}}), "Namespace")


def test_the_release_namespace_can_be_the_config_namespace(helm: Helm) -> None:
    documents = helm.render({"configNamespace": {"name": "wardgate"}})

    assert [] == of_kind(documents, "Namespace")
    assert sorted(set(_names(documents))) == _names(documents)
    assert "--config-namespace=wardgate" in container(documents, "proxy")["args"]


def test_names_that_yaml_reads_as_something_else_stay_names(helm: Helm) -> None:
    values = {"watchNamespaces": ["1234"], "keyNamespaces": ["null"], "configNamespace": {"name": "on"}}
    documents = helm.render(values, release="on", namespace="1e3")
    namespaces = {document["metadata"].get("namespace") for document in documents}

    assert {"1234", "null", "on", "1e3", "default", None} == namespaces
    assert {"on"} == {document["metadata"]["labels"]["app.kubernetes.io/instance"] for document in documents}


def test_the_package_carries_the_custom_resource_definitions(helm: Helm, tmp_path: Path) -> None:
    helm.text("package", str(CHART), "--destination", str(tmp_path))
    (package,) = tmp_path.glob("*.tgz")
    shown = helm.text("show", "crds", str(package))

    assert 7 == shown.count("\nkind: CustomResourceDefinition")


def test_the_linter_has_nothing_to_say(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm.text("lint", "--strict", str(CHART), values=EVERY_VALUE)


def test_older_clusters_are_refused(helm: Helm) -> None:
    with pytest.raises(HelmRefused, match=r"requires kubeVersion: >=1\.27\.0-0"):
        helm.text("template", "wardgate", str(CHART), "--kube-version", "1.26.9")


def test_the_notes_say_what_shared_tenancy_means(helm: Helm) -> None:
    notes = _notes(helm, {})

    assert "TENANCY is shared" in notes
    assert "in any namespace is trusted with every provider's\ntoken" in notes
    assert "may list and watch every Secret of the cluster" in notes


def test_the_notes_of_isolated_tenancy_name_the_platform(helm: Helm) -> None:
    notes = _notes(helm, EVERY_VALUE)

    assert "TENANCY is isolated: objects act only within their own namespace, except those of platform." in notes
    assert "every Secret" not in notes


def _notes(helm: Helm, values: dict[str, object]) -> str:
    shown = helm.text("install", "wardgate", str(CHART), "--namespace", "wardgate", "--dry-run=client", values=values)
    return shown.partition("\nNOTES:\n")[2]
