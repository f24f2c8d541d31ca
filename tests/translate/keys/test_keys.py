"""Key sets: which Secrets count, which of two wins, what each policy's reader is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.translate.policies.objects import (
    LABELS,
    key_secret,
    keys_of,
    raw_secret,
    request,
    rules_of,
    scope_of,
    secret,
    sha256,
    stored,
)
from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
from wardgate.ir import ApiKeyStep, AuthPlan, BasicAuthStep, Credential, Digest, MetadataEntry, MetadataHeader
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.sensitive import Sensitive
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import KeyForm, KeySetRequest, PolicyOutcome, Scope
from wardgate.translate.keys.closed_requests import closed_requests
from wardgate.translate.keys.key_problems import key_problems
from wardgate.translate.keys.key_rules import KeyRules
from wardgate.translate.keys.resolution import by_name, resolve_keys
from wardgate.translate.secrets import secret_index
from wardgate.translate.secrets.entries import RefusedKey
from wardgate.translate.secrets.key_reader import UsableKey, read_key
from wardgate.translate.secrets.secret_index import SecretIndex
from wardgate.translate.secrets.secret_references import DecodedSecret
from wardgate.translate.sight import Sight
from wardgate.translate.tenancy import Tenancy

POLICY_REF = ObjectRef("ExtAuthPolicy", "ns", "p")
FIELD = ("spec", "config", "glooAuth", "configs", 0, "apiKeyAuth")
SHARE_WITH = "wardgate.dev/share-with"
ISOLATED = Settings(tenancy="isolated", platform_namespaces=frozenset({"platform"}))
REMEDY = "Give every caller a key of their own."


def ref(name: str, namespace: str = "ns") -> ObjectRef:
    return ObjectRef("Secret", namespace, name)


def names(scope: Scope, *requests: KeySetRequest) -> list[str]:
    return [f"{c.namespace}/{c.name}" for c in keys_of(requests or (request(),), scope).credentials]


def mistyped(name: str, kind: str = "Opaque") -> Problem:
    message = (
        f"Secret ns/{name} is not used as a key: it is of type {kind}; only extauth.solo.io/apikey counts; recreate it "
        "with that type."
    )
    return Problem(ProblemKind.WARNING, Reason.BAD_SECRET, message, ref(name), ("type",))


def reasons(scope: Scope, *requests: KeySetRequest) -> list[tuple[Reason, ObjectRef]]:
    return [(p.reason, p.ref) for p in keys_of(requests or (request(),), scope).problems]


class TestSelection:
    def test_secret_with_all_labels_becomes_a_credential(self) -> None:
        outcome = keys_of((request(),), scope_of(key_secret("a", "k", token="t")))
        expected = Credential(
            key_set=request().name,
            digest=sha256("k"),
            namespace="ns",
            name="a",
            metadata=(MetadataEntry("token", Sensitive("t")),),
        )
        assert (expected,) == outcome.credentials

    def test_expiry_and_hosts_are_handed_on(self) -> None:
        annotations = {"wardgate.dev/expires-at": "1970-01-01T00:01:00Z", "wardgate.dev/upstream-hosts": "a.com"}
        (credential,) = keys_of((request(),), scope_of(key_secret("a", annotations=annotations))).credentials
        assert (credential.expires_at, credential.allowed_hosts) == (60, ("a.com",))

    def test_secrets_of_every_namespace_count_in_shared_tenancy(self) -> None:
        assert names(scope_of(key_secret("a", namespace="default"))) == ["default/a"]

    def test_secret_lacking_one_label_does_not_count(self) -> None:
        wanted = request((("team", "a"), ("tier", "gold")))
        assert names(scope_of(key_secret("a")), wanted) == []

    def test_secret_with_further_labels_counts(self) -> None:
        assert names(scope_of(key_secret("a", labels={"team": "a", "x": "y"}))) == ["ns/a"]

    def test_opaque_secret_does_not_count(self) -> None:
        assert names(scope_of(secret("a", {"api-key": "k"}, labels={"team": "a"}))) == []

    def test_empty_selector_selects_nothing(self) -> None:
        assert names(scope_of(key_secret("a", labels={}), key_secret("b")), request(())) == []

    def test_referenced_secret_counts_whatever_its_labels(self) -> None:
        assert names(
            scope_of(key_secret("a", namespace="other", labels={})), request((), refs=(ref("a", "other"),))
        ) == ["other/a"]

    def test_selector_and_references_add_up(self) -> None:
        scope = scope_of(key_secret("a", "1"), key_secret("b", "2", labels={}))
        assert sorted(names(scope, request(refs=(ref("b"), ref("a"))))) == ["ns/a", "ns/b"]

    def test_platform_secret_counts_for_a_tenant_only_if_it_is_shared_with_it(self) -> None:
        scope = scope_of(
            key_secret("bound", "1", namespace="platform", annotations={"wardgate.dev/upstream-hosts": "a.example"}),
            key_secret("others", "2", namespace="platform", annotations={SHARE_WITH: "other, more"}),
            key_secret("shared", "3", namespace="platform", annotations={SHARE_WITH: "other,ns"}),
            settings=ISOLATED,
        )
        wanted = replace(request(scope=("ns", "platform")), tenant="ns")
        (credential,) = keys_of((wanted,), scope).credentials
        assert ("shared", ("ns", "other")) == (credential.name, credential.shared_with)
        assert [(Reason.REF_NOT_PERMITTED, ref(name, "platform")) for name in ("bound", "others")] == reasons(
            scope, wanted
        )

    def test_every_platform_secret_counts_for_the_platform(self) -> None:
        scope = scope_of(key_secret("a", namespace="platform"), settings=ISOLATED)
        assert ["platform/a"] == names(scope, request(scope=("platform",)))

    @pytest.mark.parametrize("value", ["", " , ", "*", "ns,team_b", "a.b", "-ns", "n" * 64])
    def test_platform_secret_with_an_unreadable_list_is_shared_with_nobody(self, value: str) -> None:
        secret = key_secret("a", namespace="platform", annotations={SHARE_WITH: value})
        scope = scope_of(secret, settings=ISOLATED)
        assert [] == names(scope, replace(request(scope=("ns", "platform")), tenant="ns"))
        platforms = keys_of((request(scope=("platform",)),), scope)
        message = (
            "Secret platform/a is shared with nobody: its annotation wardgate.dev/share-with must be names of "
            "namespaces, separated by commas, such as team-a,team-b. Correct it."
        )
        told = Problem(
            ProblemKind.WARNING,
            Reason.NO_EFFECT,
            message,
            ref("a", "platform"),
            ("metadata", "annotations", SHARE_WITH),
        )
        assert ((), (told,)) == (platforms.credentials[0].shared_with, platforms.problems)

    def test_tenants_secret_is_shared_with_nobody(self) -> None:
        scope = scope_of(key_secret("a", annotations={SHARE_WITH: "other"}), settings=ISOLATED)
        wanted = replace(request(scope=("ns", "platform")), tenant="ns")
        assert () == keys_of((wanted,), scope).credentials[0].shared_with
        assert [(Reason.NO_EFFECT, ref("a"))] == reasons(scope, wanted)

    def test_nobody_is_shared_with_where_there_are_no_tenants(self) -> None:
        outcome = keys_of((request(),), scope_of(key_secret("a", annotations={SHARE_WITH: "other"})))
        assert ((), ()) == (outcome.credentials[0].shared_with, outcome.problems)

    def test_secret_that_is_no_longer_shared_counts_no_more(self) -> None:
        wanted = replace(request(scope=("ns", "platform")), tenant="ns")
        shared = key_secret("a", namespace="platform", annotations={SHARE_WITH: "ns"})
        before = keys_of((wanted,), scope_of(shared, settings=ISOLATED))
        taken_back = scope_of(key_secret("a", namespace="platform", version=2), settings=ISOLATED)
        assert (1, ()) == (len(before.credentials), keys_of((wanted,), taken_back, last=before).credentials)

    def test_secret_outside_the_scope_does_not_count(self) -> None:
        scope = scope_of(key_secret("a", "1"), key_secret("b", "2", namespace="foreign"), settings=ISOLATED)
        assert names(scope, request(scope=("ns", "platform"))) == ["ns/a"]

    def test_missing_reference_is_told_to_the_policy_only(self) -> None:
        wanted = request((), refs=(ref("gone"),))
        outcome = keys_of((wanted,), scope_of())
        expected = Problem(
            ProblemKind.WARNING,
            Reason.REF_NOT_FOUND,
            "Secret ns/gone does not exist. Create it, or take it out of apiKeySecretRefs.",
            ref("gone"),
        )
        assert ((), (expected,)) == (outcome.problems, outcome.problems_by_key_set[wanted.name])

    def test_referenced_secret_of_another_type_is_refused(self) -> None:
        outcome = keys_of((request((), refs=(ref("a"),)),), scope_of(secret("a", {"api-key": "k"})))
        assert (mistyped("a"),) == outcome.problems

    @pytest.mark.parametrize("kind", ["Opaque", "extauth.solo.io/apiKey", "extauth.solo.io/api-key"])
    def test_selected_secret_of_another_type_is_told(self, kind: str) -> None:
        outcome = keys_of((request(),), scope_of(secret("a", {"api-key": "k"}, labels=LABELS, type_=kind)))
        assert ((), (mistyped("a", kind),)) == (outcome.credentials, outcome.problems)
        assert (mistyped("a", kind),) == outcome.problems_by_key_set[request().name]

    def test_secret_without_a_type_is_told_to_be_opaque(self) -> None:
        bare = raw_secret("a", metadata={"labels": LABELS}, data={})
        assert (mistyped("a"),) == keys_of((request(),), scope_of(bare)).problems

    def test_type_that_cannot_be_shown_is_not(self) -> None:
        bad = secret("a", {}, labels=LABELS, type_="extauth.solo.io/\x1b[31m")
        assert (mistyped("a", "another type"),) == keys_of((request(),), scope_of(bad)).problems

    @pytest.mark.parametrize("kind", ["kubernetes.io/tls", "kubernetes.io/dockerconfigjson"])
    def test_secret_of_a_type_with_another_meaning_is_left_alone(self, kind: str) -> None:
        assert () == keys_of((request(),), scope_of(secret("a", {}, labels=LABELS, type_=kind))).problems

    def test_opaque_secret_that_no_policy_selects_is_left_alone(self) -> None:
        opaque = secret("a", {"api-key": "k"}, labels={"team": "b"})
        assert () == keys_of((request(), request(())), scope_of(opaque)).problems

    def test_opaque_secret_outside_the_scope_is_left_alone(self) -> None:
        opaque = secret("a", {"api-key": "k"}, labels=LABELS, namespace="foreign")
        assert () == keys_of((request(scope=("ns",)),), scope_of(opaque, settings=ISOLATED)).problems


class TestIsolationOfBadSecrets:
    def test_bad_secret_costs_only_itself(self) -> None:
        scope = scope_of(key_secret("a", ""), key_secret("b", "k"), key_secret("c", "x\ny"))
        assert names(scope) == ["ns/b"]

    def test_bad_secret_is_named(self) -> None:
        outcome = keys_of((request(),), scope_of(key_secret("a", "")))
        message = 'Secret ns/a is not used as a key: its entry "api-key" is empty.'
        expected = Problem(ProblemKind.WARNING, Reason.BAD_SECRET, message, ref("a"), ("data", "api-key"))
        assert (expected,) == outcome.problems

    def test_bad_secret_of_two_sets_is_reported_once(self) -> None:
        scope = scope_of(key_secret("a", "", labels={"team": "a", "x": "y"}))
        assert [(Reason.BAD_SECRET, ref("a"))] == reasons(scope, request(), request((("x", "y"),)))

    def test_large_credential_is_refused_alone(self) -> None:
        scope = scope_of(
            key_secret("a", "1", t="x" * 200), key_secret("b", "2"), settings=Settings(credential_bytes=200)
        )
        assert (["ns/b"], [(Reason.TOO_LARGE, ref("a"))]) == (names(scope), reasons(scope))


class TestDuplicates:
    def test_oldest_secret_wins(self) -> None:
        newer, older = key_secret("a", created="2025-01-01T00:00:00Z"), key_secret("b", created="2024-01-01T00:00:00Z")
        assert names(scope_of(newer, older)) == ["ns/b"]

    def test_older_referenced_secret_wins_over_a_selected_one(self) -> None:
        newer, older = key_secret("a", created="2025"), key_secret("b", labels={}, created="2024")
        assert names(scope_of(newer, older), request(refs=(ref("b"),))) == ["ns/b"]

    def test_equal_ages_go_by_namespace_and_name(self) -> None:
        assert names(scope_of(key_secret("a", namespace="n"), key_secret("z", namespace="m"))) == ["m/z"]

    def test_loser_is_named_with_the_winner(self) -> None:
        outcome = keys_of((request(),), scope_of(key_secret("a"), key_secret("b")))
        message = f"Secret ns/b holds the same key as Secret ns/a, which is older and counts. {REMEDY}"
        assert (Problem(ProblemKind.WARNING, Reason.DUPLICATE_KEY, message, ref("b")),) == outcome.problems

    def test_same_key_in_another_set_displaces_nobody(self) -> None:
        scope = scope_of(key_secret("a"), key_secret("b", labels={"team": "b"}))
        assert sorted(names(scope, request(), request((("team", "b"),)))) == ["ns/a", "ns/b"]

    def test_unselected_secret_displaces_nobody(self) -> None:
        assert names(scope_of(key_secret("a", labels={}), key_secret("b"))) == ["ns/b"]

    def test_refused_secret_displaces_nobody(self) -> None:
        bad = key_secret("a", annotations={"wardgate.dev/expires-at": "never"})
        assert names(scope_of(bad, key_secret("b"))) == ["ns/b"]

    def test_isolated_tenant_does_not_learn_the_winners_name(self) -> None:
        winner, loser = key_secret("a", namespace="platform", created="2020"), key_secret("b", created="2021")
        outcome = keys_of((request(scope=("ns", "platform")),), scope_of(winner, loser, settings=ISOLATED))
        message = (
            "Secret ns/b holds the same key as a Secret of another namespace, which is older and counts. " + REMEDY
        )
        assert [message] == [problem.message for problem in outcome.problems]


class TestKeySets:
    def test_equal_requests_share_their_credentials(self) -> None:
        assert names(scope_of(key_secret("a")), request(), request()) == ["ns/a"]

    def test_storage_forms_are_sets_of_their_own(self) -> None:
        digest = sha256("k")
        scope = scope_of(key_secret("a", digest))
        outcome = keys_of((request(), request(form=KeyForm.SHA256)), scope)
        assert {"plain": sha256(digest), "sha256": digest} == {
            c.key_set.partition(":")[0]: c.digest for c in outcome.credentials
        }

    def test_usable_keys_are_counted_per_set(self) -> None:
        none = request((("no", "body"),))
        outcome = keys_of((request(), none), scope_of(key_secret("a"), key_secret("b", "2"), key_secret("c", "")))
        assert {request().name: 2, none.name: 0} == dict(outcome.by_key_set)

    def test_credentials_are_sorted_by_set_and_digest(self) -> None:
        secrets = [key_secret(f"s{n}", str(n), labels={"team": "a", "x": str(n % 2)}) for n in range(9)]
        outcome = keys_of((request((("x", "1"),)), request((("x", "0"),)), request()), scope_of(*secrets))
        assert sorted(outcome.credentials, key=lambda c: (c.key_set, c.digest)) == list(outcome.credentials)

    def test_many_changes_at_once_come_to_the_same_as_none_before(self) -> None:
        before = [key_secret(f"s{n:03}", str(n)) for n in range(300)]
        after = [*before[:100], *(key_secret(f"s{n:03}", str(n + 1), version=2) for n in range(100, 250))]
        index = SecretIndex().after(before)
        wanted, rules = by_name((request(),)), KeyRules(1000, Tenancy(), Sight())
        first = resolve_keys(wanted, index, rules=rules)
        second = resolve_keys(wanted, index.after(after), rules=rules, last=first)
        expected = keys_of((request(),), scope_of(*after))
        assert (expected.credentials, expected.problems) == (second.credentials(wanted), second.problems)

    def test_unused_secret_is_reported(self) -> None:
        outcome = keys_of((request(),), scope_of(key_secret("a"), key_secret("b", labels={}), secret("c", {})))
        message = (
            "Secret ns/b is selected by no policy: its key opens nothing. Label it as a policy's labelSelector asks."
        )
        assert (Problem(ProblemKind.WARNING, Reason.UNUSED_KEY, message, ref("b")),) == outcome.problems

    def test_tenants_unused_secret_is_told_of_tenancy(self) -> None:
        outcome = keys_of((), scope_of(key_secret("a"), settings=ISOLATED))
        message = (
            "Secret ns/a is selected by no policy of its namespace, and under isolated tenancy it counts for no other: "
            "its key opens nothing. Move it to the namespace of its policy, or correct its labels."
        )
        assert [message] == [problem.message for problem in outcome.problems]

    def test_platforms_unused_secret_is_not_told_of_tenancy(self) -> None:
        outcome = keys_of((), scope_of(key_secret("a", namespace="platform"), settings=ISOLATED))
        assert ["Secret platform/a is selected by no policy"] == [
            problem.message.partition(":")[0] for problem in outcome.problems
        ]

    @pytest.mark.parametrize("nested", [False, True])
    @pytest.mark.parametrize("storage", [{"labelSelector": {"x": "y"}}, {"apiKeySecretRefs": [{"name": "b"}]}])
    def test_secret_of_a_closed_policy_is_not_called_unused(self, storage: object, *, nested: bool) -> None:
        scope = scope_of(key_secret("b", labels={"x": "y"}), key_secret("c", labels={"x": "z"}))
        outcome = keys_of((), scope, closed=closed_by(storage, scope, nested=nested))
        assert ((), [ref("c")]) == (outcome.credentials, [problem.ref for problem in outcome.problems])

    @pytest.mark.parametrize(
        "storage",
        [
            None,
            {"labelSelector": {}},
            {"labelSelector": {"x": "y", "z": 1}},
            {"labelSelector": "x"},
            {"apiKeySecretRefs": [{"namespace": "ns"}, None, {"name": "b", "namespace": 1}]},
        ],
    )
    def test_unreadable_selector_of_a_closed_policy_selects_nothing(self, storage: object) -> None:
        scope = scope_of(key_secret("b", labels={"x": "y"}))
        outcome = keys_of((), scope, closed=closed_by(storage, scope))
        assert [(Reason.UNUSED_KEY, ref("b"))] == [(problem.reason, problem.ref) for problem in outcome.problems]

    @pytest.mark.parametrize(
        "storage", [{"labelSelector": {"x": "y"}}, {"apiKeySecretRefs": [{"name": "b", "namespace": "foreign"}]}]
    )
    def test_closed_policy_selects_nothing_outside_its_scope(self, storage: object) -> None:
        scope = scope_of(key_secret("b", namespace="foreign", labels={"x": "y"}), settings=ISOLATED)
        outcome = keys_of((), scope, closed=closed_by(storage, scope))
        assert [ref("b", "foreign")] == [problem.ref for problem in outcome.problems]


def closed_by(storage: object, scope: Scope, *, nested: bool = False) -> list[KeySetRequest]:
    auth = {"k8sSecretApikeyStorage": storage} if nested else storage
    configs = [{"apiKeyAuth": auth}, {"oauth2": {}}]
    manifest = {"spec": {"config": {"glooAuth": {"configs": configs}}}}
    broken = stored(manifest, kind="ExtAuthPolicy", namespace="ns", name="p")
    return list(closed_requests(broken, scope.tenancy))


TOKEN = MetadataHeader(header="x-api-key", entry="token")
REQUIRED = replace(TOKEN, required=True)


def told(
    *secrets: StoredObject,
    headers: tuple[MetadataHeader, ...] = (),
    skip: bool = False,
    settings: Settings | None = None,
    wanted: KeySetRequest | None = None,
    match: tuple[str, ...] | None = None,
) -> list[Problem]:
    wanted = wanted or request()
    step = ApiKeyStep(
        name="config_0",
        header="api-key",
        key_set=wanted.name,
        metadata_headers=headers,
        stored=None if match is None else Digest(match_headers=match),
        skip_metadata_validation=skip,
    )
    outcome = PolicyOutcome(plan=AuthPlan(name="ns/p", steps=(step,)), key_sets=(wanted,))
    scope = scope_of(*secrets, settings=settings)
    return list(
        key_problems(POLICY_REF, outcome, keys=keys_of((wanted,), scope).keys, rules=rules_of(scope), tokens={})
    )


def of_org(entry: str, value: str | bytes) -> StoredObject:
    return secret("a", {"api-key": "k", entry: value}, type_=KEY_SECRET_TYPE, labels=LABELS)


def warning(reason: Reason, message: str) -> Problem:
    return Problem(ProblemKind.WARNING, reason, message, POLICY_REF, FIELD)


class TestPolicyWarnings:
    def test_policy_with_good_keys_has_none(self) -> None:
        assert told(key_secret("a")) == []

    def test_policy_without_usable_key_is_told(self) -> None:
        message = (
            "ExtAuthPolicy ns/p has no usable key: it lets no request through. "
            "Create a Secret of type extauth.solo.io/apikey labelled team=a; other types do not count."
        )
        assert [warning(Reason.NO_KEYS, message)] == told()

    def test_isolated_policy_without_usable_key_is_told_where_to_create_one(self) -> None:
        (found,) = told(settings=ISOLATED)
        assert found.message.endswith(
            "labelled team=a, in its own namespace because tenancy is isolated, or have the platform share one with ns "
            "(wardgate.dev/share-with); other types do not count."
        )

    def test_policy_whose_secrets_are_all_bad_is_told_to_mend_one(self) -> None:
        bad, none_left = told(key_secret("b", ""))
        assert [Reason.BAD_SECRET, Reason.NO_KEYS] == [bad.reason, none_left.reason]
        assert none_left.message.endswith(
            "Mend one of the Secrets that it selects, or create another of type extauth.solo.io/apikey."
        )

    def test_bad_secret_of_others_is_no_remedy_for_a_tenant(self) -> None:
        (found,) = told(
            key_secret("b", "", namespace="platform", t="x"),
            settings=ISOLATED,
            wanted=request(scope=("ns", "platform")),
        )
        assert "Mend" not in found.message

    def test_policy_that_selects_nothing_is_told_so(self) -> None:
        message = (
            "ExtAuthPolicy ns/p has no usable key: it lets no request through. "
            "It names no Secrets at all: add a labelSelector or apiKeySecretRefs."
        )
        assert [warning(Reason.NO_KEYS, message)] == told(wanted=request(()))

    def test_bad_secret_is_told_to_the_policy(self) -> None:
        message = 'Secret ns/b is not used as a key: its entry "api-key" is empty.'
        assert [warning(Reason.BAD_SECRET, message)] == told(key_secret("a"), key_secret("b", ""))

    def test_duplicate_is_told_to_the_policy(self) -> None:
        assert [p.reason for p in told(key_secret("a"), key_secret("b"))] == [Reason.DUPLICATE_KEY]

    def test_missing_reference_is_told_to_the_policy(self) -> None:
        found = told(key_secret("a"), wanted=request(refs=(ref("gone"),)))
        assert [(p.reason, p.ref) for p in found] == [(Reason.REF_NOT_FOUND, POLICY_REF)]

    def test_many_bad_secrets_are_counted(self) -> None:
        found = told(key_secret("a"), *(key_secret(f"b{n:02}", "") for n in range(13)))
        message = "3 further Secrets of ExtAuthPolicy ns/p have such faults. `wardgate check` names them all."
        assert (11, message) == (len(found), found[-1].message)

    def test_foreign_secrets_are_not_named_to_a_tenant(self) -> None:
        found = told(
            key_secret("a"),
            key_secret("b", "", namespace="platform", t="x"),
            settings=ISOLATED,
            wanted=request(scope=("ns", "platform")),
        )
        assert found == []

    def test_foreign_credential_is_not_named_to_a_tenant(self) -> None:
        found = told(
            key_secret("b", namespace="platform"),
            headers=(REQUIRED,),
            settings=ISOLATED,
            wanted=request(scope=("ns", "platform")),
        )
        assert found == []

    def test_absent_optional_entry_is_no_fault(self) -> None:
        tier = MetadataHeader(header="x-tier", entry="tier")
        assert told(key_secret("a"), headers=(tier,)) == []

    def test_absent_entry_that_makes_a_credential_is_told_though_it_is_optional(self) -> None:
        message = (
            'Secret ns/a has no entry "token", or an empty one, so header "x-api-key" is not sent with its key. '
            "Add the entry."
        )
        assert [warning(Reason.BAD_SECRET, message)] == told(key_secret("a"), headers=(TOKEN,))

    def test_absent_required_entry_is_told(self) -> None:
        message = 'Secret ns/a has no entry "token", or an empty one, so its key is refused. Add the entry.'
        assert [warning(Reason.BAD_SECRET, message)] == told(key_secret("a"), headers=(REQUIRED,))

    def test_illegal_optional_entry_is_told(self) -> None:
        message = (
            'Secret ns/a has an entry "token" that no header can carry, so header "x-api-key" is not sent with its key.'
            " Make it UTF-8 text without control characters."
        )
        found = told(key_secret("a", token="a\x01"), headers=(TOKEN,))
        assert [warning(Reason.BAD_SECRET, message)] == found

    def test_illegal_required_entry_is_told(self) -> None:
        (found,) = told(key_secret("a", token="a\x01"), headers=(REQUIRED,))
        assert "no header can carry, so its key is refused." in found.message

    @pytest.mark.parametrize("skip", [False, True])
    def test_required_entry_that_is_not_utf8_is_not_called_missing(self, *, skip: bool) -> None:
        message = (
            'Secret ns/a has an entry "token" that no header can carry, so its key is refused. '
            "Make it UTF-8 text without control characters."
        )
        found = told(key_secret("a", token=b"t\xff"), headers=(REQUIRED,), skip=skip)
        assert [warning(Reason.BAD_SECRET, message)] == found

    def test_key_without_an_entry_that_match_compares_is_told(self) -> None:
        message = (
            'Secret ns/b has no entry "x-org" to compare with the header in "match", so its key is refused. '
            "Add the entry."
        )
        secrets = (of_org("X-Org", "1"), key_secret("b", "2"))
        assert [warning(Reason.BAD_SECRET, message)] == told(*secrets, match=("x-org",))

    def test_entries_that_match_compares_are_found_in_any_case(self) -> None:
        headers = (replace(REQUIRED, entry="other"),)
        found = told(of_org("X-ORG", "1"), headers=headers, match=("x-org",))
        assert ['Secret ns/a has no entry "other", or an empty one, so its key is refused. Add the entry.'] == [
            p.message for p in found
        ]

    @pytest.mark.parametrize("value", ["1\n2", b"\xff"])
    def test_entry_that_match_can_never_find_equal_is_told(self, value: str | bytes) -> None:
        message = (
            'Secret ns/a has an entry "X-Org" that no header can carry, so "match" refuses its key. '
            "Make it UTF-8 text without control characters."
        )
        found = told(of_org("X-Org", value), match=("x-org",))
        assert [warning(Reason.BAD_SECRET, message)] == found

    def test_illegal_entry_is_sent_without_validation(self) -> None:
        assert told(key_secret("a", token="a\x01"), headers=(TOKEN,), skip=True) == []

    def test_line_break_is_never_sent(self) -> None:
        assert len(told(key_secret("a", token="a\nb"), headers=(TOKEN,), skip=True)) == 1

    def test_other_policies_keys_are_not_told(self) -> None:
        other = key_secret("z", labels={"team": "b"})
        scope = scope_of(key_secret("a", token="t"), other)
        step = ApiKeyStep("config_0", "api-key", request().name, metadata_headers=(REQUIRED,))
        outcome = PolicyOutcome(plan=AuthPlan("ns/p", (step,)))
        keys = keys_of((request(), request((("team", "b"),)), request((("team", "0"),))), scope)
        assert key_problems(POLICY_REF, outcome, keys=keys.keys, rules=rules_of(scope), tokens={}) == ()

    def test_policies_with_the_same_needs_are_told_the_same_of_a_set(self) -> None:
        keys, scope = keys_of((request(),), scope_of(key_secret("a"))).keys, scope_of()
        plan = AuthPlan("ns/p", (ApiKeyStep("config_0", "api-key", request().name, metadata_headers=(REQUIRED,)),))
        told = [
            key_problems(ref(name), PolicyOutcome(plan), keys=keys, rules=rules_of(scope), tokens={})
            for name in ("p", "q")
        ]
        assert [[ref("p")], [ref("q")]] == [[problem.ref for problem in problems] for problems in told]

    def test_step_without_keys_is_passed_over(self) -> None:
        steps = (BasicAuthStep("config_0", "", "apr1", ()), ApiKeyStep("config_1", "api-key", request().name))
        scope = scope_of()
        outcome = PolicyOutcome(AuthPlan("ns/p", steps))
        found = key_problems(
            POLICY_REF, outcome, keys=keys_of((request(),), scope).keys, rules=rules_of(scope), tokens={}
        )
        assert [problem.field[4] for problem in found] == [1]

    def test_policy_without_plan_is_told_nothing(self) -> None:
        scope = scope_of()
        assert (
            key_problems(
                POLICY_REF, PolicyOutcome(None), keys=keys_of((), scope).keys, rules=rules_of(scope), tokens={}
            )
            == ()
        )


class TestCost:
    def test_selection_reads_only_what_is_selected(self, read: list[str]) -> None:
        secrets = [key_secret(f"s{n:04}", str(n), labels={"app": "x", "user": str(n)}) for n in range(1000)]
        keys_of([request((("app", "x"), ("user", str(n)))) for n in range(100)], scope_of(*secrets))
        assert 100 == len(read)

    def test_secret_is_read_once_for_all_sets_of_a_form(self, read: list[str]) -> None:
        secret = key_secret("a", labels={"team": "a", "x": "y"})
        keys_of((request(), request((("team", "a"), ("x", "y")))), scope_of(secret))
        assert ["a"] == read

    def test_change_reads_the_changed_secret_alone(self, read: list[str]) -> None:
        one, other = key_secret("a", "1"), key_secret("b", "2")
        index = SecretIndex().after((one, other))
        rules = KeyRules(1000, Tenancy(), Sight())
        wanted = by_name((request(),))
        first = resolve_keys(wanted, index, rules=rules)
        read.clear()
        changed = key_secret("b", "3", version=2)
        second = resolve_keys(wanted, index.after((one, changed)), rules=rules, last=first)
        assert (["b"], {sha256("1"), sha256("3")}) == (read, {one.digest for one in second.credentials(wanted)})

    @pytest.fixture
    def read(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The names of the Secrets that are read, each time they are."""
        names: list[str] = []

        def reading(secret: DecodedSecret, *, form: KeyForm, limit: int) -> UsableKey | RefusedKey:
            names.append(secret.stored.ref.name)
            return read_key(secret, form=form, limit=limit)

        monkeypatch.setattr(secret_index, "read_key", reading)
        return names
