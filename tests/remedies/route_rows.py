"""Remedies of gateways, tables, routes and what they forward to."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Final

import trustme

from tests.remedies.gateway import GONE, GUARDED, Changes, Manifest, base
from tests.remedies.row import Row, row
from wardgate.settings import Settings

_H: Final = "rt http 0"
_F: Final = f"{_H} forwardTo"
_D: Final = f"{_F} destinations 0"
_L: Final = "gw listeners 0"
_P: Final = "llm ports 0"
_ISOLATED: Final = Settings(tenancy="isolated", platform_namespaces=frozenset({"a"}))
_NET: Final = "networking.gloo.solo.io/v2"
_BELOW: Final = {"below": GUARDED}
_BOTH: Final = {"llm": GUARDED, "below": GUARDED}
_TWICE: Final = {"llm": GUARDED, "other": GUARDED}
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


def _object(kind: str, name: str, *, namespace: str = "a", **spec: object) -> Manifest:
    return {"apiVersion": _NET, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _copy(name: str, **metadata: object) -> Manifest:
    manifest = base()[name]
    return {**manifest, "metadata": {**manifest["metadata"], "name": f"{name}-2", **metadata}}


_TO_LLM: Final = {"destinations": [{"kind": "EXTERNAL_SERVICE", "ref": {"name": "llm"}}]}


def _prefix(path: str) -> Manifest:
    return {"uri": {"prefix": path}}


def _route(name: str, *paths: str, **fields: object) -> Manifest:
    given = {"matchers": [_prefix(path) for path in paths]} if paths else {}
    return {"name": name, "labels": {"route": "llm"}, **given, "forwardTo": _TO_LLM, **fields}


def _child(*routes: Manifest, namespace: str = "a", **spec: object) -> Manifest:
    return _object("RouteTable", "child", namespace=namespace, http=list(routes), **spec)


def _delegating(path: str, **selector: object) -> Changes:
    delegate = {"routeTables": [selector or {"name": "child"}]}
    return {_H: {"name": "up", "labels": {"route": "llm"}, "matchers": [_prefix(path)], "delegate": delegate}}


_SERVICE: Final = {"destinations": [{"ref": {"name": "web"}, "port": {"number": 80}}]}
_TENANTS: Final = {**_child(_route("below", "/llm/t", forwardTo=_SERVICE), namespace="t")}
_EP: Final = {
    **_object("ExternalEndpoint", "ep", address="10.0.0.1"),
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
            "+b": {**_copy("llm"), "spec": {"hosts": ["b.test"], "ports": [{"number": 443, "clientsideTls": {}}]}},
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
            "+t": _object(
                "ExternalService",
                "t",
                namespace="t",
                hosts=["t.test"],
                ports=[{"number": 443, "clientsideTls": {"caCertificates": "/f/ca"}}],
            )
        },
        {"+ca": _secret("ca", _AUTHORITY, namespace="t"), "+t ports 0 clientsideTls": {"credentialName": "ca"}},
        settings=_ISOLATED,
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
            **_delegating("/llm/", namespace="t"),
            "+child": _child(
                _route(
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
            "+own": _object("ExternalService", "own", namespace="t", hosts=["t.test"], ports=[{"number": 80}]),
            "+child http 0 forwardTo destinations 0 ref": {"name": "own"},
        },
        settings=_ISOLATED,
        then=_BELOW,
    ),
    row("is not supported by this gateway; remove it", {f"{_D} subset": {"v": "1"}}, {f"{_D} subset": GONE}),
    row("is not supported by this gateway; use ref", {_D: {"awsLambda": {}}}, {_D: _TO_LLM["destinations"][0]}),
)
GATEWAYS: Final[tuple[Row, ...]] = (
    row(
        "does not exist. Correct the name, or create the gateway.",
        {"rt virtualGateways 0 name": "none"},
        {"rt virtualGateways 0 name": "gw"},
        {"+none": _object("VirtualGateway", "none", listeners=[{"http": {}, "port": {"number": 81}}])},
    ),
    row("opens no listener. Mend the gateway.", {f"{_L} port number": "x"}, {f"{_L} port number": 80}),
    row(
        "Move it to one, or delete it and have your RouteTables",
        {"+two": _copy("gw", namespace="t")},
        {"+two metadata namespace": "a", "+two listeners 0 port number": 81},
        {"+two": GONE},
        settings=_ISOLATED,
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
        "give every listener a port of its own.",
        {"gw listeners 1": {"http": {}, "port": {"number": 80}}},
        {"gw listeners 1 port number": 81},
    ),
    row(
        "use another port, or delete this gateway",
        {"+two": _copy("gw")},
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
                **_copy("keys", namespace="t"),
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
        settings=_ISOLATED,
    ),
    row(
        "Name this cluster with the setting cluster_name.",
        {"keys applyToRoutes 0 route cluster": "one", "tp applyToRoutes 0 route cluster": "two"},
        {},
        mended=Settings(cluster_name="one"),
    ),
)
TABLES: Final[tuple[Row, ...]] = (
    row("Correct spec.hosts.", {"rt hosts": {"x": 1}}, {"rt hosts": ["api.example.com"]}),
    row(
        "remove those, with its virtualGateways",
        {**_delegating("/llm"), "+child": _child(_route("below"), hosts=["x.test"], virtualGateways=[{"name": "gw"}])},
        {"+child hosts": GONE, "+child virtualGateways": GONE},
        then=_BELOW,
    ),
    row(
        "List namespaces, separated by commas.",
        {"rt metadata annotations": {"wardgate.dev/delegate-from": "A B"}},
        {"rt metadata annotations wardgate.dev/delegate-from": "t, u"},
    ),
    row("Choose another name.", {"rt http 1": _route("llm", "/x")}, {"rt http 1 name": "other"}, then=_TWICE),
    row("so it serves nothing here. Name one.", {"rt virtualGateways": GONE}, {"rt virtualGateways": [{"name": "gw"}]}),
    row("forwards HTTP only. Remove it.", {"rt tcp": [{}]}, {"rt tcp": GONE}),
    row(
        "Delete the table, or give it routes under http instead.",
        {"rt http": GONE, "rt tcp": [{}]},
        {"rt tcp": GONE, "rt http": [_route("llm")]},
    ),
    row(
        "Delete the table, or give it routes under http instead.",
        {"+l4": {**_copy("rt"), "spec": {"hosts": ["tcp.test"], "virtualGateways": [{"name": "gw"}], "tls": [{}]}}},
        {"+l4": GONE},
    ),
    row(
        "Delegate to it, or give it hosts and virtualGateways.",
        {"+child": _child(_route("below", "/below"))},
        {"rt http 1": _delegating("/below")[_H]},
        {"+child hosts": ["x.test"], "+child virtualGateways": [{"name": "gw"}]},
        then=_BOTH,
    ),
    row(
        "Change its matchers, or remove this route.",
        {"rt http 1": _route("other", "/llm")},
        {"rt http 1 matchers": [_prefix("/other")]},
        then=_TWICE,
    ),
    row("Change its matchers, or remove this route.", {"rt http 1": _route("other", "/llm")}, {"rt http 1": GONE}),
    row(
        "Change or remove the others.",
        {"rt http 1": _route("other", "/llm", "/other")},
        {"rt http 1 matchers 0": _prefix("/third")},
        {"rt http 1 matchers 0": GONE},
        then=_TWICE,
    ),
    row(
        "delegates to no RouteTable; check delegate.routeTables.",
        {**_delegating("/llm", labels={"x": "none"}), "+child": _child(_route("below"))},
        {f"{_H} delegate routeTables 0": {"name": "child"}},
        then=_BELOW,
    ),
    row(
        "exclude each other; correct one of them",
        {**_delegating("/llm"), "+child": _child(_route("below", "/other"))},
        {"+child http 0 matchers 0": _prefix("/llm/x")},
        {f"{_H} matchers 0": _prefix("/other")},
        then=_BELOW,
    ),
    row(
        "exclude them; correct or remove them.",
        {**_delegating("/llm"), "+child": _child(_route("below", "/llm/a", "/other"))},
        {"+child http 0 matchers 1": _prefix("/llm/b")},
        {"+child http 0 matchers 1": GONE},
        then=_BELOW,
    ),
    row(
        "delegates to it, and is closed there; begin each path with /llm/",
        {
            **_delegating("/llm/", namespace="t"),
            "+child": _TENANTS,
            "+child http 0 matchers 0": {"uri": {"regex": "/llm/.*|/x"}},
        },
        {"+child http 0 matchers 0": {"uri": {"regex": "/llm/.*"}}},
        settings=_ISOLATED,
        then=_BELOW,
    ),
    row(
        "put it before that, or end the prefix with a slash.",
        {**_delegating("/llm", namespace="t"), "+child": _TENANTS, "rt http 1": _route("llm", "/llm-two")},
        {f"{_H} matchers 0": _prefix("/llm/")},
        {"rt http": [_route("llm", "/llm-two"), _delegating("/llm", namespace="t")[_H]]},
        settings=_ISOLATED,
        then=_BOTH,
    ),
    row(
        "was there first and takes requests of the same paths, whatever weights and patterns are. Change its matchers.",
        {
            f"{_L} allowedRouteTables": [
                {"host": "*", "selector": {"namespace": "a"}},
                {"host": "api.example.com", "selector": {"namespace": "t"}},
            ],
            "rt http 0 matchers": [_prefix("/llm")],
            "+child": {
                **_TENANTS,
                "spec": {
                    "hosts": ["api.example.com"],
                    "virtualGateways": [{"name": "gw", "namespace": "a"}],
                    "http": [_route("below", "/llm/t", forwardTo=_SERVICE)],
                },
            },
        },
        {"+child http 0 matchers 0": _prefix("/t")},
        settings=_ISOLATED,
        then=_BOTH,
    ),
    row(
        "Ask for an entry of your own host in the gateway's allowedRouteTables.",
        {
            f"{_L} allowedRouteTables": [
                {"host": "*", "selector": {"namespace": "a"}},
                {"host": "*", "selector": {"namespace": "t"}},
            ],
            "rt hosts": ["*"],
            "+child": {
                **_TENANTS,
                "spec": {
                    "hosts": ["t.example.com"],
                    "virtualGateways": [{"name": "gw", "namespace": "a"}],
                    "http": [_route("below", "/t", forwardTo=_SERVICE)],
                },
            },
        },
        {f"{_L} allowedRouteTables 1 host": "t.example.com"},
        settings=replace(_ISOLATED, guest_tables=0),
        then=_BOTH,
    ),
)
ROUTES: Final[tuple[Row, ...]] = (
    row(
        "has pathRewrite with a regex matcher; use regexRewrite",
        {f"{_H} matchers 0 uri": {"regex": "/a.*"}, f"{_F} pathRewrite": "/b"},
        {f"{_F} pathRewrite": GONE, f"{_F} regexRewrite": {"pattern": {"regex": "^/a"}, "substitution": "/b"}},
    ),
    row(
        "begin the pattern with (?i) instead.",
        {f"{_H} matchers 0 uri": {"regex": "/a", "ignoreCase": True}},
        {f"{_H} matchers 0 uri": {"regex": "(?i)/a"}},
    ),
    row(
        "is not supported; use regex",
        {f"{_H} matchers 0 uri": {"suffix": "/a"}},
        {f"{_H} matchers 0 uri": {"regex": ".*/a"}},
    ),
    row(
        "because a method in lower case is refused; write that",
        {f"{_H} matchers 0 method": "get"},
        {f"{_H} matchers 0 method": "GET"},
    ),
    row(
        "the form that every request's path has; write that",
        {f"{_H} matchers 0 uri prefix": "/a//b"},
        {f"{_H} matchers 0 uri prefix": "/a/b"},
    ),
    row("no % but before two hex digits; correct it", {f"{_F} pathRewrite": "/a/../b"}, {f"{_F} pathRewrite": "/b"}),
    row(
        "holds a query, which no path has; remove pathRewrite, and let",
        {f"{_F} pathRewrite": "/a?b=1"},
        {f"{_F} pathRewrite": GONE, "tp config request injaTemplate headers :path": {"text": "/a?b=1"}},
    ),
    row(
        "use regexRewrite with the substitution to insert a group",
        {f"{_F} pathRewrite": "/a/$1"},
        {
            f"{_F} pathRewrite": GONE,
            f"{_F} regexRewrite": {"pattern": {"regex": "^/llm(/.*)"}, "substitution": "/a\\1"},
        },
    ),
    row(
        "remove the query: that of the request is kept",
        {_F: GONE, f"{_H} redirect": {"pathRedirect": "/a?b=1"}},
        {f"{_H} redirect pathRedirect": "/a"},
    ),
    row(
        "write the path itself",
        {_F: GONE, f"{_H} redirect": {"pathRedirect": "/a/$1"}},
        {f"{_H} redirect pathRedirect": "/a"},
    ),
    row(
        "is not a pattern that RE2 takes: ",
        {f"{_F} regexRewrite": {"pattern": {"regex": "("}, "substitution": "/"}},
        {f"{_F} regexRewrite pattern regex": "a"},
    ),
    row(
        "which no path can hold; write %20 for a blank",
        {f"{_F} regexRewrite": {"pattern": {"regex": "a"}, "substitution": "/a b"}},
        {f"{_F} regexRewrite substitution": "/a%20b"},
    ),
    row(
        "write \\1 for the group",
        {f"{_F} regexRewrite": {"pattern": {"regex": "(a)"}, "substitution": "/$1"}},
        {f"{_F} regexRewrite substitution": "/\\1"},
    ),
    row(
        "put what is meant in parentheses in the pattern, and write \\1",
        {f"{_F} regexRewrite": {"pattern": {"regex": "a"}, "substitution": "/$1"}},
        {f"{_F} regexRewrite": {"pattern": {"regex": "(a)"}, "substitution": "/\\1"}},
    ),
    row(
        "to no other group; write a backslash as",
        {f"{_F} regexRewrite": {"pattern": {"regex": "a"}, "substitution": "/\\x"}},
        {f"{_F} regexRewrite substitution": "/\\\\x"},
    ),
    row(
        "nor letters beyond ASCII; write %20 for a blank",
        {f"{_F} pathRewrite": "/a b"},
        {f"{_F} pathRewrite": "/a%20b"},
    ),
    row(
        "stands as a second one; let a TransformationPolicy",
        {f"{_F} regexRewrite": {"pattern": {"regex": "a"}, "substitution": "/b?c=1"}},
        {f"{_F} regexRewrite": GONE, "tp config request injaTemplate headers :path": {"text": "/b?c=1"}},
    ),
)

ROWS: Final = SERVICES + GATEWAYS + TABLES + ROUTES
