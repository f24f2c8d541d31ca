"""Mistakes that used to be silent, told twice, or told wrongly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.translate.cluster import Cluster
from wardgate.ir import (
    ApiKeyStep,
    AuthPlan,
    Credential,
    DirectResponse,
    Forward,
    GatewayConfig,
    HeaderTemplate,
    Listener,
    MessageTemplate,
    Route,
    TransformationPlan,
    Upstream,
    VirtualHost,
    WeightedUpstream,
)
from wardgate.problems import ObjectRef, Problem, Reason
from wardgate.settings import Settings
from wardgate.translate import Translation, translate
from wardgate.translate.keys.idle_bindings import idle_bindings, reached

_API = {
    "ExtAuthPolicy": "security.policy.gloo.solo.io/v2",
    "TransformationPolicy": "trafficcontrol.policy.gloo.solo.io/v2",
    "Secret": "v1",
}
_GATEWAY = {"listeners": [{"http": {}, "port": {"number": 80}}]}
_ROOT = {"hosts": ["*"], "virtualGateways": [{"name": "gw"}]}
_OPEN = {"name": "open", "labels": {"app": "web"}, "directResponse": {"status": 200}}
_CHAT = {"name": "chat", "labels": {"route": "chat"}, "directResponse": {"status": 200}}
_BAD = {"name": "bad", "matchers": [{"uri": {"prefix": "/bad"}}], "directResponse": {"status": "x"}}
_KEYS = {"k8sSecretApikeyStorage": {"labelSelector": {"team": "a"}}}
_AUTH = {"config": {"glooAuth": {"configs": [{"apiKeyAuth": _KEYS}]}}}
_AT_WEB = {"applyToRoutes": [{"route": {"labels": {"app": "web"}}}]}
_AT_NONE = {"applyToRoutes": [{"route": {"labels": {"app": "none"}}}]}


def _object(kind: str, name: str, spec: object, **metadata: object) -> dict[str, Any]:
    return {
        "apiVersion": _API.get(kind, "networking.gloo.solo.io/v2"),
        "kind": kind,
        "metadata": {"name": name, "namespace": "a", **metadata},
        "spec": spec,
    }


def _guard_of(labels: dict[str, str]) -> dict[str, Any]:
    return _object("ExtAuthPolicy", "guard", {"applyToRoutes": [{"route": {"labels": labels}}], **_AUTH})


def _secret(name: str, **fields: object) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "a", "labels": {"team": "a"}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "extauth.solo.io/apikey", **fields}


def _cluster(*objects: dict[str, Any], http: object = (_OPEN,)) -> Cluster:
    table = _object("RouteTable", "root", {**_ROOT, "http": list(http) if isinstance(http, tuple) else http})
    return Cluster().apply(_object("VirtualGateway", "gw", _GATEWAY), table, *objects)


def _translated(*objects: dict[str, Any], settings: Settings | None = None, **fields: Any) -> Translation:
    return translate(_cluster(*objects, **fields).snapshot(), settings or Settings())


def _message(translation: Translation, kind: str, name: str) -> str:
    status = translation.statuses.of(ObjectRef(kind, "a", name))
    assert status is not None
    return status.message


def _stray(translation: Translation) -> list[Problem]:
    return [one for one in translation.statuses.problems if one.reason is Reason.UNKNOWN_FIELD]


class TestAnnotations:
    @pytest.mark.parametrize("kind", ["ExtAuthPolicy", "TransformationPolicy", "RouteTable", "Secret"])
    def test_misspelt_annotation_is_told_on_every_kind(self, kind: str) -> None:
        name = "wardgate.dev/upstream-host"
        annotated = _object(kind, "x", "not readable", annotations={name: "v"})
        (found,) = _stray(_translated(annotated))
        expected = f"{kind} a/x: the annotation {name} is not known and has no effect. Did you mean {name}s?"
        assert (expected, ("metadata", "annotations", name)) == (found.message, found.field)

    def test_name_that_cannot_be_shown_is_escaped(self) -> None:
        (found,) = _stray(_translated(_object("ExtAuthPolicy", "x", {}, annotations={"wardgate.dev/\x1b": "v"})))
        assert r"'wardgate.dev/\x1b'" in found.message

    @pytest.mark.parametrize("annotations", [None, 5, ["wardgate.dev/x"], {"wardgate.dev/expires-at": "v"}])
    def test_annotations_that_are_known_or_no_mapping_are_not_stray(self, annotations: object) -> None:
        secret = _secret("s", data={})
        secret["metadata"]["annotations"] = annotations
        assert [] == _stray(_translated(secret))


class TestSecrets:
    def test_bad_secret_is_told_once_and_named_in_the_policys_status(self) -> None:
        policy = _object("ExtAuthPolicy", "guard", {**_AT_WEB, **_AUTH})
        translation = _translated(policy, _secret("bad", data={"api-key": "%"}))
        about = [one for one in translation.statuses.problems if "Secret a/bad" in one.message]
        assert [(ObjectRef("Secret", "a", "bad"), ("data", "api-key"))] == [(one.ref, one.field) for one in about]
        assert "Secret a/bad is not used as a key: data.api-key is not base64" in _message(
            translation, "ExtAuthPolicy", "guard"
        )


class TestPoliciesWithoutRoutes:
    def test_guard_without_routes_is_told_that_it_guards_nothing(self) -> None:
        translation = _translated(_object("ExtAuthPolicy", "guard", {**_AT_NONE, **_AUTH}))
        expected = (
            "ExtAuthPolicy a/guard selects no route, so it guards nothing: routes meant for it are open. "
            "Check the labels in spec.applyToRoutes."
        )
        assert expected in _message(translation, "ExtAuthPolicy", "guard")

    @pytest.mark.parametrize("asked", [{"route": "chta"}, {"ruote": "chat"}])
    def test_label_of_a_route_that_is_nearly_the_policys_is_named(self, asked: dict[str, str]) -> None:
        ((name, value),) = asked.items()
        expected = f"No route has the label {name}={value}; one has route=chat. Check the labels in spec.applyToRoutes."
        assert expected in _message(_translated(_guard_of(asked), http=(_CHAT,)), "ExtAuthPolicy", "guard")

    def test_label_that_no_route_nearly_has_is_not_guessed(self) -> None:
        message = _message(_translated(_guard_of({"route": "audio"}), http=(_CHAT,)), "ExtAuthPolicy", "guard")
        assert "No route has the label" not in message

    def test_tenant_is_named_no_label_of_a_route(self) -> None:
        settings = Settings(tenancy="isolated", platform_namespaces=frozenset({"b"}))
        translation = _translated(_guard_of({"route": "chta"}), http=(_CHAT,), settings=settings)
        assert "route=chat" not in _message(translation, "ExtAuthPolicy", "guard")

    def test_nothing_is_called_open_where_authentication_is_required(self) -> None:
        settings = Settings(require_auth=True)
        translation = _translated(_object("ExtAuthPolicy", "guard", {**_AT_NONE, **_AUTH}), settings=settings)
        assert "ExtAuthPolicy a/guard selects no route. Check" in _message(translation, "ExtAuthPolicy", "guard")

    @pytest.mark.parametrize(
        ("platform", "told"), [(frozenset({"a"}), False), (frozenset({"b"}), True), (frozenset(), True)]
    )
    def test_tenants_policy_is_told_of_tenancy(self, platform: frozenset[str], *, told: bool) -> None:
        settings = Settings(tenancy="isolated", platform_namespaces=platform)
        translation = _translated(_object("ExtAuthPolicy", "guard", {**_AT_NONE, **_AUTH}), settings=settings)
        assert told is ("Under isolated tenancy" in _message(translation, "ExtAuthPolicy", "guard"))


_LDAP = {"config": {"glooAuth": {"configs": [{"ldap": {"address": "x"}}]}}}
_CLOSED = "The routes that it selects are closed."


class TestConsequences:
    def test_policy_that_closes_its_routes_says_so(self) -> None:
        assert _message(
            _translated(_object("ExtAuthPolicy", "guard", {**_AT_WEB, **_LDAP})), "ExtAuthPolicy", "guard"
        ).endswith(_CLOSED)

    def test_policy_that_selects_nothing_closes_nothing(self) -> None:
        bad = _object("ExtAuthPolicy", "guard", {**_AT_NONE, **_LDAP})
        assert "closed" not in _message(_translated(bad), "ExtAuthPolicy", "guard")

    def test_policy_in_its_last_good_form_closes_nothing(self) -> None:
        cluster = _cluster(_object("ExtAuthPolicy", "guard", {**_AT_WEB, **_AUTH}))
        first = translate(cluster.snapshot(), Settings())
        cluster.apply(_object("ExtAuthPolicy", "guard", {**_AT_WEB, **_LDAP}))
        said = _message(translate(cluster.snapshot(), Settings(), last_good=first.last_good), "ExtAuthPolicy", "guard")
        assert said.endswith("Its last good form, generation 1, is served instead.")
        assert "closed" not in said

    def test_routes_that_only_the_bad_form_selects_are_told(self) -> None:
        cluster = _cluster(_object("ExtAuthPolicy", "guard", {**_AT_NONE, **_AUTH}))
        first = translate(cluster.snapshot(), Settings())
        cluster.apply(_object("ExtAuthPolicy", "guard", {**_AT_WEB, **_LDAP}))
        said = _message(translate(cluster.snapshot(), Settings(), last_good=first.last_good), "ExtAuthPolicy", "guard")
        assert said.endswith("is served instead. Routes that only the bad form selects are closed.")

    def test_bad_transformation_closes_its_routes(self) -> None:
        bad = _object("TransformationPolicy", "t", {"config": {"request": {"injaTemplate": {"body": {"text": "{{"}}}}})
        assert _message(_translated(bad), "TransformationPolicy", "t").endswith(_CLOSED)

    @pytest.mark.parametrize(
        ("http", "said"),
        [
            ((_BAD, _OPEN), "Its bad routes are closed; the rest is served."),
            ((_BAD,), "All its routes are closed."),
            ("x", "All its routes are closed."),
        ],
    )
    def test_table_says_how_much_of_it_is_closed(self, http: object, said: str) -> None:
        assert _message(_translated(http=http), "RouteTable", "root").endswith(f" {said}")

    def test_table_whose_children_are_served_is_not_called_closed(self) -> None:
        good = {"name": "child", "delegate": {"routeTables": [{"name": "child"}]}}
        child = _object("RouteTable", "child", {"http": [{"delegate": {"routeTables": [{"name": "leaf"}]}}]})
        leaf = _object("RouteTable", "leaf", {"http": [_OPEN]})
        said = _message(_translated(child, leaf, http=(_BAD, good)), "RouteTable", "root")
        assert said.endswith("Its bad routes are closed; the rest is served.")

    def test_table_that_takes_no_request_says_so(self) -> None:
        parent = {"matchers": [{"uri": {"prefix": "/a"}}], "delegate": {"routeTables": [{"name": "child"}]}}
        child = _object("RouteTable", "child", {"http": [{**_OPEN, "matchers": [{"uri": {"prefix": "/b"}}]}]})
        said = _message(_translated(child, http=(parent,)), "RouteTable", "child")
        assert said.endswith("None of its routes takes a request.")


_OPENAI = "api.openai.com"


def _config(*routes: Route, hosts: tuple[str, ...] = (_OPENAI,), key_sets: tuple[str, ...] = ("k",)) -> GatewayConfig:
    credentials = tuple(Credential(key_set, "d", "a", "s", allowed_hosts=hosts) for key_set in key_sets)
    return GatewayConfig(
        listeners=(Listener("l", 80, (VirtualHost(("*",), routes),)),),
        upstreams=(
            Upstream("openai", (), bound_hosts=(_OPENAI,)),
            Upstream("other", (), bound_hosts=("api.example.com",)),
            Upstream("insecure", ()),
        ),
        auth_plans=tuple(
            AuthPlan(f"plan-{key_set}", (ApiKeyStep("config_0", "api-key", key_set),)) for key_set in ("k", "m")
        ),
        transformations=(TransformationPlan("moves", "post", recalculate=True), TransformationPlan("stays", "post")),
        credentials=credentials,
    )


def _to(*upstreams: str, auth: str | None = "plan-k") -> Route:
    targets = tuple(WeightedUpstream(name, 1) for name in upstreams)
    return Route("r", Forward(targets, auto_host_rewrite=True), auth=auth)


def _idle(config: GatewayConfig) -> list[tuple[ObjectRef, object]]:
    return [(one.ref, one.field) for one in idle_bindings(config.credentials, reached(config))]


_TOLD = [(ObjectRef("Secret", "a", "s"), ("metadata", "annotations", "wardgate.dev/upstream-hosts"))]


class TestIdleBindings:
    @pytest.mark.parametrize("upstreams", [("other",), ("insecure",), ("openai", "other"), ("openai", "insecure"), ()])
    def test_key_bound_to_hosts_where_no_route_leads_is_told(self, upstreams: tuple[str, ...]) -> None:
        assert _TOLD == _idle(_config(_to(*upstreams)))

    def test_one_route_that_leads_there_is_enough(self) -> None:
        assert [] == _idle(_config(_to("other"), _to("openai")))

    def test_several_listed_hosts_may_all_be_dialled(self) -> None:
        assert [] == _idle(_config(_to("openai", "other"), hosts=(_OPENAI, "api.example.com")))

    @pytest.mark.parametrize(
        ("host", "told"), [(None, True), ("api.example.com", True), (_OPENAI, False), ("API.OpenAI.com:443", False)]
    )
    def test_route_that_names_another_host_does_not_count(self, host: str | None, *, told: bool) -> None:
        route = replace(_to("openai"), action=Forward((WeightedUpstream("openai", 1),), host_rewrite=host))
        assert told == bool(_idle(_config(route)))

    def test_route_whose_host_a_transformation_sets_is_not_judged_by_it(self) -> None:
        plan = TransformationPlan("names", "post", MessageTemplate(headers=(HeaderTemplate(":authority", _OPENAI),)))
        action = Forward((WeightedUpstream("openai", 1),))
        served = _config(replace(_to(), action=action, transformations=("names",)))
        assert [] == _idle(replace(served, transformations=(plan,)))

    def test_route_without_the_policy_does_not_count(self) -> None:
        assert _TOLD == _idle(_config(_to("other"), _to("openai", auth=None), _to("openai", auth="plan-m")))

    def test_one_of_several_key_sets_is_enough(self) -> None:
        routes = (_to("other"), _to("openai", auth="plan-m"))
        assert [] == _idle(_config(*routes, key_sets=("k", "m")))
        assert [] == _idle(_config(*routes, key_sets=("m", "k")))

    def test_key_whose_routes_answer_themselves_is_not_told(self) -> None:
        assert [] == _idle(_config(Route("r", DirectResponse(200), auth="plan-k")))

    @pytest.mark.parametrize(("transformation", "told"), [("moves", []), ("stays", _TOLD)])
    def test_route_that_may_move_a_request_is_not_judged(self, transformation: str, told: object) -> None:
        assert told == _idle(_config(replace(_to("other"), transformations=(transformation,))))

    def test_key_that_is_not_bound_is_not_told(self) -> None:
        config = _config(_to("other"))
        free = tuple(replace(one, allowed_hosts=None) for one in config.credentials)
        assert [] == _idle(replace(config, credentials=free))
