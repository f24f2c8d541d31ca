"""Remedies of policies and of keys, under shared tenancy and, where they are about tenants, under isolated."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final

from tests.remedies.gateway import GONE, GUARDED, Manifest, base
from tests.remedies.parts import ISOLATED, copy_of
from tests.remedies.row import Row, row

_C: Final = "keys config glooAuth"
_E: Final = "keys config glooAuth configs 0"
_A: Final = f"{_E} apiKeyAuth"
_S: Final = f"{_A} k8sSecretApikeyStorage"
_T: Final = "tp config request injaTemplate"
_KEY_AUTH: Final = {"apiKeyAuth": {"k8sSecretApikeyStorage": {"labelSelector": {"team": "a"}}}}
_HASH: Final = {"u": {"salt": "abc", "hashedPassword": "x" * 22}}
_DIGEST: Final = b64encode(sha256(b"k").hexdigest().encode()).decode()


def _basic(users: object) -> Manifest:
    return {"basicAuth": {"apr": {"users": users}}}


def _secret(name: str, key: str, **metadata: object) -> Manifest:
    place = {"name": name, "namespace": "a", "labels": {"team": "a"}, **metadata}
    return {**base()["key"], "metadata": place, "data": {"api-key": b64encode(key.encode()).decode()}}


def _tenants(**spec: object) -> Manifest:
    """A policy of the tenant t."""
    policy = copy_of("keys", namespace="t")
    return {**policy, "spec": {**policy["spec"], **spec}}


_TWO: Final = copy_of("keys")
_OWN: Final = _secret("own", "own", namespace="t")
_ALTERNATIVES: Final = {
    "glooAuth": {"booleanExpr": "a || b", "configs": [{"name": "a", **_KEY_AUTH}, {"name": "b", **_KEY_AUTH}]}
}
_FORWARDING: Final = {
    **_tenants(config=_ALTERNATIVES),
    "metadata": {
        **copy_of("keys", namespace="t")["metadata"],
        "annotations": {"wardgate.dev/forward-credential": "true"},
    },
}
_CHILD: Final = {
    "apiVersion": "networking.gloo.solo.io/v2",
    "kind": "RouteTable",
    "metadata": {"name": "child", "namespace": "t"},
    "spec": {
        "http": [
            {
                "name": "below",
                "labels": {"route": "llm"},
                "matchers": [{"uri": {"prefix": "/llm/t"}}],
                "forwardTo": {"destinations": [{"ref": {"name": "web"}, "port": {"number": 80}}]},
            }
        ]
    },
}
_TO_TENANT: Final = {
    "rt http 0": {
        "name": "llm",
        "matchers": [{"uri": {"prefix": "/llm/"}}],
        "delegate": {"routeTables": [{"namespace": "t"}]},
    },
    "+child": _CHILD,
}
_BELOW: Final = {"below": GUARDED}


def _named(*names: str, expression: str = "") -> dict[str, object]:
    configs = [{"name": name, **_KEY_AUTH} for name in names]
    return {f"{_C} configs": configs, **({f"{_C} booleanExpr": expression} if expression else {})}


AUTH: Final[tuple[Row, ...]] = (
    row(
        "Narrow the selector of one of the two.",
        {"+two": _TWO},
        {"+two applyToRoutes 0 route labels route": "none"},
        {"keys applyToRoutes 0 route labels route": "none"},
    ),
    row("Use apiKeyAuth or basicAuth.", {_E: {"ldap": {"address": "x"}}}, {_E: _KEY_AUTH}, {_E: _basic(_HASH)}),
    row(
        "Give only what follows the last $",
        {_E: _basic({"u": {"salt": "abc", "hashedPassword": "$apr1$abc$" + "x" * 22}})},
        {f"{_E} basicAuth apr users u hashedPassword": "x" * 22},
    ),
    row("Add users.", {_E: _basic({})}, {f"{_E} basicAuth apr users": _HASH}),
    row(
        "the one in k8sSecretApikeyStorage counts. Remove the other.",
        {f"{_A} labelSelector": {"team": "b"}},
        {f"{_A} labelSelector": GONE},
    ),
    row(
        "by a label that no Secret can carry. Correct",
        {f"{_S} labelSelector team": "a b"},
        {f"{_S} labelSelector team": "a"},
    ),
    row(
        "in two spellings. Remove one of the two.",
        {f"{_A} headersFromMetadataEntry": {"x-a": {"name": "n"}, "x_a": {"name": "n"}}},
        {f"{_A} headersFromMetadataEntry x-a": GONE},
        {f"{_A} headersFromMetadataEntry x_a": GONE},
    ),
    row("Use another name.", {f"{_A} headerName": ":path"}, {f"{_A} headerName": "x-key"}),
    row(
        "names a Secret that cannot exist. Correct the reference.",
        {f"{_S} apiKeySecretRefs": [{"name": "A B"}]},
        {f"{_S} apiKeySecretRefs 0 name": "key"},
    ),
    row("Give each a name of its own.", _named("a", "a"), {f"{_C} configs 1 name": "b"}),
    row("has a booleanExpr that cannot be read", _named("a", expression="a &&"), {f"{_C} booleanExpr": "a"}),
    row("is true when every config fails", _named("a", expression="!a"), {f"{_C} booleanExpr": "a"}),
    row(
        "never evaluated. Name or remove them.",
        _named("a", "b", expression="a"),
        {f"{_C} booleanExpr": "a && b"},
        {f"{_C} configs 1": GONE},
    ),
    row(
        "Set parentheses to say what is meant.",
        _named("a", "b", "c", expression="a && b || c"),
        {f"{_C} booleanExpr": "(a && b) || c"},
    ),
    row(
        "selects no route, so it guards nothing: routes meant for it are open. Check the labels",
        {"keys applyToRoutes 0 route labels route": "x"},
        {"keys applyToRoutes 0 route labels route": "llm"},
    ),
    row(
        "Write kind: EXTERNAL_SERVICE in the selector.",
        {"keys applyToRoutes 0": {"withDestinations": {"selector": {"name": "llm"}}}},
        {"keys applyToRoutes 0 withDestinations kind": "EXTERNAL_SERVICE"},
    ),
    row(
        "Write the labels of the routes that are meant",
        {"keys applyToRoutes 0 route": GONE},
        {"keys applyToRoutes 0": {"route": {"labels": {"route": "llm"}}}},
        {"keys applyToRoutes 0": {"route": {}}},
    ),
    row(
        "so every route that no other ExtAuthPolicy guards is closed. Correct them.",
        {"keys applyToRoutes 0 route labels": ["x"]},
        {"keys applyToRoutes 0 route labels": {"route": "llm"}},
    ),
)
KEYS: Final[tuple[Row, ...]] = (
    row("Create a Secret of type", {"key": GONE}, {"+key": _secret("new", "new")}),
    row(
        "add a labelSelector or apiKeySecretRefs.",
        {_S: {}},
        {f"{_S} labelSelector": {"team": "a"}},
        {f"{_S} apiKeySecretRefs": [{"name": "key"}]},
    ),
    row(
        "Mend one of the Secrets that it selects",
        {"key data": {"x": "eA=="}},
        {"key data api-key": "eA=="},
        {"+new": _secret("new", "new")},
    ),
    row(
        "Create it, or take it out of apiKeySecretRefs.",
        {f"{_S} apiKeySecretRefs": [{"name": "none"}]},
        {f"{_S} apiKeySecretRefs 0": GONE},
        {"+none": _secret("none", "none")},
    ),
    row("Give every caller a key of their own.", {"+dup": _secret("dup", "key-one")}, {"+dup data api-key": "eA=="}),
    row(
        "Label it as a policy's labelSelector asks.",
        {"+new": _secret("new", "new", labels={})},
        {"+new metadata labels team": "a"},
    ),
    row(
        "its key is refused. Add the entry.",
        {f"{_A} headersFromMetadataEntry": {"x-org": {"name": "org", "required": True}}},
        {"key data org": "eA=="},
    ),
    row(
        'to compare with the header in "match"',
        {f"{_A} digest": {}, f"{_A} match": {"headers": [{"name": "x-org"}]}, "key data api-key": _DIGEST},
        {"key data x-org": "eA=="},
    ),
    row(
        "Make it UTF-8 text without control characters.",
        {f"{_A} headersFromMetadataEntry": {"x-org": {"name": "org"}}, "key data org": "AA=="},
        {"key data org": "eA=="},
    ),
    row(
        "Correct the list, or the routes' destinations",
        {
            "key metadata annotations": {"wardgate.dev/upstream-hosts": "other.example.com"},
            "llm ports 0 clientsideTls": {},
            "rt http 0 forwardTo autoHostRewrite": True,
        },
        {"key metadata annotations wardgate.dev/upstream-hosts": "llm.example.com"},
        {"llm hosts": ["other.example.com"]},
    ),
)
TENANTS: Final[tuple[Row, ...]] = (
    row(
        "check the labels in spec.applyToRoutes, or have the policy applied in a platform namespace",
        {"keys": GONE, "+two": _tenants()},
        {"+two metadata namespace": "a"},
        settings=ISOLATED,
    ),
    row(
        "The reference has no effect; remove it.",
        {
            "+own": _OWN,
            "+two": _tenants(),
            "+two config glooAuth configs 0 apiKeyAuth k8sSecretApikeyStorage apiKeySecretRefs": [
                {"name": "x", "namespace": "u"}
            ],
        },
        {"+two config glooAuth configs 0 apiKeyAuth k8sSecretApikeyStorage apiKeySecretRefs 0": GONE},
        settings=ISOLATED,
    ),
    row(
        "Remove the one or the other.",
        {"+own": _OWN, "+two": _FORWARDING},
        {"+two config glooAuth booleanExpr": GONE},
        {"+two metadata annotations": GONE},
        settings=ISOLATED,
    ),
    row(
        ", or have the platform share one with t",
        {"+two": _tenants()},
        {"+own": _OWN},
        {"key metadata annotations": {"wardgate.dev/share-with": "t"}},
        settings=ISOLATED,
    ),
    row(
        "is shared with nobody: its annotation wardgate.dev/share-with must be",
        {"key metadata annotations": {"wardgate.dev/share-with": "A B"}},
        {"key metadata annotations wardgate.dev/share-with": "t"},
        settings=ISOLATED,
    ),
    row(
        "has no effect outside the platform's namespaces. Remove it.",
        {
            "+two": _tenants(),
            "+own": _secret("own", "own", namespace="t", annotations={"wardgate.dev/share-with": "u"}),
        },
        {"+own metadata annotations wardgate.dev/share-with": GONE},
        settings=ISOLATED,
    ),
    row(
        "Move it to the namespace of its policy, or correct its labels.",
        {"+own": _OWN},
        {"+own metadata namespace": "a"},
        {"+two": _tenants(), "+own metadata labels": {"team": "a"}},
        settings=ISOLATED,
    ),
    row(
        "with wardgate.dev/upstream-hosts or wardgate.dev/share-with.",
        {
            **_TO_TENANT,
            f"{_A} headersFromMetadataEntry": {"authorization": {"name": "token"}},
            "key data token": "eA==",
        },
        {"key metadata annotations": {"wardgate.dev/upstream-hosts": "llm.example.com"}},
        {"key metadata annotations": {"wardgate.dev/share-with": "t"}},
        settings=ISOLATED,
        then=_BELOW,
    ),
    row(
        "Name such a header instead",
        {
            **_TO_TENANT,
            "keys": GONE,
            "+two": _tenants(),
            "+two config glooAuth configs 0 apiKeyAuth headersFromMetadataEntry": {"origin": {"name": "token"}},
            "key data token": "eA==",
            "key metadata annotations": {"wardgate.dev/share-with": "t"},
        },
        {"+two config glooAuth configs 0 apiKeyAuth headersFromMetadataEntry": {"authorization": {"name": "token"}}},
        settings=ISOLATED,
        then=_BELOW,
    ),
)
TEMPLATES: Final[tuple[Row, ...]] = (
    row(
        "Give it inlineString alone.",
        {f"{_T} dataSources": {"d": {"filename": "x"}}},
        {f"{_T} dataSources d": {"inlineString": "x"}},
    ),
    row("is refused. Write POST.", {f"{_T} headers :method": {"text": "post"}}, {f"{_T} headers :method text": "POST"}),
    row(
        "which the proxy alone writes: no effect. Remove it.",
        {f"{_T} headers content-length": {"text": "1"}},
        {f"{_T} headers content-length": GONE},
    ),
    row(
        "that is no name of a header. Correct it.",
        {f"{_T} headers": {"a b": {"text": "x"}}},
        {f"{_T} headers": {"a-b": {"text": "x"}}},
    ),
    row(
        "there is none of that name. Correct it.",
        {f"{_T} extractors": {"e": {"header": ":foo", "regex": ".*"}}},
        {f"{_T} extractors e header": ":path"},
    ),
    row(
        "in two spellings. Remove one of the two.",
        {f"{_T} headers x_one": {"text": "x"}},
        {f"{_T} headers x_one": GONE},
        {f"{_T} headers x-one": GONE},
    ),
    row(
        "Shorten it, or raise dataSourceMaxSize.",
        {f"{_T} dataSources": {"d": {"inlineString": "x" * 5000}}},
        {f"{_T} dataSources d inlineString": "x"},
        {f"{_T} dataSourceMaxSize": 5000},
    ),
    row(
        "whose inlineBytes is not base64. Correct it.",
        {f"{_T} dataSources": {"d": {"inlineBytes": "%"}}},
        {f"{_T} dataSources d inlineBytes": "eA=="},
    ),
    row(
        "which Wardgate does not implement. Remove it.", {f"{_T} stringDelimiter": "."}, {f"{_T} stringDelimiter": GONE}
    ),
    row(
        "which Wardgate does not implement. Remove it, and write injaTemplate: {}",
        {_T: {"stringDelimiter": "."}},
        {_T: {}},
    ),
    row(
        "Write $1 for the group.",
        {f"{_T} extractors": {"e": {"header": "x", "regex": "(.*)", "mode": "REPLACE_ALL", "replacementText": r"\1"}}},
        {f"{_T} extractors e replacementText": "$1"},
    ),
    row(
        "Use REPLACE_ALL, where $1 works.",
        {
            f"{_T} extractors": {
                "e": {"header": "x", "regex": "(.*)", "mode": "SINGLE_REPLACE", "replacementText": "$1"}
            }
        },
        {f"{_T} extractors e mode": "REPLACE_ALL"},
    ),
    row(
        "Put texts in double quotes.",
        {f"{_T} headers x-one text": "{{ default(a, 'x') }}"},
        {f"{_T} headers x-one text": '{{ default(a, "x") }}'},
    ),
    row(
        "Check the number of arguments that upper is given.",
        {f"{_T} headers x-one text": "{{ upper() }}"},
        {f"{_T} headers x-one text": '{{ upper("x") }}'},
    ),
    row(
        "Did you mean upper?",
        {f"{_T} headers x-one text": '{{ uper("x") }}'},
        {f"{_T} headers x-one text": '{{ upper("x") }}'},
    ),
    row(
        "Use injaTemplate.",
        {"tp config response": {"xsltTransformation": {}}},
        {"tp config response": {"injaTemplate": {}}},
    ),
    row(
        "Add config.request or config.response, or delete it.",
        {"tp config": {}},
        {"tp config request": {"injaTemplate": {}}},
        {"tp config response": {"injaTemplate": {}}},
        {"tp": GONE},
    ),
    row(
        "which is not the name of a header. Correct it.",
        {"tp metadata annotations": {"wardgate.dev/credential-headers": "a b"}},
        {"tp metadata annotations wardgate.dev/credential-headers": "x-one"},
    ),
)

ROWS: Final = AUTH + KEYS + TENANTS + TEMPLATES
