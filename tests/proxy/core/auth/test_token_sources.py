"""Keys that take the provider's token from a source: one token for many of them, never another one (invariant 5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.core.conversation import (
    KEY,
    NOW,
    TOKEN,
    UPSTREAM,
    Talk,
    auth_plan,
    config,
    credential,
    forward,
    post_plan,
    request,
)
from tests.proxy.core.transform.test_transformation import message
from wardgate.ir import Credential, Endpoint, GatewayConfig, MetadataEntry, Route, TokenSource, Upstream
from wardgate.proxy.core.auth.credential_index import CredentialIndex, compile_credential
from wardgate.sensitive import Sensitive

OWN = Upstream("own", (Endpoint("evil.example", 443),), bound_hosts=("evil.example",))
SENT = "sk-provider"


def source(token: str = SENT, *, entry: str = "token", **changes: Any) -> TokenSource:
    return TokenSource(
        **{
            "namespace": "default",
            "name": "openai",
            "metadata": (MetadataEntry(entry, Sensitive(token)),),
            **changes,
        }
    )


def taker(metadata: dict[str, str] | None = None, **changes: Any) -> Credential:
    return credential(metadata=metadata or {}, metadata_from="default/openai", **changes)


def talk(key: Credential, *sources: TokenSource, owner: str = "", to: str = "hf") -> Talk:
    served: GatewayConfig = config(
        Route("r", forward(to, auto_host_rewrite=to == "hf"), auth="plan", owner=owner),
        auth_plans=(auth_plan(owner=owner),),
        credentials=(key,),
        token_sources=sources,
        upstreams=(UPSTREAM, OWN),
    )
    return Talk(served, request("GET", "/", ("api-key", KEY)))


def outcome(said: Talk) -> tuple[int, str]:
    return said.reply.status, said.reply.reason


def test_key_is_exchanged_for_the_token_of_its_source() -> None:
    assert SENT == talk(taker(), source()).sent["x-api-key"]


def test_entry_of_the_key_itself_wins() -> None:
    assert "own" == talk(taker({"token": "own"}), source()).sent["x-api-key"]


def test_key_without_its_source_opens_nothing_though_it_has_a_token_of_its_own() -> None:
    assert (401, "key_token_missing") == outcome(talk(taker({"token": "own"})))


def test_key_of_a_namespace_that_the_source_does_not_name_opens_nothing() -> None:
    assert (401, "key_token_missing") == outcome(talk(taker(namespace="apps"), source()))
    assert SENT == talk(taker(namespace="apps"), source(shared_with=("apps",))).sent["x-api-key"]


@pytest.mark.parametrize("own", [None, ("hf.example",), ("other.example",)])
def test_token_goes_to_the_hosts_of_its_source_alone(own: tuple[str, ...] | None) -> None:
    """Whatever the key's own Secret says (invariant 11)."""
    bound = source(allowed_hosts=("hf.example",))
    key = taker(allowed_hosts=own)
    assert (403, "token_bound_elsewhere") == outcome(talk(key, bound, to="own"))
    if own == ("other.example",):
        assert (403, "token_bound_elsewhere") == outcome(talk(key, bound))
    else:
        assert SENT == talk(key, bound).sent["x-api-key"]


def test_tenants_key_cannot_bind_a_token_that_is_not_shared_on_the_way() -> None:
    """A platform's key, bound by itself, takes from another platform namespace: the token's owner named no tenant."""
    key = taker(namespace="platform", allowed_hosts=("evil.example",))
    lent = source(shared_with=("platform",))
    assert (403, "token_not_shared") == outcome(talk(key, lent, owner="evil", to="own"))
    named = source(shared_with=("platform", "evil"))
    assert (403, "token_not_shared") == outcome(talk(key, named, owner="evil", to="own"))
    shared = taker(namespace="platform", shared_with=("evil",))
    assert SENT == talk(shared, named, owner="evil", to="own").sent["x-api-key"]
    assert (403, "token_not_shared") == outcome(talk(shared, lent, owner="evil", to="own"))


def test_token_of_another_owner_is_foreign_to_the_tenant_whose_key_takes_it() -> None:
    """So templates of the tenant see nothing of it, and it goes into credential headers alone."""
    index = CredentialIndex.of([taker(namespace="evil")], [source(shared_with=("evil",))])
    (found,) = index.entries.values()
    whole = index.joined(found)
    assert whole is not None
    assert ("evil", "default", "evil/hf-key") == (whole.namespace, whole.token_owner, whole.label)


def test_request_in_flight_is_cut_off_when_the_source_goes() -> None:
    served = CredentialIndex.of([taker()], [source()])
    (key,) = served.entries.values()
    assert served.holds(key, now=NOW)
    assert not CredentialIndex.of([taker()]).holds(key, now=NOW)
    assert not CredentialIndex.of([taker(namespace="apps")], [source()]).holds(key, now=NOW)


def test_unsendable_entry_of_the_key_hides_the_sources() -> None:
    broken = Credential(
        "users", "a" * 64, "default", "k", metadata=(MetadataEntry("token", Sensitive("ä\x01"), False),)
    )
    compiled = compile_credential(broken)
    assert compiled is not None
    compiled.source = "default/openai"
    whole = CredentialIndex.of([], [source()]).joined(compiled)
    assert whole is not None
    assert {} == whole.sendable


@pytest.mark.parametrize(("taken", "seen"), [(True, ""), (False, TOKEN)])
def test_template_of_the_tenant_reads_its_own_token_and_none_that_its_key_takes(*, taken: bool, seen: str) -> None:
    key = taker(namespace="evil") if taken else credential(namespace="evil")
    copied = post_plan(request=message(("x-copy", '{{ request_header("x-api-key") }}')), owner="evil")
    served = config(
        Route("r", forward("own"), auth="plan", owner="evil", transformations=("t",)),
        auth_plans=(auth_plan(owner="evil"),),
        credentials=(key,),
        token_sources=(source(shared_with=("evil",)),),
        transformations=(copied,),
        upstreams=(OWN,),
    )
    sent = Talk(served, request("GET", "/", ("api-key", KEY))).sent
    assert (SENT if taken else TOKEN, seen) == (sent["x-api-key"], sent.get("x-copy", ""))
