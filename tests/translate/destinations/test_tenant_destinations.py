"""Where a tenant's upstreams may lie: no name leads to another namespace, no file of the proxy is a tenant's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.translate.cluster import Cluster
from tests.translate.tenants import (
    ANY_HOST,
    ISOLATED,
    Manifest,
    delegated,
    gateway,
    invalid,
    made,
    route,
    status,
    table,
    translated,
)
from wardgate.ir import Endpoint
from wardgate.problems import Reason
from wardgate.settings import Settings
from wardgate.translate import Translation, translate

_PORT = {"number": 443, "protocol": "HTTPS", "clientsideTls": {}}


def _estate(spec: Manifest, namespace: str = "a") -> list[Manifest]:
    destination = {"kind": "EXTERNAL_SERVICE", "ref": {"name": "out", "namespace": namespace}, "port": {"number": 443}}
    root = table("infra/root", route("out", to={"forwardTo": {"destinations": [destination]}}), **ANY_HOST)
    return [gateway(), root, made("ExternalService", f"{namespace}/out", {"ports": [_PORT], **spec})]


def _dialled(translation: Translation) -> list[str]:
    return [endpoint.host for upstream in translation.config.upstreams for endpoint in upstream.endpoints]


@pytest.mark.parametrize(
    "host",
    [
        "web.b.svc.cluster.local",
        "pod-0.web.b.svc.cluster.local",
        "10-0-0-1.b.pod.cluster.local",
        "web.b.svc",
        "web.svc",
        "web.b.cluster.local",
        "cluster.local",
        "_https._tcp.web.b.svc.cluster.local",
    ],
)
def test_name_of_another_namespace_is_refused(host: str) -> None:
    translation = translated(*_estate({"hosts": [host]}))
    assert [] == _dialled(translation)
    problems = status(translation, "a/out", "ExternalService").problems
    assert Reason.REF_NOT_PERMITTED in {one.reason for one in problems}


def test_name_under_the_clusters_own_domain_is_refused() -> None:
    settings = Settings(tenancy="isolated", platform_namespaces=frozenset({"infra"}), cluster_domain="k8s.corp")
    snapshot = Cluster().apply(*_estate({"hosts": ["web.b.svc.k8s.corp"]})).snapshot()
    assert [] == _dialled(translate(snapshot, settings))


@pytest.mark.parametrize("host", ["web.a.svc.cluster.local", "web.infra.svc.cluster.local"])
def test_name_at_home_or_in_the_platform_is_dialled(host: str) -> None:
    translation = translated(*_estate({"hosts": [host]}))
    assert [f"{host}."] == _dialled(translation)
    assert set() == invalid(translation)


def test_platform_dials_names_of_all_namespaces() -> None:
    host = "web.b.svc.cluster.local"
    assert [host] == _dialled(translated(*_estate({"hosts": [host]}, "infra")))


def test_shared_tenancy_dials_names_of_all_namespaces() -> None:
    host = "web.b.svc.cluster.local"
    assert [host] == _dialled(translate(Cluster().apply(*_estate({"hosts": [host]})).snapshot(), Settings()))


@pytest.mark.parametrize("host", ["api.example.com", "web.b", "web"])
def test_tenants_name_is_looked_up_without_search_domains(host: str) -> None:
    assert [f"{host}."] == _dialled(translated(*_estate({"hosts": [host]})))


def test_binding_and_certificate_know_no_dot() -> None:
    (upstream,) = translated(*_estate({"hosts": ["api.example.com"]})).config.upstreams
    assert upstream.tls is not None
    assert ("api.example.com", ("api.example.com",)) == (upstream.tls.sni, upstream.bound_hosts)


def test_address_is_no_name() -> None:
    assert ["192.0.2.1"] == _dialled(translated(*_estate({"addresses": ["192.0.2.1"], "ports": [{"number": 443}]})))


@pytest.mark.parametrize(
    ("address", "dialled"),
    [
        ("web.b.svc.cluster.local", []),
        ("WEB.B.Svc.Cluster.Local.", []),
        ("web.b.svc", []),
        ("web.a.svc.cluster.local", [Endpoint("web.a.svc.cluster.local.", 443)]),
        ("web.b", [Endpoint("web.b.", 443)]),
        ("192.0.2.1", [Endpoint("192.0.2.1", 443)]),
    ],
)
def test_endpoints_follow_the_same_rule(address: str, dialled: list[Endpoint]) -> None:
    endpoint = made("ExternalEndpoint", "a/end", {"address": address, "ports": []}, labels={"is": "end"})
    translation = translated(*_estate({"hosts": ["*.example.com"], "selector": {"is": "end"}, "ports": [
        {"number": 443}]}), endpoint)  # fmt: skip
    assert dialled == [one for upstream in translation.config.upstreams for one in upstream.endpoints]


def test_tenant_names_no_file_beside_the_proxy() -> None:
    settings = replace(ISOLATED, files_root="/etc/wardgate", unix_root="/run")
    tls = {"mode": "MUTUAL", "clientCertificate": "/etc/wardgate/c", "privateKey": "/etc/wardgate/k"}
    port = {**_PORT, "clientsideTls": tls}
    for namespace, expected in (("a", 0), ("infra", 1)):
        objects = _estate({"hosts": ["api.example.com"], "ports": [port]}, namespace)
        assert expected == len(translate(Cluster().apply(*objects).snapshot(), settings).config.upstreams)
    socket = made("ExternalEndpoint", "a/end", {"address": "unix:///run/x", "ports": []}, labels={"is": "end"})
    spec = {"hosts": ["*.example.com"], "selector": {"is": "end"}, "ports": [{"number": 443}]}
    assert () == translate(Cluster().apply(*_estate(spec), socket).snapshot(), settings).config.upstreams


def test_client_certificate_of_the_platform_speaks_for_no_tenant() -> None:
    settings = replace(ISOLATED, files_root="/etc/wardgate")
    tls = {"mode": "MUTUAL", "clientCertificate": "/etc/wardgate/c", "privateKey": "/etc/wardgate/k"}
    external = _estate({"hosts": ["api.example.com"], "ports": [{**_PORT, "clientsideTls": tls}]}, "infra")[2]
    destination = {"kind": "EXTERNAL_SERVICE", "ref": {"name": "out", "namespace": "infra"}, "port": {"number": 443}}
    to_it = route("out", to={"forwardTo": {"destinations": [destination]}})
    root = table("infra/root", route("to-a", to=delegated({"namespace": "a"})), **ANY_HOST)
    translation = translate(
        Cluster().apply(gateway(), external, root, table("a/t", to_it), table("infra/own", to_it)).snapshot(), settings
    )
    assert () == translation.config.upstreams
    assert {"a/t"} == invalid(translation)
