"""Remedies of the schema: types, bounds, names out of a set, and the rules of the kinds."""

from __future__ import annotations

import datetime as dt
import math
from typing import Final

from tests.remedies.gateway import GONE, GUARDED
from tests.remedies.row import Row, row

_A: Final = "keys config glooAuth configs 0 apiKeyAuth"
_C: Final = "keys config glooAuth configs 0"
_T: Final = "tp config request injaTemplate"
_H: Final = "rt http 0"
_F: Final = "rt http 0 forwardTo"
_D: Final = "rt http 0 forwardTo destinations 0"
_L: Final = "gw listeners 0"
_SERVER: Final = {
    "apiVersion": "admin.gloo.solo.io/v2",
    "kind": "ExtAuthServer",
    "metadata": {"name": "s", "namespace": "a"},
}
_KEY_AUTH: Final = {"apiKeyAuth": {"k8sSecretApikeyStorage": {"labelSelector": {"team": "a"}}}}
_HASH: Final = {"u": {"salt": "abc", "hashedPassword": "x" * 22}}
_CHILD: Final = {
    "apiVersion": "networking.gloo.solo.io/v2",
    "kind": "RouteTable",
    "metadata": {"name": "child", "namespace": "a"},
}
_DELEGATE: Final = {"delegate": {"routeTables": [{"name": "child"}]}}
_TO_LLM: Final = {"destinations": [{"kind": "EXTERNAL_SERVICE", "ref": {"name": "llm"}}]}
_PARENT: Final = {f"{_F}": GONE, f"{_H} delegate": _DELEGATE["delegate"]}
_ROUTE: Final = {"name": "below", "forwardTo": _TO_LLM}
_BELOW: Final = {"below": GUARDED}

TYPES: Final[tuple[Row, ...]] = (
    row(
        "knows no such kind: did you mean ExtAuthPolicy?",
        {"keys kind": "ExtAuthPolicies"},
        {"keys kind": "ExtAuthPolicy"},
    ),
    row(
        "knows no such group: write apiVersion:",
        {"keys apiVersion": "security.policy.glo.solo.io/v2"},
        {"keys apiVersion": "security.policy.gloo.solo.io/v2"},
    ),
    row(
        "; remove it, and write {} because nothing else is left in the entry.",
        {
            **_PARENT,
            f"{_H} delegate routeTables 0": {"workspace": "w"},
            "+child": {**_CHILD, "spec": {"http": [_ROUTE]}},
        },
        {f"{_H} delegate routeTables 0": {}},
        then=_BELOW,
    ),
    row("must be a text, but is a number; put it in quotes", {f"{_A} headerName": 5}, {f"{_A} headerName": "5"}),
    row("but is true or false; put it in quotes", {f"{_H} labels x": True}, {f"{_H} labels x": "true"}),
    row("but is a list; write one text", {f"{_A} headerName": ["x"]}, {f"{_A} headerName": "x"}),
    row("; remove the quotes", {f"{_D} port": {"number": "80"}}, {f"{_D} port number": 80}),
    row("; write a number", {f"{_D} port": {"number": "http"}}, {f"{_D} port number": 80}),
    row("; write an object", {f"{_H} labels": ["route"]}, {f"{_H} labels": {"route": "llm"}}),
    row("; write true or false", {f"{_A} skipMetadataValidation": "yes"}, {f"{_A} skipMetadataValidation": True}),
    row(
        '; begin each entry with "- "', {f"{_H} matchers": {"uri": {}}}, {f"{_H} matchers": [{"uri": {"prefix": "/"}}]}
    ),
    row(
        "but is null; fill it in",
        {"keys applyToRoutes 0 route labels route": None},
        {"keys applyToRoutes 0 route labels route": "llm"},
    ),
    row("but is null; fill it in", {"gw workloads": [None]}, {"gw workloads 0": {"selector": {}}}),
    row("but is null; fill it in", {f"{_L} port": None}, {f"{_L} port": {"number": 80}}),
    row("is missing; add it", {f"{_L} port": GONE}, {f"{_L} port": {"number": 80}}),
    row("must be 1 at least; raise it", {f"{_L} port number": 0}, {f"{_L} port number": 1}),
    row("must be 65535 at most; lower it", {f"{_L} port number": 65536}, {f"{_L} port number": 65535}),
    row("characters; shorten it", {f"{_A} headerName": "k" * 257}, {f"{_A} headerName": "k" * 256}),
    row(
        "entries; split the object up",
        {f"{_H} matchers": [{"uri": {"prefix": f"/{i}"}} for i in range(33)]},
        {f"{_H} matchers 32": GONE},
    ),
    row(
        "must not be empty; fill it in", {"gw listeners": []}, {"gw listeners": [{"http": {}, "port": {"number": 80}}]}
    ),
    row("a host name such as", {"rt hosts 0": "a.*.b"}, {"rt hosts 0": "*.b"}),
    row("the name of a header, without blanks; correct it", {f"{_A} headerName": "a b"}, {f"{_A} headerName": "a-b"}),
    row("; write it like 2s, 500ms", {"+s": {**_SERVER, "spec": {"requestTimeout": 5}}}, {"+s requestTimeout": "5s"}),
    row(
        ", not 307; did you mean TEMPORARY",
        {f"{_F}": GONE, f"{_H} redirect": {"responseCode": 307}},
        {f"{_H} redirect responseCode": "TEMPORARY_REDIRECT"},
    ),
    row("; write one of these", {f"{_D} kind": True}, {f"{_D} kind": "EXTERNAL_SERVICE"}),
    row(
        "of the YAML type date, which an object cannot hold; put it in quotes",
        {f"{_H} labels x": dt.date(2030, 1, 1)},
        {f"{_H} labels x": "2030-01-01"},
    ),
    row("is no finite number; put it in quotes", {f"{_H} labels x": math.inf}, {f"{_H} labels x": ".inf"}),
    row(
        "put the key in quotes",
        {f"{_H} labels": {5: "x", "route": "llm"}},
        {f"{_H} labels": {"5": "x", "route": "llm"}},
    ),
    row("; split it up", {f"{_A} x": [[]] * 400_000}, {f"{_A} x": GONE}),
    row(
        "half of a surrogate pair, which is no character; remove it",
        {f"{_H} labels x": "a\ud800"},
        {f"{_H} labels x": "a"},
    ),
    row("Did you mean labels?", {f"{_H} label": {"x": "y"}}, {f"{_H} label": GONE, f"{_H} labels x": "y"}),
    row("is not a field of this kind and has no effect. Remove it.", {f"{_H} zzz": 1}, {f"{_H} zzz": GONE}),
    row(
        "Remove it, and write route: {}", {"keys applyToRoutes 0 route": {"zzz": 1}}, {"keys applyToRoutes 0 route": {}}
    ),
    row(
        "Remove it, and write {} because nothing else is left in the entry.",
        {f"{_H} matchers 0": {"zzz": 1}},
        {f"{_H} matchers 0": {}},
    ),
    row(
        "; remove it, and write route: {}",
        {"keys applyToRoutes 0 route": {"workspace": "w"}},
        {"keys applyToRoutes 0 route": {}},
    ),
    row("; remove it.", {"keys applyToRoutes 0 route workspace": "w"}, {"keys applyToRoutes 0 route workspace": GONE}),
    row("Add apiVersion and kind", {"keys apiVersion": 5}, {"keys apiVersion": "security.policy.gloo.solo.io/v2"}),
    row(
        "knows no such version of it: write apiVersion:",
        {"keys apiVersion": "security.policy.gloo.solo.io/v1"},
        {"keys apiVersion": "security.policy.gloo.solo.io/v2"},
    ),
    row(
        "Move it there, or remove it.",
        {"keys metadata annotations": {"wardgate.dev/expires-at": "2030-01-31T12:00:00Z"}},
        {"keys metadata annotations wardgate.dev/expires-at": GONE},
        {
            "keys metadata annotations wardgate.dev/expires-at": GONE,
            "key metadata annotations": {"wardgate.dev/expires-at": "2030-01-31T12:00:00Z"},
        },
    ),
    row(
        "and has no effect. Did you mean wardgate.dev/expires-at?",
        {"key metadata annotations": {"wardgate.dev/expires": "2030-01-31T12:00:00Z"}},
        {"key metadata annotations": {"wardgate.dev/expires-at": "2030-01-31T12:00:00Z"}},
    ),
    row("is not base64; let kubectl", {"key data api-key": "%"}, {"key data api-key": "a2V5LW9uZQ=="}),
    row(
        "data must be an object with one field for each entry; correct it",
        {"key data": ["api-key"]},
        {"key data": {"api-key": "a2V5LW9uZQ=="}},
    ),
    row("must be named with letters", {"key data a/b": "eA=="}, {"key data a/b": GONE, "key data ab": "eA=="}),
    row("type must be a text; put it in quotes", {"key type": 5}, {"key type": "extauth.solo.io/apikey"}),
    row("data.x must be a text; put it in quotes", {"key data x": 1234}, {"key data x": "1234"}),
)

RULES: Final[tuple[Row, ...]] = (
    row("Give only one store of keys", {f"{_A} aerospikeApikeyStorage": {}}, {f"{_A} aerospikeApikeyStorage": GONE}),
    row(
        "Give either hmac or digest",
        {f"{_A} digest": {}, f"{_A} hmac": {"sharedSecretRef": {"name": "h"}}, "key data": {"api-key": "YTk="}},
        {f"{_A} hmac": GONE},
    ),
    row(
        "match works only with digest",
        {f"{_A} match": {"headers": [{"name": "x-org"}]}},
        {f"{_A} match": GONE},
        {f"{_A} digest": {}},
    ),
    row(
        "Name one hash function",
        {f"{_C}": {"basicAuth": {"encryption": {"apr": {}, "sha1": {}}, "userList": {"users": _HASH}}}},
        {f"{_C} basicAuth encryption sha1": GONE},
    ),
    row(
        "Give the users in one style",
        {f"{_C}": {"basicAuth": {"apr": {"users": _HASH}, "encryption": {"apr": {}}, "userList": {"users": _HASH}}}},
        {f"{_C}": {"basicAuth": {"apr": {"users": _HASH}}}},
    ),
    row(
        "userList needs encryption",
        {f"{_C}": {"basicAuth": {"userList": {"users": _HASH}}}},
        {f"{_C} basicAuth encryption": {"apr": {}}},
        {f"{_C} basicAuth encryption": {"sha1": {}}},
    ),
    row(
        "encryption needs userList",
        {f"{_C}": {"basicAuth": {"encryption": {"apr": {}}}}},
        {f"{_C} basicAuth userList": {"users": _HASH}},
        {f"{_C} basicAuth apr": {"users": _HASH}, f"{_C} basicAuth encryption": GONE},
    ),
    row("Name exactly one auth module", {f"{_C}": {}}, {f"{_C}": _KEY_AUTH}),
    row("Give exactly one of glooAuth", {"keys config disable": True}, {"keys config disable": GONE}),
    row(
        "An ExternalService cannot be the auth server",
        {"+s": {**_SERVER, "spec": {"destinationServer": {"kind": "EXTERNAL_SERVICE", "ref": {"name": "x"}}}}},
        {"+s destinationServer kind": "SERVICE"},
    ),
    row(
        "statusOnError is no status of HTTP",
        {"+s": {**_SERVER, "spec": {"statusOnError": 299}}},
        {"+s statusOnError": 503},
    ),
    row(
        "Give the server's hosts or its addresses",
        {"llm addresses": ["10.0.0.1"]},
        {"llm addresses": GONE},
        {"llm hosts": GONE},
    ),
    row(
        "Give either pathRewrite or regexRewrite",
        {f"{_F} pathRewrite": "/x", f"{_F} regexRewrite": {"pattern": {"regex": "a"}, "substitution": "b"}},
        {f"{_F} pathRewrite": GONE},
        {f"{_F} regexRewrite": GONE},
    ),
    row(
        "Give either hostRewrite or autoHostRewrite",
        {f"{_F} hostRewrite": "x", f"{_F} autoHostRewrite": True},
        {f"{_F} hostRewrite": GONE},
        {f"{_F} autoHostRewrite": GONE},
    ),
    row(
        "Name exactly one action", {f"{_H} directResponse": {"status": 200}}, {f"{_H} directResponse": GONE}, {_F: GONE}
    ),
    row(
        "Give only one of exact, prefix",
        {f"{_H} matchers 0 uri exact": "/llm"},
        {f"{_H} matchers 0 uri exact": GONE},
        {f"{_H} matchers 0 uri prefix": GONE},
    ),
    row(
        "Give only one of oidcAuthorizationCode",
        {f"{_C}": {"oauth2": {"oauth2": {}, "oidcAuthorizationCode": {}}}},
        {f"{_C}": _KEY_AUTH},
    ),
    row(
        "Give only one service: grpc or http",
        {f"{_C}": {"passThroughAuth": {"grpc": {}, "http": {}}}},
        {f"{_C}": _KEY_AUTH},
    ),
    row(
        "Give the port's number or its name, not both",
        {f"{_D} port": {"number": 80, "name": "http"}},
        {f"{_D} port name": GONE},
    ),
    row("Name the target", {f"{_D} awsLambda": {}}, {f"{_D} awsLambda": GONE}),
    row("Without hosts a table is a child", {"rt hosts": GONE}, {"rt hosts": ["api.example.com"]}),
    row(
        "Without hosts a table is a child",
        {**_PARENT, "+child": {**_CHILD, "spec": {"virtualGateways": [{"name": "gw"}], "http": [_ROUTE]}}},
        {"+child virtualGateways": GONE},
        then=_BELOW,
    ),
    row(
        "defaultDestination is used only by routes",
        {_F: GONE, f"{_H} directResponse": {"status": 200}, "rt defaultDestination": _TO_LLM["destinations"][0]},
        {"rt defaultDestination": GONE},
        {f"{_H} directResponse": GONE, _F: {}},
    ),
    row(
        "A route with forwardTo has no destinations",
        {_F: {}},
        {_F: _TO_LLM},
        {"rt defaultDestination": _TO_LLM["destinations"][0]},
    ),
    row(
        "Give at least one route under http",
        {"rt http": []},
        {"rt http 0": {"name": "llm", "labels": {"route": "llm"}, "forwardTo": _TO_LLM}},
    ),
    row(
        "to select every route write route: {}",
        {"keys applyToRoutes 0 route": None},
        {"keys applyToRoutes 0 route": {}},
        {"keys applyToRoutes 0 route": {"labels": {"route": "llm"}}},
    ),
    row(
        "Give either preAuthz or postAuthz",
        {"tp config phase": {"preAuthz": {}, "postAuthz": {}}},
        {"tp config phase preAuthz": GONE},
        {"tp config phase postAuthz": GONE},
    ),
    row(
        "EXTRACT takes no replacementText",
        {f"{_T} extractors": {"e": {"header": "x", "regex": ".*", "replacementText": "y"}}},
        {f"{_T} extractors e replacementText": GONE},
        {f"{_T} extractors e mode": "SINGLE_REPLACE"},
        {f"{_T} extractors e mode": "REPLACE_ALL"},
    ),
    row(
        "REPLACE_ALL replaces whole matches",
        {
            f"{_T} extractors": {
                "e": {"header": "x", "regex": "(.*)", "mode": "REPLACE_ALL", "subgroup": 1, "replacementText": "y"}
            }
        },
        {f"{_T} extractors e subgroup": GONE},
    ),
    row(
        "Name one source: header",
        {f"{_T} extractors": {"e": {"regex": ".*"}}},
        {f"{_T} extractors e header": "x"},
        {f"{_T} extractors e body": {}},
    ),
    row(
        "Give at most one of body, passthrough",
        {f"{_T} passthrough": {}, f"{_T} body": {"text": "x"}},
        {f"{_T} body": GONE},
        {f"{_T} passthrough": GONE},
    ),
    row(
        "Give the port's number or its name.",
        {f"{_L} port": {}},
        {f"{_L} port number": 80},
        {f"{_L} port name": "http"},
    ),
    row(
        "Give either secretName or files",
        {f"{_L} tls": {"mode": "SIMPLE", "secretName": "x", "files": {"serverCert": "/f/a", "privateKey": "/f/b"}}},
        {f"{_L} tls": GONE},
    ),
    row("Give http alone", {f"{_L} tcp": {}}, {f"{_L} tcp": GONE}),
    row(
        "give tls or httpsRedirect",
        {f"{_L} tls": {"mode": "SIMPLE"}, f"{_L} httpsRedirect": True},
        {f"{_L} tls": GONE},
        then={},
    ),
    row(
        "httpsRedirect works with http only",
        {f"{_L} http": GONE, f"{_L} httpsRedirect": True, f"{_L} tcp": {}},
        {f"{_L} tcp": GONE},
        then={},
    ),
)

ROWS: Final = TYPES + RULES
