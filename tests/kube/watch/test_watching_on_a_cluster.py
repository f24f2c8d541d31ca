"""The reading side on a real API server: what is seen, how soon, after which faults, and what is never asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.http_api import ApiError as Refusal
from tests.kube.manifests import KEY_TYPE, external_service, secret
from tests.kube.watching import Account, Watching, as_written, named, run, watching
from wardgate.api import KINDS
from wardgate.api.kinds.provider_token import PROVIDER_TOKEN_TYPE
from wardgate.kube.watch.kind_resources import READ_KINDS
from wardgate.kube.watch.secrets_watch import SecretsScope

pytestmark = [pytest.mark.slow, pytest.mark.measured]

NAME_OF_CRD = "externalservices.networking.gloo.solo.io"


def make_keys(cluster: Cluster, namespace: str, *names: str, team: str = "x") -> None:
    for name in names:
        cluster.create(as_written(secret(name, namespace=namespace, team=team)))


def make_service(cluster: Cluster, namespace: str, name: str) -> None:
    cluster.create(as_written(external_service(name, namespace=namespace)))


def is_served(cluster: Cluster) -> bool:
    try:
        cluster.list("ExternalService")
    except Refusal as error:
        return error.status != 404
    return True


async def quick(probe: Callable[[], object], it: Watching) -> None:
    """Something is seen while all is well: invariant 5 allows a second."""
    assert await it.until(probe, seconds=5.0) < 1.0


def test_keys_come_change_and_go_within_a_second(cluster: Cluster) -> None:
    account, apps = Account(cluster), cluster.namespace("apps")

    async def scenario() -> None:
        async with watching(account) as it:
            await it.is_quiet()
            make_keys(cluster, apps, "a", "b")
            await quick(lambda: it.names() == {"a", "b"}, it)
            cluster.patch("Secret", "a", {"metadata": {"labels": {"team": "y"}}}, namespace=apps)
            await quick(lambda: it.labels("a") == {"team": "y"}, it)
            cluster.patch("Secret", "a", {"metadata": {"labels": {"team": None}}}, namespace=apps)
            await quick(lambda: it.labels("a") == {}, it)
            cluster.delete("Secret", "b", namespace=apps)
            await quick(lambda: it.names() == {"a"}, it)

    run(scenario())


def test_objects_of_our_kinds_come_change_and_go_within_a_second(cluster: Cluster) -> None:
    account, apps = Account(cluster), cluster.namespace("apps")

    async def scenario() -> None:
        async with watching(account) as it:
            await it.is_quiet()
            await it.kopf_is_up(cluster, apps)
            make_service(cluster, apps, "a")
            await quick(lambda: it.names("ExternalService") == {"a"}, it)
            cluster.patch("ExternalService", "a", {"metadata": {"labels": {"team": "y"}}}, namespace=apps)
            await quick(lambda: it.labels("a", "ExternalService") == {"team": "y"}, it)
            cluster.delete("ExternalService", "a", namespace=apps)
            await quick(lambda: it.names("ExternalService") == set(), it)

    run(scenario())


def test_written_status_is_no_change(cluster: Cluster) -> None:
    account, apps = Account(cluster), cluster.namespace("apps")
    make_service(cluster, apps, "a")

    async def scenario() -> None:
        async with watching(account) as it:
            await it.is_quiet()
            await it.has("a", kind="ExternalService")
            before, marks = it.store.freeze().of("ExternalService"), it.marks
            position = it.store.position("ExternalService")
            status = {"status": {"common": {"State": {"approval": "ACCEPTED"}}}}
            cluster.patch("ExternalService", "a", status, namespace=apps, subresource="status")
            await it.until(lambda: it.store.position("ExternalService") > position)
            assert it.store.freeze().of("ExternalService") is before
            assert marks == it.marks

    run(scenario())


def test_only_key_secrets_and_named_ones_are_ever_asked_for(cluster: Cluster) -> None:
    account, apps = Account(cluster), cluster.namespace("apps")
    make_keys(cluster, apps, "key")
    for name in ("tls", "other"):
        cluster.create(as_written({**secret(name, namespace=apps), "type": "Opaque"}))

    async def scenario() -> None:
        async with watching(account) as it:
            it.secrets.follow(named(apps, "tls"))
            await it.is_quiet()
            await it.has("key", "tls")
            await it.secrets.list_again()

    mark = cluster.audit_mark()
    run(scenario())
    asked = [parse_qs(urlsplit(event.uri).query) for event in cluster.audit(since=mark, user=account.user)]
    selectors = {query["fieldSelector"][0] for query in asked if "fieldSelector" in query}
    events = cluster.audit(since=mark, user=account.user, resource="secrets")
    assert {f"type={KEY_TYPE}", f"type={PROVIDER_TOKEN_TYPE}", "metadata.name=tls"} == selectors
    assert all("fieldSelector=" in event.uri for event in events)
    assert {"list", "watch"} == {event.verb for event in events}


def test_secret_is_followed_by_name_as_long_as_it_is_named(cluster: Cluster) -> None:
    account, apps = Account(cluster), cluster.namespace("apps")

    async def scenario() -> None:
        async with watching(account) as it:
            await it.is_quiet()
            it.secrets.follow(named(apps, "tls"))
            assert it.secrets.missing() == (
                f"Waiting for the list of secrets (metadata.name=tls) in namespace {apps}.",
            )
            await it.is_quiet()
            cluster.create(as_written({**secret("tls", namespace=apps), "type": "Opaque"}))
            await quick(lambda: it.names() == {"tls"}, it)
            it.secrets.follow([])
            assert it.names() == set()

    run(scenario())


def test_named_secret_that_does_not_exist_marks_the_end_of_the_wait(cluster: Cluster) -> None:
    account, apps = Account(cluster), cluster.namespace("apps")

    async def scenario() -> None:
        async with watching(account) as it:
            await it.is_quiet()
            it.dirty.clear()
            it.secrets.follow(named(apps, "tls"))
            await asyncio.wait_for(it.dirty.wait(), 5)
            assert it.secrets.missing() == ()

    run(scenario())


def test_secrets_of_other_namespaces_are_neither_read_nor_followed(cluster: Cluster) -> None:
    account, apps, foreign = Account(cluster), cluster.namespace("apps"), cluster.namespace("foreign")
    make_keys(cluster, apps, "ours")
    make_keys(cluster, foreign, "theirs")

    async def scenario() -> None:
        async with watching(account, scope=SecretsScope(key_namespaces=frozenset({apps}))) as it:
            it.secrets.follow(named(foreign, "theirs"))
            await it.is_quiet()
            await it.has("ours")
            assert f"name in namespace {foreign} are not read: keyNamespaces does not list it" in it.secrets.problems[0]

    mark = cluster.audit_mark()
    run(scenario())
    seen = {event.namespace for event in cluster.audit(since=mark, user=account.user, resource="secrets")}
    assert {apps} == seen


def test_plain_secrets_are_selected_where_a_selector_says_so(cluster: Cluster) -> None:
    account, apps = Account(cluster), cluster.namespace("apps")
    plain = {**secret("plain", namespace=apps, keys="yes"), "type": "Opaque"}

    async def scenario() -> None:
        async with watching(account, scope=SecretsScope(opaque_selector="keys=yes")) as it:
            await it.is_quiet()
            cluster.create(as_written(plain))
            await quick(lambda: it.names() == {"plain"}, it)
            cluster.patch("Secret", "plain", {"metadata": {"labels": {"keys": None}}}, namespace=apps)
            await quick(lambda: it.names() == set(), it)

    run(scenario())


def test_objects_of_watched_namespaces_only(cluster: Cluster) -> None:
    account, apps, foreign = Account(cluster), cluster.namespace("apps"), cluster.namespace("foreign")
    make_service(cluster, foreign, "theirs")

    async def scenario() -> None:
        async with watching(account, namespaces=[apps]) as it:
            await it.is_quiet()
            await it.kopf_is_up(cluster, apps)
            make_service(cluster, apps, "ours")
            await quick(lambda: it.names("ExternalService") == {"ours"}, it)
            cluster.delete("ExternalService", "ours", namespace=apps)
            await quick(lambda: it.names("ExternalService") == set(), it)

    run(scenario())


def test_what_went_while_the_watch_was_cut_is_gone_when_it_is_back(cluster: Cluster) -> None:
    account, apps, link = Account(cluster), cluster.namespace("apps"), cluster.link()
    make_keys(cluster, apps, "deleted", "unlabelled", "kept")

    async def scenario() -> None:
        async with watching(account, server=link.url) as it:
            await it.is_quiet()
            await it.has("deleted", "unlabelled", "kept")
            await asyncio.to_thread(link.cut)
            cluster.delete("Secret", "deleted", namespace=apps)
            cluster.patch("Secret", "unlabelled", {"metadata": {"labels": {"team": None}}}, namespace=apps)
            await it.until(lambda: not it.secrets.is_live)
            await asyncio.to_thread(link.restore)
            await it.has("unlabelled", "kept")
            await it.until(lambda: it.labels("unlabelled") == {})

    run(scenario())


def test_selected_secret_that_lost_its_label_while_the_watch_was_cut_is_gone(cluster: Cluster) -> None:
    account, apps, link = Account(cluster), cluster.namespace("apps"), cluster.link()
    cluster.create(as_written({**secret("plain", namespace=apps, keys="yes"), "type": "Opaque"}))

    async def scenario() -> None:
        async with watching(account, server=link.url, scope=SecretsScope(opaque_selector="keys=yes")) as it:
            await it.is_quiet()
            await it.has("plain")
            await asyncio.to_thread(link.cut)
            cluster.patch("Secret", "plain", {"metadata": {"labels": {"keys": None}}}, namespace=apps)
            await it.until(lambda: not it.secrets.is_live)
            await asyncio.to_thread(link.restore)
            await it.has()

    run(scenario())


def test_object_deleted_while_kopf_was_cut_is_gone_with_the_next_list(cluster: Cluster) -> None:
    account, apps, link = Account(cluster), cluster.namespace("apps"), cluster.link()
    for name in ("deleted", "kept"):
        make_service(cluster, apps, name)

    async def scenario() -> None:
        async with watching(account, server=link.url, period=1.0) as it:
            await it.is_quiet()
            await it.has("deleted", "kept", kind="ExternalService")
            await asyncio.to_thread(link.cut)
            cluster.delete("ExternalService", "deleted", namespace=apps)
            await it.until(lambda: not it.secrets.is_live)
            await asyncio.to_thread(link.restore)
            await it.has("kept", kind="ExternalService", seconds=15)

    run(scenario())


def test_frozen_watch_of_keys_costs_no_more_than_the_silence(cluster: Cluster) -> None:
    account, apps, link = Account(cluster), cluster.namespace("apps"), cluster.link()
    make_keys(cluster, apps, "revoked")

    async def scenario() -> None:
        async with watching(account, server=link.url, silence=1.5) as it:
            await it.is_quiet()
            await it.has("revoked")
            await asyncio.to_thread(link.freeze_connections)
            cluster.delete("Secret", "revoked", namespace=apps)
            assert await it.has(seconds=20) < 1.5 + 2.0

    run(scenario())


def test_frozen_watch_of_our_kinds_costs_no_more_than_the_period(cluster: Cluster) -> None:
    account, apps, link = Account(cluster), cluster.namespace("apps"), cluster.link()
    make_service(cluster, apps, "deleted")

    async def scenario() -> None:
        async with watching(account, server=link.url, period=1.0) as it:
            await it.is_quiet()
            await it.kopf_is_up(cluster, cluster.namespace("warm-up"))
            listed = it.resync.last_resync["ExternalService"]
            await it.until(lambda: it.resync.last_resync["ExternalService"] != listed)
            await asyncio.to_thread(link.freeze_connections)
            cluster.delete("ExternalService", "deleted", namespace=apps)
            assert await it.has(kind="ExternalService", seconds=30) < 1.0 + 2.0

    run(scenario())


def test_right_taken_away_from_one_kind_leaves_it_as_last_seen_and_the_others_quick(cluster: Cluster) -> None:
    account, apps = Account(cluster), cluster.namespace("apps")
    make_service(cluster, apps, "a")

    async def scenario() -> None:
        async with watching(account, period=1.0) as it:
            await it.is_quiet()
            await it.has("a", kind="ExternalService")
            await asyncio.to_thread(account.allow, kinds=set(READ_KINDS) - {"ExternalService"})
            await it.until(lambda: "ExternalService" not in it.resync.watchable)
            await it.until(lambda: it.kopf_events.watching == it.resync.watchable)
            (problem,) = it.resync.problems
            assert "does not let the operator list externalservices in all namespaces" in problem
            assert it.names("ExternalService") == {"a"}
            make_keys(cluster, apps, "key")
            await quick(lambda: it.names() == {"key"}, it)

    run(scenario())


def test_kind_that_was_never_readable_is_missing_and_not_empty(cluster: Cluster) -> None:
    account = Account(cluster, kinds=set(READ_KINDS) - {"ExtAuthPolicy"})

    async def scenario() -> None:
        async with watching(account) as it:
            await it.until(lambda: len(it.resync.missing()) == 1)
            await it.until(lambda: it.kopf_events.watching == set(KINDS) - {"ExtAuthPolicy"})
            assert "list extauthpolicies in all namespaces" in it.resync.missing()[0]

    run(scenario())


def test_secrets_that_may_not_be_read_are_missing_and_not_empty(cluster: Cluster) -> None:
    account = Account(cluster, secrets=False)

    async def scenario() -> None:
        async with watching(account) as it:
            await it.until(lambda: it.secrets.problems)
            assert it.secrets.missing() == it.secrets.problems
            await it.secrets.list_again()

    run(scenario())


def test_kind_whose_crd_comes_later_is_empty_until_then_and_watched_from_then_on(private_cluster: Cluster) -> None:
    cluster = private_cluster
    account, apps = Account(cluster), cluster.namespace("apps")
    cluster.delete_crd(NAME_OF_CRD)
    cluster.wait_until(lambda: not is_served(cluster), seconds=20, what="the kind is gone")

    async def scenario() -> None:
        async with watching(account) as it:
            await it.until(lambda: it.store.freeze().absent_kinds & KINDS.keys() == {"ExternalService"}, seconds=20)
            await it.is_quiet()
            await it.until(lambda: it.kopf_events.watching == set(KINDS) - {"ExternalService"})
            await asyncio.to_thread(cluster.install_crds)
            await it.until(lambda: not it.store.freeze().absent_kinds & KINDS.keys(), seconds=30)
            await it.kopf_is_up(cluster, apps)

    run(scenario())


def test_restart_with_an_empty_watch_cache_hides_no_deletion(private_cluster: Cluster) -> None:
    cluster = private_cluster
    account, apps, link = Account(cluster), cluster.namespace("apps"), cluster.link()
    make_keys(cluster, apps, "deleted", "kept")
    for name in ("deleted", "kept"):
        make_service(cluster, apps, name)

    async def scenario() -> None:
        async with watching(account, server=link.url, period=2.0) as it:
            await it.is_quiet()
            await it.has("deleted", "kept")
            await asyncio.to_thread(link.cut)
            cluster.delete("Secret", "deleted", namespace=apps)
            cluster.delete("ExternalService", "deleted", namespace=apps)
            await asyncio.to_thread(cluster.control_plane.restart)
            await asyncio.to_thread(link.restore)
            await it.has("kept", seconds=20)
            await it.has("kept", kind="ExternalService", seconds=20)
            assert it.rollbacks == 0

    run(scenario())


def test_restored_backup_counts_as_the_truth(private_cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    cluster = private_cluster
    account, apps = Account(cluster), cluster.namespace("apps")
    make_keys(cluster, apps, "old")
    make_service(cluster, apps, "old")
    backup = cluster.control_plane.backup_etcd()

    async def scenario() -> None:
        async with watching(account, period=2.0) as it:
            await it.is_quiet()
            cluster.delete("Secret", "old", namespace=apps)
            cluster.delete("ExternalService", "old", namespace=apps)
            make_keys(cluster, apps, "new")
            make_service(cluster, apps, "new")
            await it.has("new")
            await it.has("new", kind="ExternalService")
            await asyncio.to_thread(cluster.control_plane.restore_etcd, backup)
            await it.has("old", seconds=20)
            await it.has("old", kind="ExternalService", seconds=20)
            assert it.rollbacks > 0
            make_keys(cluster, apps, "newer")
            await it.has("old", "newer", seconds=20)

    caplog.set_level(logging.WARNING)
    run(scenario())


def test_nothing_is_ever_written(cluster: Cluster) -> None:
    account, apps = Account(cluster), cluster.namespace("apps")
    finalizer = "kopf.zalando.org/KopfFinalizerMarker"

    async def scenario() -> None:
        async with watching(account) as it:
            await it.is_quiet()
            await it.kopf_is_up(cluster, apps)
            make_service(cluster, apps, "a")
            cluster.patch("ExternalService", "a", {"metadata": {"finalizers": [finalizer]}}, namespace=apps)
            make_keys(cluster, apps, "key")
            await it.until(lambda: it.names() and it.names("ExternalService"))
            cluster.delete("ExternalService", "a", namespace=apps)
            await it.secrets.list_again()
            cluster.patch("ExternalService", "a", {"metadata": {"finalizers": None}}, namespace=apps)
            await it.has(kind="ExternalService")

    mark = cluster.audit_mark()
    run(scenario())
    events = cluster.audit(since=mark, user=account.user)
    assert {"get", "list", "watch"} >= {event.verb for event in events}
    assert "secrets" not in {event.resource for event in events if event.user_agent.startswith("kopf")}


def test_token_that_was_replaced_is_used_by_all_of_them(cluster: Cluster, tmp_path: Path) -> None:
    account, apps, link = Account(cluster), cluster.namespace("apps"), cluster.link()
    token_file = tmp_path / "token"
    token_file.write_text(account.token, encoding="ascii")

    async def scenario() -> None:
        async with watching(account, server=link.url, token_file=token_file) as it:
            await it.is_quiet()
            await it.kopf_is_up(cluster, apps)
            account.renew()
            token_file.write_text(account.token, encoding="ascii")
            await asyncio.to_thread(link.kill_connections)
            make_keys(cluster, apps, "key")
            await it.has("key")
            await it.kopf_is_up(cluster, apps)

    run(scenario())


def test_everything_stops_within_half_a_second(cluster: Cluster) -> None:
    account, apps = Account(cluster), cluster.namespace("apps")
    for number in range(20):
        make_service(cluster, apps, f"a{number}")

    async def scenario() -> None:
        async with watching(account) as it:
            await it.is_quiet()
            await it.until(lambda: len(it.names("ExternalService")) == 20)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 0.5

    run(scenario())
