"""Which Secrets are asked for, which are not, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.kube.beside import beside, settle
from tests.kube.fake_api_server import refused
from tests.kube.fake_collection import FakeCollection, RecordingSink, raise_any
from tests.kube.virtual_time import VirtualTime
from wardgate.kube.api.client import Manifest, Parameters
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.watch.secrets_watch import SecretsScope, SecretsWatch
from wardgate.problems import ObjectRef

KEYS = "type=extauth.solo.io/apikey"
TOKENS = "type=wardgate.dev/provider-token"


class FakeSecrets(FakeCollection):
    """Refuses some namespaces; notes what is asked for as ``namespace: selectors``."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: dict[str, Exception] = {}
        self.asked: list[str] = []

    async def pages(
        self, path: str, parameters: Parameters | None = None, *, metadata_only: bool = False
    ) -> AsyncIterator[Manifest]:
        parts = path.split("/")
        namespace = parts[4] if "namespaces" in parts else "all"
        self.asked.append(f"{namespace}: {' & '.join(str(value) for value in (parameters or {}).values())}")
        raise_any(self.refusals.get(namespace))
        async for page in super().pages(path, parameters):
            yield page


@dataclass
class Run:
    client: FakeSecrets
    sink: RecordingSink
    watch: SecretsWatch
    refusals: list[frozenset[str]]


def watch(
    scenario: Callable[[Run], Awaitable[None]],
    scope: SecretsScope | None = None,
    *,
    refusals: dict[str, Exception] | None = None,
    before: tuple[ObjectRef, ...] = (),
) -> None:
    async def main() -> None:
        client, sink = FakeSecrets(), RecordingSink()
        client.refusals = refusals or {}
        told: list[frozenset[str]] = []
        it = SecretsWatch(
            client,
            scope or SecretsScope(),
            sink=sink,
            timing=VirtualTime().timing,
            on_refusal=lambda: told.append(it.refused),
        )
        it.follow(before)
        async with beside(it.run(), name="secrets"):
            await scenario(Run(client, sink, it, told))
        assert not any(one.is_live for one in it.reflectors)

    asyncio.run(main())


def ref(name: str, namespace: str = "apps") -> ObjectRef:
    return ObjectRef("Secret", namespace, name)


def test_keys_of_all_namespaces_come_by_one_watch() -> None:
    async def scenario(run: Run) -> None:
        assert [f"all: {KEYS}", f"all: {TOKENS}"] == run.client.asked
        assert ((), (), True) == (run.watch.missing(), run.watch.problems, run.watch.is_live)

    watch(scenario)


def test_keys_of_some_namespaces_come_by_one_watch_each() -> None:
    async def scenario(run: Run) -> None:
        assert {f"{place}: {kind}" for place in ("apps", "lab") for kind in (KEYS, TOKENS)} == set(run.client.asked)
        assert {f"{kind} in {place}" for place in ("apps", "lab") for kind in ("keys", "tokens")} == {
            one.scope for one in run.watch.reflectors
        }

    watch(scenario, SecretsScope(key_namespaces=frozenset({"apps", "lab"})))


def test_plain_secrets_are_asked_for_by_labels_and_type() -> None:
    async def scenario(run: Run) -> None:
        assert {f"all: {KEYS}", f"all: {TOKENS}", "all: type=Opaque & team=ai"} == set(run.client.asked)

    watch(scenario, SecretsScope(opaque_selector="team=ai"))


def test_named_secret_is_asked_for_by_its_name() -> None:
    async def scenario(run: Run) -> None:
        run.watch.follow([ref("tls")])
        assert ("Waiting for the list of secrets (metadata.name=tls) in namespace apps.",) == run.watch.missing()
        await settle()
        assert "apps: metadata.name=tls" in run.client.asked
        assert ((), True) == (run.watch.missing(), run.watch.is_live)

    watch(scenario)


def test_what_was_named_before_the_start_is_followed_too() -> None:
    async def scenario(run: Run) -> None:
        assert "apps: metadata.name=tls" in run.client.asked

    watch(scenario, before=(ref("tls"),))


def test_name_that_stays_keeps_its_watch() -> None:
    async def scenario(run: Run) -> None:
        run.watch.follow([ref("tls")])
        await settle()
        run.watch.follow([ref("tls"), ref("tls"), ref("ca")])
        await settle()
        assert 1 == run.client.asked.count("apps: metadata.name=tls")
        assert 4 == len(run.watch.reflectors)

    watch(scenario)


def test_name_that_goes_takes_its_scope_along() -> None:
    async def scenario(run: Run) -> None:
        run.watch.follow([ref("tls")])
        await settle()
        run.sink.take()
        run.watch.follow([])
        assert ["dropped Secret name:apps/tls"] == run.sink.take()
        await settle()
        assert 2 == len(run.watch.reflectors)

    watch(scenario)


ONE_FOREIGN = (
    "Secrets that objects name in namespace foreign are not read: keyNamespaces does not list it. Add it there, or "
    "move the Secrets."
)
SEVEN_FOREIGN = (
    "Secrets that objects name in namespaces a, b, c, d, e and 2 more are not read: keyNamespaces does not list them. "
    "Add them there, or move the Secrets."
)


@pytest.mark.parametrize(
    ("named", "sentence"),
    [([ref("tls", "foreign")], ONE_FOREIGN), ([ref("tls", name) for name in "abcdefg"], SEVEN_FOREIGN)],
)
def test_other_namespaces_are_not_asked(
    named: list[ObjectRef], sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(run: Run) -> None:
        run.watch.follow(named)
        run.watch.follow(named)
        await settle()
        assert [f"apps: {KEYS}", f"apps: {TOKENS}"] == run.client.asked
        assert ((sentence,), (), True) == (run.watch.problems, run.watch.missing(), run.watch.is_live)

    watch(scenario, SecretsScope(key_namespaces=frozenset({"apps"})))
    assert 1 == caplog.text.count(sentence)


def test_complaint_ends_with_its_cause() -> None:
    async def scenario(run: Run) -> None:
        run.watch.follow([ref("tls", "foreign")])
        run.watch.follow([])
        assert () == run.watch.problems

    watch(scenario, SecretsScope(key_namespaces=frozenset({"apps"})))


def test_too_many_names_are_cut_in_an_order_that_does_not_change() -> None:
    async def scenario(run: Run) -> None:
        run.watch.follow([ref("c"), ref("a"), ref("b")])
        await settle()
        assert {"name:apps/a", "name:apps/b"} == {one.scope for one in run.watch.reflectors} - {"keys", "tokens"}
        assert "Objects name 3 Secrets, and only the first 2 are read" in run.watch.problems[0]

    watch(scenario, SecretsScope(max_named=2))


def test_keys_that_may_not_be_read_are_missing() -> None:
    async def scenario(run: Run) -> None:
        assert run.watch.problems == run.watch.missing()
        assert "list and watch secrets there" in run.watch.problems[0]
        assert (False, None) == (run.watch.is_live, run.watch.last_word_at)

    watch(scenario, refusals={"all": refused(403, "Forbidden")})


def test_named_secret_that_may_not_be_read_holds_up_nothing_else() -> None:
    async def scenario(run: Run) -> None:
        run.watch.follow([ref("tls")])
        await settle()
        assert () == run.watch.missing()
        assert "does not let the operator list secrets (metadata.name=tls)" in run.watch.problems[0]
        assert (True, 1000.0) == (run.watch.is_live, run.watch.last_word_at)
        assert [frozenset({"apps/tls"})] == run.refusals
        run.client.refusals.clear()
        await run.watch.list_again()
        assert [frozenset({"apps/tls"}), frozenset()] == run.refusals

    watch(scenario, refusals={"apps": refused(403, "Forbidden")})


def test_named_secret_that_nobody_answered_for_is_missing() -> None:
    async def scenario(run: Run) -> None:
        run.watch.follow([ref("tls")])
        await settle()
        assert ("Listing secrets (metadata.name=tls) in namespace apps failed (no route).",) == tuple(
            sentence.partition(" What")[0] for sentence in run.watch.missing()
        )
        assert not run.watch.is_live

    watch(scenario, refusals={"apps": ConnectionFailed("no route")})


def test_everything_can_be_listed_once_more_with_what_may_be_listed() -> None:
    async def scenario(run: Run) -> None:
        run.watch.follow([ref("tls")])
        await settle()
        run.client.asked.clear()
        await run.watch.list_again()
        assert {f"all: {KEYS}", f"all: {TOKENS}", "apps: metadata.name=tls"} == set(run.client.asked)

    watch(scenario, refusals={"apps": refused(403, "Forbidden")})


def test_list_that_cannot_be_had_is_told_to_whoever_asked() -> None:
    async def scenario(run: Run) -> None:
        run.client.refusals["all"] = ConnectionFailed("no route")
        with pytest.raises(ConnectionFailed):
            await run.watch.list_again()

    watch(scenario)
