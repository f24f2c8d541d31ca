"""One ExtAuthPolicy to one plan: modules, names, expressions, annotations."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.translate.policies.objects import encoded, scope_of, secret, stored
from wardgate.api.kinds.ext_auth_policy import AUTH_MODULES, ExtAuthPolicy
from wardgate.api.rules.rules import json_name
from wardgate.ir import (
    ApiKeyStep,
    AuthPlan,
    BasicAuthStep,
    BasicUser,
    BoolAnd,
    BoolNot,
    BoolOr,
    BoolStep,
    Digest,
    Hmac,
    MetadataHeader,
)
from wardgate.problems import FieldPath, ObjectRef, ProblemKind, Reason
from wardgate.sensitive import Sensitive
from wardgate.settings import Settings
from wardgate.translate.contract import KeyForm, KeySetRequest, ParsedObject, PolicyOutcome, Scope
from wardgate.translate.policies.extauth import server_problems, translate_ext_auth
from wardgate.translate.sight import Sight

POLICY = ObjectRef("ExtAuthPolicy", "ns", "p")
CONFIGS: FieldPath = ("spec", "config", "glooAuth", "configs")
API_KEY: FieldPath = (*CONFIGS, 0, "apiKeyAuth")
EXPRESSION: FieldPath = ("spec", "config", "glooAuth", "booleanExpr")
ISOLATED = Settings(tenancy="isolated", platform_namespaces=frozenset({"platform"}))
BY_LABEL = {"k8sSecretApikeyStorage": {"labelSelector": {"team": "a"}}}
LAB_KEYS = KeySetRequest(selector=(("team", "a"),))
HASH = "0123456789abcdefghijkl"


def policy(config: Mapping[str, object], annotations: Mapping[str, str] | None = None) -> ParsedObject[ExtAuthPolicy]:
    manifest = {
        "apiVersion": "security.policy.gloo.solo.io/v2",
        "kind": "ExtAuthPolicy",
        "metadata": {"name": "p", "namespace": "ns", "annotations": annotations or {}},
        "spec": {"config": config},
    }
    return ParsedObject(
        stored(manifest, kind="ExtAuthPolicy", namespace="ns", name="p"), ExtAuthPolicy.model_validate(manifest)
    )


def translate(
    *configs: Mapping[str, object],
    expression: str | None = None,
    annotations: Mapping[str, str] | None = None,
    scope: Scope | None = None,
    **further: object,
) -> PolicyOutcome:
    auth = {"configs": configs, "booleanExpr": expression, **further}
    return translate_ext_auth(policy({"glooAuth": auth}, annotations), scope or scope_of())


def api_key(scope: Scope | None = None, **fields: object) -> PolicyOutcome:
    return translate({"apiKeyAuth": {**BY_LABEL, **fields}}, scope=scope)


def plan(outcome: PolicyOutcome) -> AuthPlan:
    assert outcome.plan is not None, outcome.problems
    return outcome.plan


def key_step(outcome: PolicyOutcome) -> ApiKeyStep:
    (step,) = plan(outcome).steps
    assert isinstance(step, ApiKeyStep)
    return step


def basic_step(outcome: PolicyOutcome) -> BasicAuthStep:
    (step,) = plan(outcome).steps
    assert isinstance(step, BasicAuthStep)
    return step


def found(outcome: PolicyOutcome) -> list[tuple[ProblemKind, Reason, FieldPath]]:
    assert all(problem.ref == POLICY for problem in outcome.problems)
    return [(problem.kind, problem.reason, problem.field) for problem in outcome.problems]


def errors(outcome: PolicyOutcome) -> list[tuple[Reason, FieldPath]]:
    """The errors of an outcome that, for having some, has no plan."""
    assert outcome.plan is None
    return [(reason, field) for kind, reason, field in found(outcome) if kind is ProblemKind.ERROR]


def warnings(outcome: PolicyOutcome) -> list[tuple[Reason, FieldPath]]:
    """The warnings of an outcome that has a plan all the same."""
    plan(outcome)
    return [(reason, field) for _, reason, field in found(outcome)]


def message(outcome: PolicyOutcome) -> str:
    (problem,) = outcome.problems
    return problem.message


def test_policy_of_the_lab_becomes_a_plan() -> None:
    storage = {"labelSelector": {"api-key": "api-huggingface"}}
    auth = {
        "headerName": "api-key",
        "k8sSecretApikeyStorage": storage,
        "headersFromMetadataEntry": {"x-api-key": {"name": "huggingface-api-key"}},
    }
    keys = KeySetRequest(selector=(("api-key", "api-huggingface"),))
    step = ApiKeyStep(
        name="config_0",
        header="api-key",
        key_set=keys.name,
        metadata_headers=(MetadataHeader(header="x-api-key", entry="huggingface-api-key"),),
    )
    expected = PolicyOutcome(
        plan=AuthPlan(name="ns/p", steps=(step,), policy="ExtAuthPolicy ns/p"), key_sets=(keys,), problems=()
    )
    assert expected == translate({"apiKeyAuth": auth})


class TestKeySet:
    def test_deprecated_selector_means_the_same_as_the_new_one(self) -> None:
        assert translate({"apiKeyAuth": {"labelSelector": {"team": "a"}}}).key_sets == (LAB_KEYS,)

    def test_new_selector_wins_with_a_warning(self) -> None:
        outcome = api_key(labelSelector={"team": "b"})
        assert ((LAB_KEYS,), [(Reason.NO_EFFECT, (*API_KEY, "labelSelector"))]) == (outcome.key_sets, warnings(outcome))

    def test_new_references_win_with_a_warning(self) -> None:
        outcome = api_key(apiKeySecretRefs=[{"name": "s"}])
        assert ((LAB_KEYS,), [(Reason.NO_EFFECT, (*API_KEY, "apiKeySecretRefs"))]) == (
            outcome.key_sets,
            warnings(outcome),
        )

    @pytest.mark.parametrize("storage", [{}, {"k8sSecretApikeyStorage": {}}, {"labelSelector": {}}])
    def test_absent_or_empty_selector_is_a_plan_without_keys(self, storage: Mapping[str, object]) -> None:
        outcome = translate({"apiKeyAuth": storage})
        assert ((KeySetRequest(),), True) == (outcome.key_sets, outcome.plan is not None)

    def test_references_are_resolved_from_the_policys_namespace(self) -> None:
        refs = [{"name": "b", "namespace": "x"}, {"name": "a"}, {"name": "a"}]
        outcome = translate({"apiKeyAuth": {"k8sSecretApikeyStorage": {"apiKeySecretRefs": refs}}})
        expected = KeySetRequest(refs=(ObjectRef("Secret", "ns", "a"), ObjectRef("Secret", "x", "b")))
        assert (expected,) == outcome.key_sets

    def test_deprecated_references_count_without_the_new_form(self) -> None:
        outcome = translate({"apiKeyAuth": {"apiKeySecretRefs": [{"name": "a"}]}})
        assert (KeySetRequest(refs=(ObjectRef("Secret", "ns", "a"),)),) == outcome.key_sets

    def test_foreign_reference_of_a_tenant_has_no_effect(self) -> None:
        refs = [{"name": "a", "namespace": "other"}, {"name": "b", "namespace": "platform"}]
        outcome = translate({"apiKeyAuth": {"apiKeySecretRefs": refs}}, scope=scope_of(settings=ISOLATED))
        expected = KeySetRequest(refs=(ObjectRef("Secret", "platform", "b"),), scope=("ns", "platform"), tenant="ns")
        field = (*API_KEY, "apiKeySecretRefs", 0)
        assert ((expected,), [(Reason.REF_NOT_PERMITTED, field)]) == (outcome.key_sets, warnings(outcome))

    @pytest.mark.parametrize("ref", [{"name": "a,b/c"}, {"name": "a", "namespace": "b|"}, {"name": "A"}])
    def test_impossible_reference_is_an_error(self, ref: Mapping[str, str]) -> None:
        outcome = translate({"apiKeyAuth": {"apiKeySecretRefs": [ref]}})
        assert [(Reason.INVALID, (*API_KEY, "apiKeySecretRefs", 0))] == errors(outcome)

    @pytest.mark.parametrize(
        ("key", "value"), [("team", "a,b=c"), ("team", "-a"), ("", "a"), ("a=b", "c"), ("a/b/c", "d"), ("a", "b" * 64)]
    )
    def test_impossible_label_is_an_error(self, key: str, value: str) -> None:
        outcome = translate({"apiKeyAuth": {"labelSelector": {key: value}}})
        assert [(Reason.INVALID, (*API_KEY, "labelSelector", key))] == errors(outcome)

    @pytest.mark.parametrize(("key", "value"), [("example.com/team", "a_b.C-1"), ("team", "")])
    def test_every_label_of_kubernetes_is_accepted(self, key: str, value: str) -> None:
        assert translate({"apiKeyAuth": {"labelSelector": {key: value}}}).problems == ()

    def test_renamed_policy_has_the_same_key_set(self) -> None:
        assert LAB_KEYS.name == key_step(api_key()).key_set

    def test_steps_with_equal_selectors_share_a_key_set(self) -> None:
        outcome = translate({"apiKeyAuth": BY_LABEL}, {"apiKeyAuth": {"headerName": "x-key", **BY_LABEL}})
        assert outcome.key_sets == (LAB_KEYS,)

    def test_aerospike_is_unsupported(self) -> None:
        outcome = translate({"apiKeyAuth": {"aerospikeApikeyStorage": {"hostname": "h"}}})
        assert [(Reason.UNSUPPORTED, (*API_KEY, "aerospikeApikeyStorage"))] == errors(outcome)


class TestKeyHeader:
    @pytest.mark.parametrize("fields", [{}, {"headerName": None}, {"headerName": ""}])
    def test_default_is_api_key(self, fields: Mapping[str, object]) -> None:
        assert key_step(translate({"apiKeyAuth": {**BY_LABEL, **fields}})).header == "api-key"

    def test_name_is_lower_case(self) -> None:
        assert key_step(api_key(headerName="X-API-Key")).header == "x-api-key"

    @pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "connection", ":path"])
    def test_header_of_the_proxy_is_refused(self, name: str) -> None:
        assert [(Reason.INVALID, (*API_KEY, "headerName"))] == errors(api_key(headerName=name))


class TestMetadataHeaders:
    def test_required_entry_is_kept(self) -> None:
        outcome = api_key(headersFromMetadataEntry={"X-Token": {"name": "token", "required": True}})
        assert (MetadataHeader("x-token", "token", required=True),) == key_step(outcome).metadata_headers

    def test_deprecated_spelling_works(self) -> None:
        outcome = api_key(headersFromMetadata={"x-token": {"name": "token"}})
        assert (MetadataHeader("x-token", "token"),) == key_step(outcome).metadata_headers

    def test_new_spelling_wins_per_header(self) -> None:
        outcome = api_key(
            headersFromMetadata={"X-A": {"name": "old"}, "x-b": {"name": "b"}},
            headersFromMetadataEntry={"x-a": {"name": "new"}},
        )
        assert (MetadataHeader("x-a", "new"), MetadataHeader("x-b", "b")) == key_step(outcome).metadata_headers

    def test_new_spelling_wins_over_a_header_with_underscores(self) -> None:
        outcome = api_key(
            headersFromMetadata={"X_A": {"name": "old"}}, headersFromMetadataEntry={"x-a": {"name": "new"}}
        )
        assert (MetadataHeader("x-a", "new"),) == key_step(outcome).metadata_headers

    @pytest.mark.parametrize(("first", "second"), [("X-A", "x-a"), ("x-a", "x_a")])
    def test_names_that_differ_in_spelling_only_are_an_error(self, first: str, second: str) -> None:
        outcome = api_key(headersFromMetadataEntry={first: {"name": "a"}, second: {"name": "b"}})
        assert [(Reason.INVALID, (*API_KEY, "headersFromMetadataEntry", second))] == errors(outcome)

    @pytest.mark.parametrize(
        "name",
        [
            *("host", "Content-Length", "content_length", "te", "upgrade", "expect", "Proxy", "cdn-loop", ":authority"),
            *("a b", "", "a\nb", "ä"),
        ],
    )
    def test_header_that_may_not_be_set_is_refused(self, name: str) -> None:
        outcome = api_key(headersFromMetadataEntry={name: {"name": "a"}})
        assert [(Reason.INVALID, (*API_KEY, "headersFromMetadataEntry", name))] == errors(outcome)

    def test_validation_can_be_skipped(self) -> None:
        assert key_step(api_key(skipMetadataValidation=True)).skip_metadata_validation


class TestStoredForms:
    def test_plain_keys_are_the_default(self) -> None:
        assert key_step(api_key()).stored is None

    def test_digests(self) -> None:
        outcome = api_key(digest={"algorithm": "SHA256"})
        expected = KeySetRequest(selector=LAB_KEYS.selector, form=KeyForm.SHA256)
        assert ((expected,), Digest()) == (outcome.key_sets, key_step(outcome).stored)

    def test_headers_to_match_are_lower_case_and_single(self) -> None:
        outcome = api_key(digest={}, match={"headers": [{"name": "X-User"}, {"name": "x-user"}, {"name": "a"}]})
        assert Digest(match_headers=("a", "x-user")) == key_step(outcome).stored

    def test_header_to_match_is_checked(self) -> None:
        outcome = api_key(digest={}, match={"headers": [{"name": "Host"}]})
        assert [(Reason.INVALID, (*API_KEY, "match", "headers", 0, "name"))] == errors(outcome)

    def test_hmacs(self) -> None:
        scope = scope_of(secret("pepper", {"shared-secret": "s3"}))
        outcome = api_key(scope, hmac={"sharedSecretRef": {"name": "pepper"}})
        expected = KeySetRequest(selector=LAB_KEYS.selector, form=KeyForm.HMAC_SHA256)
        assert ((expected,), Hmac(Sensitive("s3"))) == (outcome.key_sets, key_step(outcome).stored)

    def test_shared_secret_of_another_namespace(self) -> None:
        scope = scope_of(secret("pepper", {"shared-secret": "s3"}, namespace="x"))
        outcome = api_key(scope, hmac={"sharedSecretRef": {"name": "pepper", "namespace": "x"}})
        assert Hmac(Sensitive("s3")) == key_step(outcome).stored

    def test_missing_shared_secret_is_an_error(self) -> None:
        outcome = api_key(hmac={"sharedSecretRef": {"name": "pepper"}})
        assert [(Reason.REF_NOT_FOUND, (*API_KEY, "hmac", "sharedSecretRef"))] == errors(outcome)


APR = {"users": {"eve": {"salt": "s", "hashedPassword": HASH}, "bob": {"salt": "t", "hashedPassword": HASH}}}
USERS = (BasicUser("bob", Sensitive("t"), Sensitive(HASH)), BasicUser("eve", Sensitive("s"), Sensitive(HASH)))


class TestBasicAuth:
    @pytest.mark.parametrize(
        ("auth", "encryption"),
        [
            ({"apr": APR}, "apr1"),
            ({"encryption": {"apr": {}}, "userList": APR}, "apr1"),
            ({"encryption": {"sha1": {}}, "userList": APR}, "sha1"),
        ],
    )
    def test_both_styles_are_read(self, auth: Mapping[str, object], encryption: str) -> None:
        step = basic_step(translate({"basicAuth": {"realm": "gloo", **auth}}))
        assert ("gloo", encryption, USERS) == (step.realm, step.encryption, step.users)

    def test_realm_may_be_absent(self) -> None:
        assert basic_step(translate({"basicAuth": {"apr": APR}})).realm == ""

    @pytest.mark.parametrize(
        ("auth", "path"),
        [({"apr": {}}, ("apr", "users")), ({"encryption": {"sha1": {}}, "userList": {}}, ("userList", "users"))],
    )
    def test_no_users_is_a_warning(self, auth: Mapping[str, object], path: FieldPath) -> None:
        assert [(Reason.NO_KEYS, (*CONFIGS, 0, "basicAuth", *path))] == warnings(translate({"basicAuth": auth}))

    @pytest.mark.parametrize("name", ["", "a:b"])
    def test_user_that_nobody_can_be_is_an_error(self, name: str) -> None:
        outcome = translate({"basicAuth": {"apr": {"users": {name: {"salt": "s", "hashedPassword": HASH}}}}})
        assert [(Reason.INVALID, (*CONFIGS, 0, "basicAuth", "apr", "users", name))] == errors(outcome)

    def test_hash_that_is_no_apr1_is_a_warning(self) -> None:
        users = {"bob": {"salt": "t", "hashedPassword": f"$apr1$t${HASH}"}}
        field = (*CONFIGS, 0, "basicAuth", "apr", "users", "bob", "hashedPassword")
        assert [(Reason.INVALID, field)] == warnings(translate({"basicAuth": {"apr": {"users": users}}}))

    def test_message_hides_salt_and_hash(self) -> None:
        users = {"bob": {"salt": "salty", "hashedPassword": "peppery"}}
        text = message(translate({"basicAuth": {"apr": {"users": users}}}))
        assert ("salty" in text, "peppery" in text) == (False, False)


UNSUPPORTED = sorted(set(AUTH_MODULES) - {"api_key_auth", "basic_auth"})
MINIMAL: Mapping[str, Mapping[str, object]] = {"hmac_auth": {"secretRefs": {}}}


class TestUnsupported:
    @pytest.mark.parametrize("module", UNSUPPORTED)
    def test_module_makes_the_policy_invalid_by_name(self, module: str) -> None:
        step = translate({json_name(module): MINIMAL.get(module, {})})
        expected = (
            f"ExtAuthPolicy ns/p uses {json_name(module)}, which Wardgate does not implement. "
            "Use apiKeyAuth or basicAuth."
        )
        assert (expected, [(Reason.UNSUPPORTED, (*CONFIGS, 0, json_name(module)))]) == (message(step), errors(step))

    def test_unsupported_module_beside_a_good_one_leaves_no_plan(self) -> None:
        assert [reason for reason, _ in errors(translate({"apiKeyAuth": BY_LABEL}, {"ldap": {}}))] == [
            Reason.UNSUPPORTED
        ]

    @pytest.mark.parametrize(
        ("config", "module"),
        [
            ({"disable": True}, "disable"),
            ({"disable": False}, "disable"),
            ({"customAuth": {}}, "customAuth"),
        ],
    )
    def test_config_without_gloo_auth_is_invalid(self, config: Mapping[str, object], module: str) -> None:
        outcome = translate_ext_auth(policy(config), scope_of())
        assert [(Reason.UNSUPPORTED, ("spec", "config", module))] == errors(outcome)

    def test_fail_on_redirect_is_a_warning(self) -> None:
        outcome = translate({"apiKeyAuth": BY_LABEL}, failOnRedirect=True)
        assert warnings(outcome) == [(Reason.NO_EFFECT, ("spec", "config", "glooAuth", "failOnRedirect"))]


def named(*names: str) -> list[Mapping[str, object]]:
    return [{"name": name, "apiKeyAuth": BY_LABEL} for name in names]


class TestNames:
    def test_steps_keep_their_order_and_names(self) -> None:
        outcome = translate({"name": "z", "apiKeyAuth": BY_LABEL}, {"apiKeyAuth": BY_LABEL})
        assert [step.name for step in plan(outcome).steps] == ["z", "config_1"]

    @pytest.mark.parametrize("names", [("a", "a"), ("config_1", "")])
    def test_name_given_twice_is_an_error(self, names: tuple[str, str]) -> None:
        assert [(Reason.INVALID, (*CONFIGS, 1, "name"))] == errors(translate(*named(*names)))


class TestExpression:
    def test_expression_is_kept(self) -> None:
        outcome = translate(*named("a", "b", "c"), expression="a && (b || !c)")
        expected = BoolAnd((BoolStep("a"), BoolOr((BoolStep("b"), BoolNot(BoolStep("c"))))))
        assert expected == plan(outcome).expression

    @pytest.mark.parametrize("text", [None, "", "  "])
    def test_without_expression_all_must_pass(self, text: str | None) -> None:
        assert plan(translate(*named("a", "b"), expression=text)).expression is None

    def test_default_names_can_be_used(self) -> None:
        outcome = translate({"apiKeyAuth": BY_LABEL}, expression="config_0")
        assert BoolStep("config_0") == plan(outcome).expression

    def test_syntax_error_is_placed(self) -> None:
        outcome = translate(*named("a"), expression="a &&")
        expected = (
            "ExtAuthPolicy ns/p has a booleanExpr that cannot be read at column 5: expected the name of a config, "
            "found the end. Correct it."
        )
        assert (expected, [(Reason.INVALID, EXPRESSION)]) == (message(outcome), errors(outcome))

    def test_unknown_name_is_an_error(self) -> None:
        outcome = translate(*named("a"), expression="a || b || b")
        expected = 'ExtAuthPolicy ns/p names "b" in booleanExpr, and no config is called that. Known are: "a".'
        assert (expected, [(Reason.INVALID, EXPRESSION)]) == (message(outcome), errors(outcome))

    def test_expression_that_lets_everyone_in_is_an_error(self) -> None:
        assert errors(translate(*named("a", "b"), expression="a || !b")) == [(Reason.INVALID, EXPRESSION)]

    def test_config_that_is_not_named_is_a_warning(self) -> None:
        outcome = translate(*named("a", "b"), expression="a")
        expected = 'ExtAuthPolicy ns/p does not name "b" in booleanExpr: never evaluated. Name or remove them.'
        assert (expected, [(Reason.NO_EFFECT, EXPRESSION)]) == (message(outcome), warnings(outcome))

    def test_mixed_operators_are_a_warning(self) -> None:
        outcome = translate(*named("a", "b", "c"), expression="a || b && c")
        assert warnings(outcome) == [(Reason.NO_EFFECT, EXPRESSION)]


FORWARD = "wardgate.dev/forward-credential"


class TestForwarding:
    @pytest.mark.parametrize(
        ("annotations", "forwards"), [({}, False), ({FORWARD: "true"}, True), ({FORWARD: "false"}, False)]
    )
    def test_key_is_forwarded_only_if_asked_for(self, annotations: Mapping[str, str], *, forwards: bool) -> None:
        assert forwards == plan(translate({"apiKeyAuth": BY_LABEL}, annotations=annotations)).forward_credential

    @pytest.mark.parametrize("value", ["", "yes", "1"])
    def test_any_other_value_counts_as_false_with_a_warning(self, value: str) -> None:
        outcome = translate({"apiKeyAuth": BY_LABEL}, annotations={FORWARD: value})
        assert (
            plan(outcome).forward_credential,
            warnings(outcome),
        ) == (False, [(Reason.NO_EFFECT, ("metadata", "annotations", FORWARD))])


REF = ObjectRef("ExtAuthPolicy", "ns", "p")


def naming(server: Mapping[str, str]) -> PolicyOutcome:
    return translate_ext_auth(policy({"server": server}), scope_of())


class TestServer:
    def test_policy_without_server_has_no_warning(self) -> None:
        assert server_problems(REF, translate({"apiKeyAuth": BY_LABEL}), servers=set(), sight=Sight()) == ()

    @pytest.mark.parametrize("server", [{"name": "s", "cluster": "c"}, {"name": "s", "namespace": "ns"}])
    def test_known_server_has_no_warning(self, server: Mapping[str, str]) -> None:
        known = {ObjectRef("ExtAuthServer", "ns", "s")}
        assert server_problems(REF, naming(server), servers=known, sight=Sight()) == ()

    def test_missing_server_is_a_note(self) -> None:
        (problem,) = server_problems(REF, naming({"name": "s", "namespace": "x"}), servers=set(), sight=Sight())
        expected = (
            "ExtAuthPolicy ns/p names ExtAuthServer x/s, which does not exist. No request changes by that: the proxy "
            "authenticates by itself."
        )
        assert (ProblemKind.NOTE, expected, ("spec", "config", "server")) == (
            problem.kind,
            problem.message,
            problem.field,
        )


def test_all_errors_are_reported_at_once() -> None:
    outcome = translate({"ldap": {}}, {"apiKeyAuth": {"headerName": "host"}}, expression="x")
    assert [reason for reason, _ in errors(outcome)] == [Reason.INVALID, Reason.UNSUPPORTED, Reason.INVALID]


def test_repr_of_a_plan_hides_its_secrets() -> None:
    scope = scope_of(secret("pepper", {"shared-secret": "hunter2"}))
    outcome = translate(
        {"apiKeyAuth": {"hmac": {"sharedSecretRef": {"name": "pepper"}}, **BY_LABEL}},
        {"basicAuth": {"apr": {"users": {"bob": {"salt": "hunter2", "hashedPassword": "hunter2"}}}}},
        scope=scope,
    )
    assert ("hunter2" in repr(outcome), encoded("hunter2") in repr(outcome)) == (False, False)


@pytest.mark.parametrize(("expression", "forwards"), [(None, True), ("config_0 || config_1", False)])
def test_tenants_policy_forwards_only_keys_that_it_has_accepted(expression: str | None, *, forwards: bool) -> None:
    """Beside an alternative the key in the other header is somebody else's."""
    two = ({"apiKeyAuth": BY_LABEL}, {"apiKeyAuth": {**BY_LABEL, "headerName": "other-key"}})
    outcome = translate(*two, expression=expression, annotations={FORWARD: "true"}, scope=scope_of(settings=ISOLATED))
    assert forwards == plan(outcome).forward_credential
    assert forwards == (not outcome.problems)
