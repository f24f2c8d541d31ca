"""What somebody does to the published config is mended within seconds; the proxies, old and new, serve meanwhile."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.chart.helm import Helm
from tests.cluster.cluster import Cluster
from tests.cluster.objects import Object
from tests.e2e.callers import Callers
from tests.e2e.door import HEADER, PATH, Door
from tests.e2e.ending import kill_leader, kill_proxy
from tests.e2e.installation import Installation, Operator, Proxy
from tests.e2e.published import PublishedConfig, index_content, index_data
from wardgate.kube.delivery.shards import entry_of
from wardgate.wire.bundle import ROUTES

MENDED_SECONDS = 10.0
"""What is promised is a second or two; a loaded machine may need more."""
KEPT = {HEADER: "kept-key"}


@dataclass(frozen=True, slots=True)
class Running:
    """An installation in which everything is well: one operator, one proxy, two keys, of which one is revoked."""

    installation: Installation
    door: Door
    published: PublishedConfig
    operator: Operator
    proxy: Proxy
    earlier: Object
    """The index as it was while the revoked key was in force."""

    def shard(self, group: str) -> str:
        """The name of a group's shard in force."""
        return next(one.name for one in self.published.index().shards if one.group == group)

    def keys_shard(self) -> str:
        """The name of the shard in force with a key."""
        return next(one.name for one in self.published.index().shards if one.group != ROUTES)


@pytest.fixture(scope="module")
def running(module_cluster: Cluster, helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("damage")
    with Installation(module_cluster, Helm(helm), folder) as installation:
        door = Door(module_cluster)
        published = PublishedConfig(
            module_cluster, release=installation.release, namespace=installation.config_namespace
        )
        door.key("kept", "kept-key")
        door.key("revoked", "revoked-key")
        operator, proxy = installation.operator(), installation.proxy()
        installation.everywhere(200, PATH, **{HEADER: "revoked-key"})
        earlier = published.secret()
        door.revoke("revoked")
        installation.everywhere(401, PATH, **{HEADER: "revoked-key"})
        yield Running(installation, door, published, operator, proxy, earlier)


Damage: TypeAlias = Callable[[Running], None]


def _delete_routes(running: Running) -> None:
    running.published.delete(running.shard(ROUTES))


def _delete_keys(running: Running) -> None:
    running.published.delete(running.keys_shard())


def _delete_everything(running: Running) -> None:
    running.installation.cluster.delete_all("Secret", namespace=running.installation.config_namespace)


def _tamper(running: Running) -> None:
    """An open door under the name of the guarded one."""
    routes, keys = running.shard(ROUTES), running.keys_shard()
    (other,) = running.published.secret(keys)["data"].values()
    running.published.replace_shard(routes, {entry_of(ROUTES): other})


def _truncate(running: Running) -> None:
    name = running.shard(ROUTES)
    content = base64.b64decode(running.published.secret(name)["data"][entry_of(ROUTES)])
    running.published.replace_shard(name, {entry_of(ROUTES): base64.b64encode(content[: len(content) // 2]).decode()})


def _delete_index(running: Running) -> None:
    running.published.delete()


def _roll_index_back(running: Running) -> None:
    """The revoked key is in the revision that it names; its shards still exist."""
    running.published.write_index(running.earlier["data"])


def _roll_index_back_to_another_writer(running: Running) -> None:
    content = index_content(running.earlier)
    running.published.write_index(index_data({**content, "writer": "somebody since 2024-01-01T00:00:00.000Z"}))


def _give_index_another_sequence(running: Running) -> None:
    """The right revision, of long ago: a proxy refuses it all the same."""
    content = index_content(running.published.secret())
    running.published.write_index(index_data({**content, "sequence": 7}))


def _give_index_another_sequence_and_writer(running: Running) -> None:
    content = index_content(running.published.secret())
    running.published.write_index(index_data({**content, "sequence": 7, "writer": "somebody"}))


def _make_index_unreadable(running: Running) -> None:
    running.published.write_index({"index.json": base64.b64encode(b"{").decode()})


def _empty_index(running: Running) -> None:
    running.installation.cluster.patch(
        "Secret", running.published.name, {"data": None}, namespace=running.installation.config_namespace
    )


def _take_the_label_off(running: Running) -> None:
    """Whoever lists by label finds no shard any more; the proxies read by name."""
    metadata = {"labels": {"wardgate.dev/release": None}}
    running.installation.cluster.patch(
        "Secret",
        running.shard(ROUTES),
        {"metadata": metadata},
        namespace=running.installation.config_namespace,
    )


DAMAGES: tuple[Damage, ...] = (
    _delete_routes,
    _delete_keys,
    _delete_everything,
    _tamper,
    _truncate,
    _delete_index,
    _roll_index_back,
    _roll_index_back_to_another_writer,
    _give_index_another_sequence,
    _give_index_another_sequence_and_writer,
    _make_index_unreadable,
    _empty_index,
    _take_the_label_off,
)


def _name_of(damage: Any) -> str:
    return str(damage.__name__).strip("_").replace("_", "-")


@pytest.mark.parametrize("damage", DAMAGES, ids=_name_of)
def test_damaged_config_is_mended_while_the_proxies_serve(running: Running, damage: Damage) -> None:
    before = running.published.whole()
    with Callers([running.proxy], {"kept-key": 200, "revoked-key": 401, "": 401}):
        began = time.monotonic()
        damage(running)
        mended = running.installation.wait_until(
            lambda: _mended(running, before.sequence), "a whole revision is in force", seconds=MENDED_SECONDS
        )
        running.installation.wait_until(
            lambda: running.proxy.revision()["sequence"] == mended, "the proxy serves it", seconds=MENDED_SECONDS
        )
        took = time.monotonic() - began
        newcomer = running.installation.proxy()
        assert (200, 401) == (newcomer.status(PATH, **KEPT), newcomer.status(PATH, **{HEADER: "revoked-key"}))
    kill_proxy(running.installation, newcomer)
    print(f"{_name_of(damage)}: mended and served again after {took:.2f} s")
    assert "" == running.proxy.problem()


def _mended(running: Running, before: int) -> int:
    index = running.published.whole()
    assert index.sequence > before
    return index.sequence


def test_config_damaged_while_no_operator_ran_is_mended_by_the_next_one(
    installation: Installation, door: Door, published: PublishedConfig
) -> None:
    door.key("kept", "kept-key")
    operator, proxy = installation.operator(), installation.proxy()
    installation.everywhere(200, PATH, **KEPT)
    kill_leader(installation, operator)
    before = published.index()
    with Callers([proxy], {"kept-key": 200, "": 401}):
        group, name = before.shards[0].group, before.shards[0].name
        published.replace_shard(name, {entry_of(group): base64.b64encode(b"nonsense").decode()})
        newcomer = installation.proxy(wait=False)
        installation.wait_until(lambda: name in newcomer.problem(), "the new proxy says what is wrong")
        assert 503 == newcomer.page("/readyz").status
        began = time.monotonic()
        installation.operator()
        installation.wait_until(lambda: newcomer.page("/readyz").status == 200, "the new proxy is ready")
        print(f"mended {time.monotonic() - began:.1f} s after the operator's start")
        assert published.whole().sequence > before.sequence
        installation.everywhere(200, PATH, **KEPT)


@pytest.fixture
def door(cluster: Cluster) -> Door:
    return Door(cluster)


@pytest.fixture
def published(installation: Installation) -> PublishedConfig:
    return PublishedConfig(installation.cluster, release=installation.release, namespace=installation.config_namespace)


def test_proxy_started_before_any_operator_waits_and_serves_as_soon_as_it_can(
    installation: Installation, door: Door
) -> None:
    door.key("kept", "kept-key")
    proxy = installation.proxy(wait=False)
    installation.wait_until(lambda: "does not exist yet" in proxy.problem(), "the proxy says what it waits for")
    assert (503, 200, 0) == (proxy.page("/readyz").status, proxy.page("/healthz").status, proxy.status(PATH, **KEPT))
    operator = installation.operator()
    installation.everywhere(200, PATH, **KEPT)
    operator.program.stop()
    door.key("later", "later-key")
    newcomer = installation.proxy()
    assert (200, 401) == (newcomer.status(PATH, **KEPT), newcomer.status(PATH, **{HEADER: "later-key"}))


def test_proxy_restarts_from_its_volume_while_the_api_server_is_away(
    installation: Installation, door: Door, cluster: Cluster, tmp_path: Path
) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    flags = ("--cache-dir", str(volume))
    door.key("kept", "kept-key")
    door.key("revoked", "revoked-key")
    link = cluster.link()
    installation.operator()
    first = installation.proxy(*flags, link=link)
    installation.everywhere(200, PATH, **{HEADER: "revoked-key"})
    installation.wait_until(lambda: any(volume.iterdir()), "the revision is kept")
    link.cut()
    door.revoke("revoked")
    kill_proxy(installation, first)
    began = time.monotonic()
    second = installation.proxy(*flags, link=link)
    print(f"ready {time.monotonic() - began:.1f} s after its start, from the volume")
    assert (200, 401) == (second.status(PATH, **KEPT), second.status(PATH))
    assert not second.revision()["connected"]
    without = installation.proxy(link=link, wait=False)
    installation.wait_until(without.problem, "the proxy without a volume says what is wrong")
    assert (503, 0) == (without.page("/readyz").status, without.status(PATH, **KEPT))
    began = time.monotonic()
    link.restore()
    installation.everywhere(401, PATH, **{HEADER: "revoked-key"})
    installation.everywhere(200, PATH, **KEPT)
    print(f"the key that was revoked meanwhile is refused {time.monotonic() - began:.2f} s after the link's return")
