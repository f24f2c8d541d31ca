"""Provider Secrets: who may take from them, what is published of them, and what is told where they give nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.policies.objects import LABELS, Resolved, key_secret, keys_of, request, scope_of, secret
from wardgate.api.kinds.annotations import METADATA_FROM, AnnotationError, parse_secret_name
from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
from wardgate.api.kinds.provider_token import PROVIDER_TOKEN_TYPE
from wardgate.ir import ApiKeyStep, MetadataEntry, MetadataHeader, TokenSource
from wardgate.problems import ObjectRef, Reason
from wardgate.sensitive import Sensitive
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject

SHARE_WITH = "wardgate.dev/share-with"
UPSTREAM_HOSTS = "wardgate.dev/upstream-hosts"
ISOLATED = Settings(tenancy="isolated", platform_namespaces=frozenset({"platform"}))
STEP = ApiKeyStep("s", "api-key", request().name, (MetadataHeader("authorization", "token", required=True),))


def provider(
    namespace: str = "platform", *, share: str = "", annotations: dict[str, str] | None = None, **entries: str | bytes
) -> StoredObject:
    return secret(
        "openai",
        entries or {"token": "sk-1"},
        namespace=namespace,
        type_=PROVIDER_TOKEN_TYPE,
        annotations={**({SHARE_WITH: share} if share else {}), **(annotations or {})},
    )


def taker(name: str = "a", *, of: str = "platform/openai", namespace: str = "ns", token: str = "") -> StoredObject:
    own = {"token": token} if token else {}
    data = {"api-key": name, **own}
    kind = KEY_SECRET_TYPE
    return secret(name, data, namespace=namespace, type_=kind, labels=LABELS, annotations={METADATA_FROM: of})


def resolved(*secrets: StoredObject, settings: Settings | None = None, last: Resolved | None = None) -> Resolved:
    return keys_of((request(),), scope_of(*secrets, settings=settings), last=last)


def published(found: Resolved) -> tuple[TokenSource, ...]:
    return found.keys.token_sources([request().name])


def told(found: Resolved) -> list[tuple[Reason, str]]:
    return [(one.reason, one.message) for one in found.keys.takers(request().name).problems]


def test_source_is_published_once_for_all_its_keys_which_hold_no_token() -> None:
    found = resolved(taker("a"), taker("b"), provider(share="ns, other"))
    assert ["platform/openai"] * 2 == [one.metadata_from for one in found.credentials]
    assert [()] * 2 == [one.metadata for one in found.credentials]
    expected = TokenSource("platform", "openai", (MetadataEntry("token", Sensitive("sk-1")),), None, ("ns", "other"))
    assert (expected,) == published(found)


def test_new_token_leaves_every_credential_as_it_is() -> None:
    before = resolved(taker("a"), taker("b"), provider(share="ns"))
    after = resolved(taker("a"), taker("b"), provider(share="ns", token="sk-2"), last=before)
    assert before.credentials == after.credentials
    assert ["sk-2"] == [entry.value.reveal() for one in published(after) for entry in one.metadata]


def test_plain_name_is_a_secret_of_the_keys_namespace_which_needs_no_sharing() -> None:
    found = resolved(taker(of="openai"), provider("ns", annotations={UPSTREAM_HOSTS: "b.example,a.example"}))
    assert [("ns", ("a.example", "b.example"))] == [(one.namespace, one.allowed_hosts) for one in published(found)]
    assert [] == told(found)


def test_source_that_no_key_may_take_from_is_not_published() -> None:
    assert () == published(resolved(taker(), provider()))
    assert () == published(resolved(taker(), provider(share="other")))
    assert () == published(resolved(provider(share="ns")))


NOT_SHARED = (
    "is not shared with namespace ns. Name another, or have its owner list ns in its annotation "
    "wardgate.dev/share-with."
)
BAD_HOSTS = "its annotation wardgate.dev/upstream-hosts must list names of hosts, such as api.openai.com"
LARGE = "its entries make 70005 bytes, and at most 32768 are allowed"


@pytest.mark.parametrize(
    ("source", "reason", "words"),
    [
        (None, Reason.REF_NOT_FOUND, f"does not exist. Create it, of type {PROVIDER_TOKEN_TYPE}."),
        (provider(), Reason.REF_NOT_PERMITTED, NOT_SHARED),
        (provider(share="not a namespace"), Reason.REF_NOT_PERMITTED, NOT_SHARED),
        (provider(share="ns", token=""), Reason.BAD_SECRET, "gives nothing: it has no entry with content. Correct it."),
        (
            secret("openai", {"token": "t"}, namespace="platform", annotations={SHARE_WITH: "ns"}),
            Reason.BAD_SECRET,
            f"gives nothing: it is not of type {PROVIDER_TOKEN_TYPE}. Correct it.",
        ),
        (
            provider(share="ns", annotations={UPSTREAM_HOSTS: "https://x"}),
            Reason.BAD_SECRET,
            f"gives nothing: {BAD_HOSTS}. Correct it.",
        ),
        (provider(share="ns", token="t" * 70_000), Reason.TOO_LARGE, f"gives nothing: {LARGE}. Correct it."),
    ],
)
def test_source_that_gives_nothing_closes_its_keys_and_no_others(
    source: StoredObject | None, reason: Reason, words: str
) -> None:
    found = resolved(taker("a", token="own"), key_secret("b", "b"), *(() if source is None else (source,)))
    message = f"Secret ns/a: no request with the key is let through, because Secret platform/openai {words}"
    assert [(reason, message)] == told(found)
    assert ["b"] == [one.name for one in found.keys.takers(request().name).joined]
    assert () == published(found)


def test_keys_of_one_source_and_namespace_are_told_of_once() -> None:
    found = resolved(*(taker(name) for name in "cab"), taker("d", namespace="other"))
    absent = f"Secret platform/openai does not exist. Create it, of type {PROVIDER_TOKEN_TYPE}."
    assert [
        f"Secret ns/a and 2 more of its namespace: no request with the key is let through, because {absent}",
        f"Secret other/d: no request with the key is let through, because {absent}",
    ] == [message for _, message in told(found)]
    assert {Reason.REF_NOT_FOUND: 4} == found.keys.takers(request().name).closed


def test_tenant_takes_only_from_a_source_of_the_platform_that_names_it() -> None:
    assert () == published(resolved(taker(), provider(share="other"), settings=ISOLATED))
    assert () == published(resolved(taker(of="other/openai"), provider("other", share="ns"), settings=ISOLATED))
    (source,) = published(resolved(taker(), provider(share="ns"), settings=ISOLATED))
    assert ("ns",) == source.shared_with


def test_source_of_a_tenant_is_shared_in_vain() -> None:
    found = resolved(taker(of="openai"), provider("ns", share="other"), settings=ISOLATED)
    assert [()] == [one.shared_with for one in published(found)]
    assert [Reason.NO_EFFECT] == [one.reason for one in found.problems]


def test_tenant_does_not_learn_which_sources_there_are() -> None:
    answers = [
        told(resolved(taker(), *others, settings=ISOLATED))
        for others in (
            (),
            (provider(),),
            (provider(share="other"),),
            (provider(annotations={UPSTREAM_HOSTS: "/"}),),
            (secret("openai", {"token": "t"}, namespace="platform"),),
        )
    ]
    assert [answers[0]] * len(answers) == answers
    assert 1 == len(answers[0])


def test_entry_of_the_keys_own_is_told_because_a_new_token_does_not_reach_it() -> None:
    found = resolved(taker("a", token="own"), taker("b", token="own"), taker("c"), provider(share="ns"))
    message = (
        'Secret ns/a and 1 more of its namespace: the entry "token" of its own counts, and not the one of '
        "Secret platform/openai: a new token there does not reach it. Remove the entry from the key's Secret."
    )
    assert [(Reason.NO_EFFECT, message)] == told(found)


def test_required_entry_may_come_from_the_source() -> None:
    name = request().name
    found = resolved(taker(), provider(share="ns"))
    assert () == found.keys.shortcomings(name, STEP, tokens={})
    lacking = resolved(taker(), provider(share="ns", other="x"))
    assert [ObjectRef("Secret", "ns", "a")] == [one.ref for one in lacking.keys.shortcomings(name, STEP, tokens={})]


def test_binding_of_the_source_counts_for_its_keys() -> None:
    found = resolved(taker(), provider(share="ns", annotations={UPSTREAM_HOSTS: "a.example"}))
    assert [("a.example",)] == [one.allowed_hosts for one in found.keys.bound(request().name)]


def test_name_that_cannot_be_read_closes_the_key() -> None:
    found = resolved(taker(of="a/b/c"))
    assert () == found.credentials
    assert [("metadata", "annotations", METADATA_FROM)] == [one.field for one in found.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai", ("ns", "openai")),
        (" platform/open.ai ", ("platform", "open.ai")),
        ("", None),
        ("/", None),
        ("/openai", None),
        ("platform/", None),
        ("a/b/c", None),
        ("Platform/openai", None),
        ("platform/open..ai", None),
        ("platform/-openai", None),
        ("platform /openai", None),
    ],
)
def test_names_of_secrets(text: str, expected: tuple[str, str] | None) -> None:
    named = parse_secret_name(text, namespace="ns")
    assert expected == (None if isinstance(named, AnnotationError) else named)


@given(st.text(alphabet="ab-./\n\x00A é", max_size=12))
def test_any_text_is_a_name_or_an_error(text: str) -> None:
    named = parse_secret_name(text, namespace="ns")
    if not isinstance(named, AnnotationError):
        assert text.strip() in ("/".join(named), named[1])
