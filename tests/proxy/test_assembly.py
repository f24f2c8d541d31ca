"""From a bundle's groups to a config: only what changed is built, and nothing half right is served."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from random import Random

import pytest

from tests.proxy.io.bench import CREDENTIAL, guarded
from wardgate.ir import Credential, Forward, MetadataEntry, Refuse, TokenSource
from wardgate.proxy.assembly import Assembled, Assembly, AssemblyError, Commit
from wardgate.proxy.core.auth.credential_index import CompiledCredential, CredentialIndex
from wardgate.sensitive import Sensitive
from wardgate.tasks import spawn
from wardgate.wire.bundle import Bundle, hash_of
from wardgate.wire.encode import Encoder

OTHER = replace(CREDENTIAL, digest="b" * 64, name="other")


def deliver(assembly: Assembly, bundle: Bundle, *, without: str = "") -> Assembled:
    for name, data in bundle.groups.items():
        if name != without:
            assembly.take(name, bundle.hashes[name], data=data)
    return asyncio.run(assembly.build(assembly.commit(bundle.hashes)))


def test_a_bundle_becomes_routes_and_credentials() -> None:
    assembled = deliver(Assembly(), Encoder().encode(guarded(1, credentials=(CREDENTIAL, OTHER))))
    assert assembled.routes.listeners == guarded(1).listeners
    assert len(assembled.credentials) == 2


def test_unchanged_routes_are_the_same_object() -> None:
    assembly, encoder = Assembly(), Encoder()
    first = deliver(assembly, encoder.encode(guarded(1, credentials=(CREDENTIAL,))))
    second = deliver(assembly, encoder.encode(guarded(1, credentials=(OTHER,))))
    assert second.routes is first.routes
    assert second.routes_hash == first.routes_hash
    assert second.credentials.ids() == {("lab-keys", bytes.fromhex(OTHER.digest))}


def test_what_did_not_change_within_the_routes_is_the_same_object() -> None:
    assembly, encoder = Assembly(), Encoder()
    first = deliver(assembly, encoder.encode(guarded(1)))
    changed = replace(guarded(1), auth_plans=(replace(guarded(1).auth_plans[0], policy="other"),))
    second = deliver(assembly, encoder.encode(changed))
    assert second.routes.auth_plans == changed.auth_plans
    assert second.routes.listeners[0] is first.routes.listeners[0]


def test_only_what_changed_needs_to_be_delivered() -> None:
    assembly, encoder = Assembly(), Encoder()
    deliver(assembly, encoder.encode(guarded(1, credentials=(CREDENTIAL,))))
    bundle = encoder.encode(guarded(1, credentials=(CREDENTIAL, OTHER)))
    assert len(deliver(assembly, bundle, without="routes").credentials) == 2


def test_groups_that_arrive_while_another_revision_is_built_are_kept_for_theirs() -> None:
    assembly, encoder = Assembly(), Encoder()
    first, second = encoder.encode(guarded(1)), encoder.encode(guarded(2, credentials=(CREDENTIAL,)))
    commits = []
    for bundle in (first, second):
        for name, data in bundle.groups.items():
            assembly.take(name, bundle.hashes[name], data=data)
        commits.append(assembly.commit(bundle.hashes))
    asyncio.run(assembly.build(commits[0]))
    assembled = asyncio.run(assembly.build(commits[1]))
    assert guarded(2).upstreams == assembled.routes.upstreams
    assert len(assembled.credentials) == 1


def test_a_new_token_builds_no_key_anew() -> None:
    assembly, encoder = Assembly(), Encoder()
    taker = replace(CREDENTIAL, metadata=(), metadata_from="default/openai")
    config = guarded(1, credentials=(taker,))
    sources = [TokenSource("default", "openai", (MetadataEntry("token", Sensitive(text)),)) for text in ("old", "new")]
    first = deliver(assembly, encoder.encode(replace(config, token_sources=(sources[0],)))).credentials
    bundle = encoder.encode(replace(config, token_sources=(sources[1],)))
    second = deliver(assembly, replace(bundle, groups={"tokens": bundle.groups["tokens"]})).credentials
    assert first is not second
    assert list(map(id, first.entries.values())) == list(map(id, second.entries.values()))
    assert ("old", "new") == (_token(first), _token(second))
    assert {} == deliver(assembly, encoder.encode(config)).credentials.sources


def _token(index: CredentialIndex) -> str:
    (key,) = index.entries.values()
    whole = index.joined(key)
    assert whole is not None
    return whole.sendable["token"].decode()


def test_a_group_that_is_missing_leaves_what_is_served() -> None:
    assembly, encoder = Assembly(), Encoder()
    deliver(assembly, encoder.encode(guarded(1, credentials=(CREDENTIAL,))))
    with pytest.raises(AssemblyError, match="The group routes is missing"):
        deliver(assembly, encoder.encode(guarded(2, credentials=(CREDENTIAL,))), without="routes")
    again = deliver(assembly, encoder.encode(guarded(1, credentials=(CREDENTIAL,))), without="routes")
    assert len(again.credentials) == 1


def test_a_group_that_is_not_what_its_hash_says_is_refused() -> None:
    assembly = Assembly()
    bundle = Encoder().encode(guarded(1))
    assembly.take("routes", bundle.hashes["routes"], data=b"{}")
    with pytest.raises(AssemblyError, match="not what its hash says"):
        asyncio.run(assembly.build(assembly.commit(bundle.hashes)))


def many(count: int) -> Bundle:
    keys = tuple(replace(CREDENTIAL, digest=f"{number:064x}", name=f"key-{number}") for number in range(count))
    return Encoder(buckets=1).encode(guarded(1, credentials=keys))


def test_requests_have_their_turn_while_a_bucket_of_many_keys_is_built() -> None:
    async def scenario() -> int:
        assembly, bundle, turns = Assembly(), many(1000), 0
        for name, data in bundle.groups.items():
            assembly.take(name, bundle.hashes[name], data=data)
        building = spawn(assembly.build(assembly.commit(bundle.hashes)), name="build")
        while not building.done():
            turns += 1
            await asyncio.sleep(0)
        return turns

    assert asyncio.run(scenario()) >= 1000 // 128


def keys_of(choices: Random) -> tuple[Credential, ...]:
    """Some of the same few keys, each in one of two forms."""
    numbers = choices.sample(range(12), choices.randrange(13))
    return tuple(
        replace(CREDENTIAL, digest=f"{number:064x}", name=f"key-{number}", expires_at=choices.choice((None, 9)))
        for number in sorted(numbers)
    )


def told(index: CredentialIndex) -> dict[object, object]:
    return {key: (each.name, each.expires_at) for key, each in index.entries.items()}


def test_index_that_follows_others_is_the_one_made_anew_and_theirs_stay_as_they_are() -> None:
    """At each breath of a build the index before is served, and a revision that cannot be built leaves no trace."""
    choices = Random(84)
    for _ in range(30):
        assembly, encoder, served = Assembly(), Encoder(buckets=4), CredentialIndex()
        for _ in range(8):
            keys, before = keys_of(choices), told(served)
            bundle = encoder.encode(guarded(1, credentials=keys))
            missing = choices.choice((*bundle.groups, "", "", ""))
            for name, data in bundle.groups.items():
                if name != missing:
                    assembly.take(name, bundle.hashes[name], data=data)
            building = assembly.build(assembly.commit(bundle.hashes))
            try:
                while True:
                    building.send(None)
                    assert before == told(served)
            except StopIteration as ended:
                served = ended.value.credentials
                assert told(CredentialIndex.of(keys)) == told(served)
                assert sorted(served.entries) == sorted(key for each in served.buckets.values() for key in each)
            except AssemblyError:
                assert before == told(served)


def test_keys_that_are_gone_are_let_go_of_only_when_it_is_said() -> None:
    """Then each bucket is let go of by itself: to free a hundred thousand keys at once takes long."""
    assembly, gone = Assembly(), CompiledCredential(CREDENTIAL).id
    held = deliver(assembly, Encoder().encode(guarded(1, credentials=(CREDENTIAL,)))).credentials.get(gone)
    deliver(assembly, Encoder().encode(guarded(1)))
    before = sys.getrefcount(held)
    asyncio.run(assembly.forget())
    assert before - 1 == sys.getrefcount(held)


def test_a_revision_without_routes_is_refused() -> None:
    with pytest.raises(AssemblyError, match="has no routes"):
        asyncio.run(Assembly().build(Commit({}, {})))


def test_a_group_of_a_newer_schema_closes_the_routes_it_may_restrict() -> None:
    assembly = Assembly()
    bundle = Encoder().encode(guarded(1, credentials=(CREDENTIAL,)))
    newer = Bundle(
        schema=bundle.schema,
        revision="x",
        groups={**bundle.groups, "quotas": b"{}", "info-build": b"{}"},
        hashes={**bundle.hashes, "quotas": "q", "info-build": "i"},
    )
    (host,) = deliver(assembly, newer).routes.listeners[0].virtual_hosts
    assert [route.action for route in host.routes] == [Refuse(503, "unknown_plan")]
    (host,) = deliver(assembly, bundle).routes.listeners[0].virtual_hosts
    assert [type(route.action) for route in host.routes] == [Forward]


def test_a_key_with_an_unknown_part_is_left_out_and_counted() -> None:
    bundle = Encoder().encode(guarded(1, credentials=(CREDENTIAL, OTHER)))
    name = next(name for name, data in bundle.groups.items() if CREDENTIAL.digest.encode() in data)
    data = bundle.groups[name].replace(
        b'"name":"api-huggingface-key"', b'"name":"api-huggingface-key","only_on":"monday"'
    )
    hashes = {**bundle.hashes, name: hash_of(data)}
    newer = Bundle(schema=bundle.schema, revision="x", groups={**bundle.groups, name: data}, hashes=hashes)
    assembled = deliver(Assembly(), newer)
    assert (len(assembled.credentials), assembled.refused_keys) == (1, 1)


def test_bytes_that_are_no_config_are_refused() -> None:
    assembly = Assembly()
    assembly.take("routes", hash_of(b"garbage"), data=b"garbage")
    with pytest.raises(AssemblyError):
        asyncio.run(assembly.build(assembly.commit({"routes": hash_of(b"garbage")})))
