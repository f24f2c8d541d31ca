"""Policies on tenants' routes: their readers are told which keys are refused there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wardgate.ir import (
    ApiKeyStep,
    AuthPlan,
    BasicAuthStep,
    Credential,
    DirectResponse,
    GatewayConfig,
    Listener,
    MetadataEntry,
    MetadataHeader,
    Route,
    VirtualHost,
)
from wardgate.problems import ObjectRef, ProblemKind, Reason
from wardgate.sensitive import Sensitive
from wardgate.translate.keys.withheld_tokens import exposed_tokens, guarded_tenants, withheld_tokens

POLICY = ObjectRef("ExtAuthPolicy", "infra", "p")
SENDS = ApiKeyStep("k", "api-key", "keys", (MetadataHeader("authorization", "token"),))
PLAN = AuthPlan("infra/p", (SENDS, BasicAuthStep("b", "r", "sha1", ())))


def key(name: str, entry: str = "token", **changes: Any) -> Credential:
    metadata = (MetadataEntry(entry, Sensitive("t")),)
    return Credential("keys", "00" * 32, "infra", name, metadata=metadata, **changes)


def told(keys: Iterable[Credential], *tenants: str, plan: AuthPlan = PLAN) -> list[str]:
    found = list(withheld_tokens(POLICY, plan, tenants=frozenset(tenants), keys_of=lambda _: keys))
    assert all((ProblemKind.WARNING, Reason.TOKEN_WITHHELD, POLICY) == (p.kind, p.reason, p.ref) for p in found)
    return [problem.message for problem in found]


def test_keys_that_are_neither_bound_nor_shared_are_told() -> None:
    keys = [key("free"), key("bound", allowed_hosts=("a.example",)), key("lent", shared_with=("a", "b")), key("own")]
    (message,) = told(keys, "b", "a")
    assert (
        "ExtAuthPolicy infra/p guards routes of namespaces a, b, and the tokens of 2 of its keys may not leave there: "
        "requests with them are refused. Annotate infra/free, infra/own with wardgate.dev/upstream-hosts or "
        "wardgate.dev/share-with."
    ) == message


def test_key_that_is_shared_with_some_of_the_tenants_is_told() -> None:
    assert 1 == len(told([key("lent", shared_with=("a",))], "a", "b"))


def test_many_are_counted() -> None:
    (message,) = told([key(f"k{number}") for number in range(9)], *"abcde")
    assert "namespaces a, b, c and 2 more, and the tokens of 9 of its keys" in message
    assert "Annotate infra/k0, infra/k1, infra/k2 and 6 more with" in message


def test_keys_whose_entries_are_not_sent_are_not_told() -> None:
    assert [] == told([key("note", "note")], "a")
    assert [] == told([key("free")], "a", plan=AuthPlan("infra/p", (ApiKeyStep("k", "api-key", "keys"),)))


def exposed(keys: Iterable[Credential], *headers: str, owner: str = "team") -> list[str]:
    step = ApiKeyStep("k", "api-key", "keys", tuple(MetadataHeader(header, "token") for header in headers))
    policy = ObjectRef("ExtAuthPolicy", "team", "p")
    return [
        one.message for one in exposed_tokens(policy, AuthPlan("team/p", (step,), owner=owner), keys_of=lambda _: keys)
    ]


def test_tenant_that_puts_a_shared_token_into_another_header_is_told() -> None:
    keys = [key("lent", shared_with=("team",)), key("bound", shared_with=("team",), allowed_hosts=("a.example",))]
    (message,) = exposed(keys, "authorization", "origin")
    assert (
        "ExtAuthPolicy team/p puts entries of infra/bound, infra/lent into origin: requests with these keys are "
        "refused, because an entry that is shared may stand in a credential header only. Name such a header instead, "
        "for example authorization or x-api-key."
    ) == message


def test_shared_token_in_credential_headers_is_not_told() -> None:
    assert [] == exposed([key("lent", shared_with=("team",))], "authorization", "x_api_key")


def test_entry_that_the_shared_secret_does_not_have_is_not_told() -> None:
    assert [] == exposed([key("lent", "note", shared_with=("team",))], "origin")


def test_token_of_the_policys_owner_may_stand_in_any_header() -> None:
    assert [] == exposed([key("own")], "origin", owner="infra")
    assert [] == exposed([key("own")], "origin", owner="")


def test_only_routes_of_other_owners_count() -> None:
    action = DirectResponse(200)
    routes = (
        Route("open", action, owner="a"),
        Route("own", action, auth="a/p", owner="a"),
        Route("platforms", action, auth="infra/p"),
        *(Route(f"guarded-{tenant}", action, auth="infra/p", owner=tenant) for tenant in ("a", "b")),
    )
    plans = (AuthPlan("a/p", (SENDS,), owner="a"), PLAN)
    config = GatewayConfig((Listener("l", 80, (VirtualHost(("*",), routes),)),), auth_plans=plans)
    assert {"infra/p": frozenset({"a", "b"})} == guarded_tenants(config)
