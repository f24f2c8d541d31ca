"""Every rule that joins several fields: what breaks it is refused with advice, what keeps it is accepted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.lab import Manifest
from tests.api.manifests import (
    api_key_policy,
    auth_policy,
    errors_of,
    external_service,
    gateway,
    manifest,
    request_template,
    route_table,
)
from wardgate.problems import Reason

_CONFIG = ("spec", "config")
_STEP = (*_CONFIG, "glooAuth", "configs", 0)
_TEMPLATE = (*_CONFIG, "request", "injaTemplate")
_EXTRACTOR = (*_TEMPLATE, "extractors", "token")
_ROUTE = ("spec", "http", 0)
_ANSWER = {"directResponse": {"status": 200}}
_USERS = {"users": {"ann": {"salt": "s", "hashedPassword": "h"}}}
_REF = {"ref": {"name": "one"}}


def _forward(**forward_to: object) -> dict[str, object]:
    return {"forwardTo": {"destinations": [_REF], **forward_to}}


def _weighted(*weights: int | None) -> dict[str, object]:
    weighted = [_REF if weight is None else {**_REF, "weight": weight} for weight in weights]
    return {"forwardTo": {"destinations": weighted}}


def _extractor(**extractor: object) -> Manifest:
    return request_template({"extractors": {"token": {"regex": ".*", **extractor}}})


BROKEN: list[tuple[Manifest, tuple[Any, ...], str]] = [
    (manifest("ExtAuthPolicy", {"config": {}}), _CONFIG, "Give exactly one of glooAuth, customAuth and disable"),
    (
        manifest("ExtAuthPolicy", {"config": {"disable": True, "customAuth": {}}}),
        _CONFIG,
        "Give exactly one of glooAuth, customAuth and disable",
    ),
    (
        manifest("ExtAuthPolicy", {"config": {"disable": True}, "applyToRoutes": [{}]}),
        ("spec", "applyToRoutes", 0),
        "Give either route or withDestinations; to select every route write route: {}.",
    ),
    (
        manifest("TransformationPolicy", {"config": {}, "applyToRoutes": [{"route": {}, "withDestinations": {}}]}),
        ("spec", "applyToRoutes", 0),
        "Give either route or withDestinations",
    ),
    (auth_policy({"name": "nothing"}), _STEP, "Name exactly one auth module in each entry"),
    (auth_policy({"jwt": {}, "apiKeyAuth": {}}), _STEP, "Name exactly one auth module in each entry"),
    (
        api_key_policy({"k8sSecretApikeyStorage": {}, "aerospikeApikeyStorage": {}}),
        (*_STEP, "apiKeyAuth"),
        "Give only one store of keys",
    ),
    (
        api_key_policy({"hmac": {"sharedSecretRef": {"name": "s"}}, "digest": {}}),
        (*_STEP, "apiKeyAuth"),
        "Give either hmac or digest",
    ),
    (
        api_key_policy({"match": {"headers": [{"name": "x-team"}]}}),
        (*_STEP, "apiKeyAuth"),
        "match works only with digest",
    ),
    (auth_policy({"basicAuth": {}}), (*_STEP, "basicAuth"), "Give the users in one style"),
    (
        auth_policy({"basicAuth": {"apr": _USERS, "userList": _USERS, "encryption": {"apr": {}}}}),
        (*_STEP, "basicAuth"),
        "Give the users in one style",
    ),
    (auth_policy({"basicAuth": {"userList": _USERS}}), (*_STEP, "basicAuth"), "userList needs encryption"),
    (
        auth_policy({"basicAuth": {"apr": _USERS, "encryption": {"sha1": {}}}}),
        (*_STEP, "basicAuth"),
        "encryption needs userList",
    ),
    (
        auth_policy({"basicAuth": {"userList": _USERS, "encryption": {}}}),
        (*_STEP, "basicAuth", "encryption"),
        "Name one hash function",
    ),
    (
        auth_policy({"oauth2": {"oauth2": {}, "accessTokenValidation": {}}}),
        (*_STEP, "oauth2"),
        "Give only one of oidcAuthorizationCode",
    ),
    (
        auth_policy({"passThroughAuth": {"grpc": {}, "http": {}}}),
        (*_STEP, "passThroughAuth"),
        "Give only one service: grpc or http.",
    ),
    (
        manifest("TransformationPolicy", {"config": {"phase": {"preAuthz": {}, "postAuthz": {}}}}),
        (*_CONFIG, "phase"),
        "Give either preAuthz or postAuthz.",
    ),
    (
        request_template({"body": {"text": "x"}, "passthrough": {}}),
        _TEMPLATE,
        "Give at most one of body, passthrough, mergeExtractorsToBody and mergeJsonKeys.",
    ),
    (request_template({"mergeExtractorsToBody": {}, "mergeJsonKeys": {}}), _TEMPLATE, "Give at most one of body"),
    (_extractor(), _EXTRACTOR, "Name one source: header, or body: {}."),
    (_extractor(header="x-a", body={}), _EXTRACTOR, "Name one source"),
    (_extractor(header="x-a", replacementText="y"), _EXTRACTOR, "EXTRACT takes no replacementText"),
    (_extractor(header="x-a", mode="EXTRACT", replacementText="y"), _EXTRACTOR, "EXTRACT takes no replacementText"),
    (
        _extractor(header="x-a", mode="SINGLE_REPLACE"),
        _EXTRACTOR,
        "SINGLE_REPLACE and REPLACE_ALL need replacementText",
    ),
    (_extractor(header="x-a", mode="REPLACE_ALL"), _EXTRACTOR, "SINGLE_REPLACE and REPLACE_ALL need replacementText"),
    (
        _extractor(header="x-a", mode="REPLACE_ALL", replacementText="", subgroup=1),
        _EXTRACTOR,
        "REPLACE_ALL replaces whole matches: remove subgroup.",
    ),
    (manifest("RouteTable", {}), ("spec",), "Give at least one route under http: tcp and tls are not supported."),
    (
        manifest("RouteTable", {"http": []}),
        ("spec",),
        "Give at least one route under http: tcp and tls are not supported.",
    ),
    (route_table(_ANSWER, virtualGateways=[{"name": "gw"}]), ("spec",), "Without hosts a table is a child"),
    (route_table(_ANSWER, hosts=[], failureMode="FREEZE_CONFIG"), ("spec",), "Without hosts a table is a child"),
    (route_table(_ANSWER, applyToDestinations=[{}]), ("spec",), "Without hosts a table is a child"),
    (
        route_table(_ANSWER, defaultDestination=_REF),
        ("spec",),
        "defaultDestination is used only by routes with forwardTo",
    ),
    (route_table({"forwardTo": {}}), ("spec",), "A route with forwardTo has no destinations"),
    (
        route_table(_ANSWER, {"forwardTo": {"destinations": []}}),
        ("spec",),
        "A route with forwardTo has no destinations",
    ),
    (route_table({"name": "idle"}), _ROUTE, "Name exactly one action"),
    (route_table({**_ANSWER, "redirect": {}}), _ROUTE, "Name exactly one action"),
    (
        route_table(_forward(pathRewrite="/", regexRewrite={"pattern": {"regex": "a"}})),
        (*_ROUTE, "forwardTo"),
        "Give either pathRewrite or regexRewrite",
    ),
    (
        route_table(_forward(hostRewrite="a.example", autoHostRewrite=True)),
        (*_ROUTE, "forwardTo"),
        "Give either hostRewrite or autoHostRewrite",
    ),
    (route_table(_weighted(60, 30)), (*_ROUTE, "forwardTo"), "The weights of several destinations must add up to 100"),
    (route_table(_weighted(60, 50)), (*_ROUTE, "forwardTo"), "The weights of several destinations must add up to 100"),
    (route_table(_weighted(60, 50, None)), (*_ROUTE, "forwardTo"), "The weights of several destinations must add up"),
    (
        route_table({"forwardTo": {"destinations": [{}]}}),
        (*_ROUTE, "forwardTo", "destinations", 0),
        "Name the target with ref alone: awsLambda is not supported.",
    ),
    (
        route_table({"forwardTo": {"destinations": [{**_REF, "awsLambda": {}}]}}),
        (*_ROUTE, "forwardTo", "destinations", 0),
        "Name the target with ref alone: awsLambda is not supported.",
    ),
    (
        route_table({"matchers": [{"uri": {"exact": "/a", "prefix": "/b"}}], **_ANSWER}),
        (*_ROUTE, "matchers", 0, "uri"),
        "Give only one of exact, prefix, regex and suffix.",
    ),
    (
        route_table({"forwardTo": {"destinations": [{**_REF, "port": {"number": 80, "name": "http"}}]}}),
        (*_ROUTE, "forwardTo", "destinations", 0, "port"),
        "Give the port's number or its name, not both.",
    ),
    (gateway({"port": {}}), ("spec", "listeners", 0), "Give the port's number or its name."),
    (gateway({"http": {}, "tcp": {}}), ("spec", "listeners", 0), "Give http alone: tcp is not supported."),
    (gateway({"tls": {}, "httpsRedirect": True}), ("spec", "listeners", 0), "give tls or httpsRedirect"),
    (gateway({"tcp": {}, "httpsRedirect": True}), ("spec", "listeners", 0), "httpsRedirect works with http only"),
    (
        gateway({"tls": {"mode": "SIMPLE", "secretName": "s", "files": {}}}),
        ("spec", "listeners", 0, "tls"),
        "Give either secretName or files, not both.",
    ),
    (external_service(), ("spec",), "Give the server's hosts or its addresses"),
    (
        external_service(hosts=["a.example"], addresses=["10.0.0.1"]),
        ("spec",),
        "Give the server's hosts or its addresses",
    ),
    (
        manifest("ExtAuthServer", {"destinationServer": {**_REF, "kind": "EXTERNAL_SERVICE"}}),
        ("spec",),
        "An ExternalService cannot be the auth server",
    ),
    (manifest("ExtAuthServer", {"statusOnError": 299}), ("spec",), "statusOnError is no status of HTTP"),
]

KEPT: list[Manifest] = [
    manifest("ExtAuthPolicy", {"config": {"disable": True}}),
    manifest("ExtAuthPolicy", {"config": {"customAuth": {"contextExtensions": {"a": "b"}}}}),
    manifest("ExtAuthPolicy", {"config": {"customAuth": {}}, "applyToRoutes": [{"route": {}}]}),
    manifest("ExtAuthPolicy", {"config": {"customAuth": {}}, "applyToRoutes": [{"withDestinations": {}}]}),
    manifest("ExtAuthPolicy", {"config": {"customAuth": {}, "glooAuth": None}}),
    auth_policy({"oauth": {"anything": 1}}, {"portalAuth": {"url": "x"}}, {"jwt": {}}, {"opaAuth": {"more": []}}),
    auth_policy({"ldap": {"pool": {"maxSize": 5}}}, {"pluginAuth": {}}, {"hmacAuth": {}}, {"opaServerAuth": {}}),
    api_key_policy({"digest": {}, "match": {"headers": [{"name": "x-team"}]}}),
    api_key_policy({"hmac": {"sharedSecretRef": {"name": "s"}}}),
    auth_policy({"basicAuth": {"realm": "r", "apr": _USERS}}),
    auth_policy({"basicAuth": {"userList": _USERS, "encryption": {"sha1": {}}}}),
    manifest("TransformationPolicy", {"config": {}}),
    request_template({"body": None, "passthrough": {}}),
    request_template({"mergeJsonKeys": {"jsonKeys": {"a": {"tmpl": {"text": "1"}}}}}),
    _extractor(header="x-a", replacementText=""),
    _extractor(header="x-a", replacementText=None),
    _extractor(body={}, mode="SINGLE_REPLACE", replacementText="", subgroup=1),
    _extractor(body={}, mode="REPLACE_ALL", replacementText="$1", subgroup=0),
    route_table(_ANSWER),
    route_table(_ANSWER, virtualGateways=[], applyToDestinations=[]),
    route_table(_ANSWER, hosts=["*"], virtualGateways=[{"name": "gw"}], failureMode="FREEZE_CONFIG"),
    route_table({"forwardTo": {}}, defaultDestination=_REF),
    manifest("RouteTable", {"tcp": [{"forwardTo": {}}], "defaultDestination": _REF}),
    manifest("RouteTable", {"tls": [{"forwardTo": {}}]}),
    route_table({"redirect": {}}, {"delegate": {"routeTables": [{}]}}, {"graphql": {"schema": {"ref": 1}}}),
    route_table(_forward(hostRewrite="a.example", autoHostRewrite=False)),
    route_table(_weighted(7)),
    route_table(_weighted(60, 40)),
    route_table(_weighted(60, 40, None)),
    route_table(_weighted(60, None, None)),
    route_table(_weighted(None, None)),
    route_table(_weighted(*[10] * 7, 30)),
    route_table(_weighted(*[10] * 10)),
    route_table({"forwardTo": {"destinations": [{"awsLambda": {"function": "f"}}]}}),
    gateway({"tls": {"mode": "SIMPLE", "secretName": "s"}, "httpsRedirect": False}),
    gateway({"port": {"name": "http"}, "httpsRedirect": True, "http": {}}),
    external_service(hosts=["*.example.com"]),
    external_service(hosts=[], addresses=["10.0.0.0/8"]),
    manifest("ExtAuthServer", {}),
    manifest("ExtAuthServer", {"destinationServer": _REF, "statusOnError": 100}),
    *(manifest("ExtAuthServer", {"statusOnError": status}) for status in (200, 226, 300, 308, 400, 431, 500, 511)),
    manifest("ExternalEndpoint", {"address": "unix:///run/x.sock"}),
]


@pytest.mark.parametrize(("given", "path", "advice"), BROKEN)
def test_broken_rule_is_reported_where_it_stands(given: Manifest, path: tuple[str | int, ...], advice: str) -> None:
    errors = errors_of(given)

    assert [(path, Reason.INVALID)] == [(error.field, error.reason) for error in errors]
    assert advice in errors[0].message
    assert errors[0].message.startswith(f"{given['kind']} team/one, ")


@pytest.mark.parametrize("given", KEPT)
def test_object_within_the_rules_is_accepted(given: Manifest) -> None:
    assert errors_of(given) == []
