"""Remedies of gateways and of what routes forward to."""

from __future__ import annotations

from base64 import b64encode
from typing import Final

import trustme

from tests.remedies.gateway import GONE, Manifest
from tests.remedies.parts import BELOW, ISOLATED, TO_LLM, child, copy_of, delegating, made, route
from tests.remedies.row import Row, row
from wardgate.settings import Settings

_H: Final = "rt http 0"
_F: Final = f"{_H} forwardTo"
_D: Final = f"{_F} destinations 0"
_L: Final = "gw listeners 0"
_P: Final = "llm ports 0"
_CA: Final = trustme.CA()
_LEAF: Final = _CA.issue_cert("a.test")


def _encoded(**entries: bytes) -> dict[str, str]:
    return {name.replace("_", "."): b64encode(data).decode() for name, data in entries.items()}


_AUTHORITY: Final = _encoded(ca_crt=_CA.cert_pem.bytes())
_PAIR: Final = _encoded(
    tls_crt=b"".join(blob.bytes() for blob in _LEAF.cert_chain_pems), tls_key=_LEAF.private_key_pem.bytes()
)


def _secret(name: str, data: object, *, namespace: str = "a") -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data}


_EP: Final = {
    **made("ExternalEndpoint", "ep", address="10.0.0.1"),
    "metadata": {"name": "ep", "namespace": "a", "labels": {"b": "llm"}},
}
_SELECTED: Final = {"llm selector": {"b": "llm"}, "+ep": _EP}

SERVICES: Final[tuple[Row, ...]] = (
    row(
        "write the name of the service's port: http",
        {**_SELECTED, f"{_P} name": "http", "+ep ports": [{"name": "tls", "number": 8443}]},
        {"+ep ports 0 name": "http"},
    ),
    row(
        "name the ports of both alike",
        {**_SELECTED, "+ep ports": [{"name": "tls", "number": 8443}]},
        {f"{_P} name": "tls"},
    ),
    row(
        "name a host, or select ExternalEndpoints",
        {"llm hosts": ["*.example.com"]},
        {"llm hosts 0": "a.example.com"},
        _SELECTED,
    ),
    row(
        "set sni to the name that all their certificates carry, or describe",
        {"llm hosts": ["a.test", "b.test"], f"{_P} clientsideTls": {}},
        {f"{_P} clientsideTls sni": "a.test"},
        {
            "llm hosts 1": GONE,
            "+b": {**copy_of("llm"), "spec": {"hosts": ["b.test"], "ports": [{"number": 443, "clientsideTls": {}}]}},
        },
    ),
    row(
        "which needs a mesh; use SIMPLE",
        {f"{_P} clientsideTls": {"mode": "ISTIO_MUTUAL"}},
        {f"{_P} clientsideTls mode": "SIMPLE"},
    ),
    row("add clientsideTls: {}", {f"{_P} protocol": "HTTPS"}, {f"{_P} clientsideTls": {}}),
    row(
        "add clientsideTls with the sni of the server",
        {"llm hosts": GONE, "llm addresses": ["10.0.0.1"], f"{_P} protocol": "HTTPS"},
        {f"{_P} clientsideTls": {"sni": "llm.test"}},
    ),
    row(
        "which cannot be dialled; list addresses",
        {"llm hosts": GONE, "llm addresses": ["10.0.0.0/24"]},
        {"llm addresses 0": "10.0.0.1"},
    ),
    row(
        "which is for platform namespaces only. Use a Secret.",
        {
            "+t": made(
                "ExternalService",
                "t",
                namespace="t",
                hosts=["t.test"],
                ports=[{"number": 443, "clientsideTls": {"caCertificates": "/f/ca"}}],
            )
        },
        {"+ca": _secret("ca", _AUTHORITY, namespace="t"), "+t ports 0 clientsideTls": {"credentialName": "ca"}},
        settings=ISOLATED,
    ),
    row(
        "write kind: EXTERNAL_SERVICE, or kind: SERVICE",
        {f"{_D} kind": GONE, f"{_D} port": {"number": 80}},
        {f"{_D} kind": "EXTERNAL_SERVICE"},
        {f"{_D} kind": "SERVICE"},
    ),
    row(
        "use SERVICE or EXTERNAL_SERVICE",
        {f"{_D} kind": "VIRTUAL_DESTINATION", f"{_D} port": {"number": 80}},
        {f"{_D} kind": "EXTERNAL_SERVICE"},
        {f"{_D} kind": "SERVICE"},
    ),
    row(
        "that speaks for the platform; name one of your own",
        {
            **delegating("/llm/", namespace="t"),
            "+child": child(
                route(
                    "below",
                    "/llm/t",
                    forwardTo={
                        "destinations": [{"kind": "EXTERNAL_SERVICE", "ref": {"name": "llm", "namespace": "a"}}]
                    },
                ),
                namespace="t",
            ),
            "+pair": _secret("pair", _PAIR),
            f"{_P} clientsideTls": {"mode": "MUTUAL", "credentialName": "pair"},
        },
        {
            "+own": made("ExternalService", "own", namespace="t", hosts=["t.test"], ports=[{"number": 80}]),
            "+child http 0 forwardTo destinations 0 ref": {"name": "own"},
        },
        settings=ISOLATED,
        then=BELOW,
    ),
    row("is not supported by this gateway; remove it", {f"{_D} subset": {"v": "1"}}, {f"{_D} subset": GONE}),
    row("is not supported by this gateway; use ref", {_D: {"awsLambda": {}}}, {_D: TO_LLM["destinations"][0]}),
)
GATEWAYS: Final[tuple[Row, ...]] = (
    row(
        "does not exist. Correct the name, or create the gateway.",
        {"rt virtualGateways 0 name": "none"},
        {"rt virtualGateways 0 name": "gw"},
        {"+none": made("VirtualGateway", "none", listeners=[{"http": {}, "port": {"number": 81}}])},
    ),
    row("opens no listener. Mend the gateway.", {f"{_L} port number": "x"}, {f"{_L} port number": 80}),
    row(
        "Move it to one, or delete it and have your RouteTables",
        {"+two": copy_of("gw", namespace="t")},
        {"+two metadata namespace": "a", "+two listeners 0 port number": 81},
        {"+two": GONE},
        settings=ISOLATED,
    ),
    row("are not read; give the port's number", {f"{_L} port": {"name": "foo"}}, {f"{_L} port": {"number": 80}}),
    row(
        "needs a certificate; give secretName or files",
        {f"{_L} tls": {"mode": "SIMPLE"}},
        {f"{_L} tls secretName": "pair", "+pair": _secret("pair", _PAIR)},
        {f"{_L} tls files": {"serverCert": "/f/a", "privateKey": "/f/b"}},
        settings=Settings(files_root="/f"),
    ),
    row(
        "use SIMPLE or MUTUAL",
        {f"{_L} tls": {"secretName": "pair"}, "+pair": _secret("pair", {**_PAIR, **_AUTHORITY})},
        {f"{_L} tls mode": "SIMPLE"},
        {f"{_L} tls mode": "MUTUAL"},
    ),
    row(
        "Name a port of spec.listeners.",
        {"gw metadata annotations": {"wardgate.dev/proxy-protocol": "81"}},
        {"gw metadata annotations wardgate.dev/proxy-protocol": "80"},
        {"gw listeners 1": {"http": {}, "port": {"number": 81}}},
    ),
    row(
        "because nothing is believed of proxies: add",
        {"gw metadata annotations": {"wardgate.dev/trusted-proxies": "10.0.0.0/8"}},
        {"gw metadata annotations wardgate.dev/trusted-hops": "1"},
        {"gw metadata annotations wardgate.dev/proxy-protocol": "true"},
        {"gw metadata annotations": GONE},
    ),
    row(
        "the port of the proxies' own admin endpoints; use another one",
        {"gw listeners 1": {"http": {}, "port": {"number": 9901}}},
        {"gw listeners 1 port number": 81},
        settings=Settings(admin_port=9901),
    ),
    row(
        "Use one of these, or add the port to the Service",
        {"gw listeners 1": {"http": {}, "port": {"number": 8082}}},
        {"gw listeners 1 port number": 443},
        settings=Settings(service_ports=frozenset({80, 443})),
    ),
    row(
        "or add the port to the Service",
        {"gw listeners 1": {"http": {}, "port": {"number": 8082}}},
        {},
        settings=Settings(service_ports=frozenset({80, 443})),
        mended=Settings(service_ports=frozenset({80, 443, 8082})),
    ),
    row(
        "give every listener a port of its own.",
        {"gw listeners 1": {"http": {}, "port": {"number": 80}}},
        {"gw listeners 1 port number": 81},
    ),
    row(
        "use another port, or delete this gateway",
        {"+two": copy_of("gw")},
        {"+two listeners 0 port number": 81},
        {"+two": GONE},
    ),
    row(
        "holds an object of another kind. Correct kind and apiVersion.",
        {"keys apiVersion": "v1"},
        {"keys apiVersion": "security.policy.gloo.solo.io/v2"},
    ),
    row(
        "which does not exist. Create it, or correct the name.",
        {f"{_L} tls": {"mode": "SIMPLE", "secretName": "none"}, "+pair": _secret("pair", _PAIR)},
        {f"{_L} tls secretName": "pair"},
        {"+none": _secret("none", _PAIR)},
    ),
    row(
        "and remove the list.",
        {
            f"{_L} tls": {"mode": "MUTUAL", "secretName": "pair"},
            "+pair": _secret("pair", {**_PAIR, **_AUTHORITY, "ca.crl": "eA=="}),
        },
        {"+pair data": {**_PAIR, **_encoded(ca_crt=trustme.CA().cert_pem.bytes())}},
    ),
    row(
        "Copy it into this namespace.",
        {
            "+two": {
                **copy_of("keys", namespace="t"),
                "spec": {
                    "applyToRoutes": [{"route": {}}],
                    "config": {
                        "glooAuth": {
                            "configs": [{"apiKeyAuth": {"hmac": {"sharedSecretRef": {"name": "s", "namespace": "a"}}}}]
                        }
                    },
                },
            },
            "+s": _secret("s", {"shared-secret": "eA=="}),
        },
        {
            "+copy": _secret("s", {"shared-secret": "eA=="}, namespace="t"),
            "+two config glooAuth configs 0 apiKeyAuth hmac sharedSecretRef namespace": "t",
        },
        settings=ISOLATED,
    ),
    row(
        "Name this cluster with the setting cluster_name.",
        {"keys applyToRoutes 0 route cluster": "one", "tp applyToRoutes 0 route cluster": "two"},
        {},
        mended=Settings(cluster_name="one"),
    ),
)
ROWS: Final = SERVICES + GATEWAYS
