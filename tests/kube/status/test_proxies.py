"""Proxies are found and asked: often while something is awaited, and whatever they answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.kube.fake_api_server import refused
from tests.kube.fake_collection import FakeCollection
from wardgate.admin import AdminServer, Page, json_page
from wardgate.kube.api.client import Manifest
from wardgate.kube.api.errors import ConnectionFailed, KubeError
from wardgate.kube.api.pacing import Timing
from wardgate.kube.status.manifest import PROGRAMMED
from wardgate.kube.status.proxies import DiscoveredProxies, FixedProxies, Proxies, Update
from wardgate.kube.status.proxy_views import IDLE, ProxyEndpoint, programming_at
from wardgate.tasks import spawn


class FakeProxy:
    """One proxy's admin port. ``answer`` replaces the page."""

    def __init__(self) -> None:
        self.sequence = 1
        self.asked = 0
        self.answer: Page | None = None
        self._server = AdminServer(pages={"/revision": self._page, "/elsewhere": self._page}, local=frozenset())

    async def start(self) -> None:
        await self._server.start("127.0.0.1", 0)

    async def stop(self) -> None:
        await self._server.stop()

    @property
    def url(self) -> str:
        return f"http://{self._server.address}"

    def endpoint(self, name: str = "proxy", *, ready: bool = True) -> ProxyEndpoint:
        return ProxyEndpoint(name, self.url, ready)

    def _page(self) -> Page:
        self.asked += 1
        return self.answer or json_page({"revision": "r", "schema": "1.0", "sequence": self.sequence, "reads": [1]})


class PlayedSource:
    """Tells of endpoints when the test says so."""

    def __init__(self, *endpoints: ProxyEndpoint) -> None:
        self.first = endpoints
        self.update: Update = lambda endpoints: None

    async def follow(self, update: Update) -> None:
        self.update = update
        update(self.first)
        await asyncio.Event().wait()


class Bench:
    """Runs ``Proxies``; ``until`` waits for a change after which something is true."""

    def __init__(self, source: PlayedSource | FixedProxies) -> None:
        self._news = asyncio.Event()
        self.proxies = Proxies(source, changed=self._news.set, clock=asyncio.get_running_loop().time)

    async def until(self, probe: Callable[[], bool]) -> None:
        while not (self.proxies.views and probe()):
            await self._news.wait()
            self._news.clear()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Proxies]:
        task = spawn(self.proxies.run(), name="proxies")
        try:
            yield self.proxies
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _play(test: Callable[[FakeProxy], Awaitable[None]]) -> None:
    async def play() -> None:
        proxy = FakeProxy()
        await proxy.start()
        try:
            async with asyncio.timeout(10):
                await test(proxy)
        finally:
            await proxy.stop()

    asyncio.run(play())


def _all_serve(proxies: Proxies, sequence: int) -> bool:
    return programming_at(proxies.views, sequence, late=False) is PROGRAMMED


def test_proxy_is_asked_what_it_serves() -> None:
    async def test(proxy: FakeProxy) -> None:
        bench = Bench(FixedProxies([proxy.url + "/"]))
        async with bench.running() as proxies:
            await bench.until(lambda: _all_serve(proxies, 1))
            (view,) = proxies.views
            assert (proxy.url, True, proxy.url.removeprefix("http://")) == (
                view.endpoint.url,
                view.endpoint.ready,
                view.endpoint.name,
            )
            assert not _all_serve(proxies, 2)

    _play(test)


def test_awaited_sequence_is_noticed_at_once() -> None:
    async def test(proxy: FakeProxy) -> None:
        bench = Bench(FixedProxies([proxy.url]))
        async with bench.running() as proxies:
            await bench.until(lambda: _all_serve(proxies, 1))
            began = asyncio.get_running_loop().time()
            proxies.await_sequence(2)
            await asyncio.sleep(0.01)
            proxy.sequence = 2
            await bench.until(lambda: _all_serve(proxies, 2))
            assert asyncio.get_running_loop().time() - began < IDLE
            asked = proxy.asked
            proxies.await_sequence(2)
            await asyncio.sleep(0.25)
            assert asked == proxy.asked, "nothing is awaited any more"

    _play(test)


def test_proxies_are_asked_beside_each_other() -> None:
    async def test(proxy: FakeProxy) -> None:
        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()

        silent = await asyncio.start_server(never, "127.0.0.1", 0)
        host, port = silent.sockets[0].getsockname()[:2]
        stuck = ProxyEndpoint("stuck", f"http://{host}:{port}", ready=True)
        bench = Bench(PlayedSource(proxy.endpoint(), stuck))
        async with bench.running() as proxies:
            await bench.until(lambda: proxies.views[0].sequence == 1)
            assert "it was not asked yet" == proxies.views[1].trouble
            assert not _all_serve(proxies, 1)
            await bench.until(lambda: proxies.views[1].trouble == "its admin port does not answer within 1 s")
        silent.close()

    _play(test)


_LARGE = json.dumps({"reads": [1], "x": "y" * 70_000}).encode()


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Page(503, b"no"), "its admin port answers with status 503"),
        (Page(302, b"location: /elsewhere"), "its admin port answers with status 302"),
        (Page(200, b"{"), "its admin port answers with what no proxy says"),
        (Page(200, b"\xff"), "its admin port answers with what no proxy says"),
        (Page(200, b"[" * 60_000), "its admin port answers with what no proxy says"),
        (Page(200, b"[]"), "its admin port answers with what no proxy says"),
        (Page(200, _LARGE), "its admin port answers with what no proxy says"),
    ],
    ids=lambda value: value.body[:10] if isinstance(value, Page) else "",
)
def test_answer_that_is_none_counts_as_not_asked(answer: Page, trouble: str) -> None:
    async def test(proxy: FakeProxy) -> None:
        proxy.answer = answer
        bench = Bench(FixedProxies([proxy.url]))
        async with bench.running() as proxies:
            await bench.until(lambda: proxies.views[0].trouble != "it was not asked yet")
            assert (None, trouble) == (proxies.views[0].announced, proxies.views[0].trouble)

    _play(test)


def test_proxy_that_went_away_is_behind_and_found_again() -> None:
    async def test(proxy: FakeProxy) -> None:
        source = PlayedSource(proxy.endpoint())
        bench = Bench(source)
        async with bench.running() as proxies:
            await bench.until(lambda: _all_serve(proxies, 1))
            await proxy.stop()
            proxies.await_sequence(2)
            await bench.until(lambda: proxies.views[0].announced is None)
            assert "its admin port cannot be reached" == proxies.views[0].trouble
            other = FakeProxy()
            await other.start()
            other.sequence = 2
            source.update((other.endpoint(),))
            await bench.until(lambda: _all_serve(proxies, 2))
            await other.stop()

    _play(test)


def test_proxy_that_is_no_endpoint_any_more_is_not_asked() -> None:
    async def test(proxy: FakeProxy) -> None:
        source = PlayedSource(proxy.endpoint())
        bench = Bench(source)
        async with bench.running() as proxies:
            proxies.await_sequence(2)
            await bench.until(lambda: proxies.views[0].sequence == 1)
            source.update(())
            await asyncio.sleep(0.1)
            asked = proxy.asked
            await asyncio.sleep(0.3)
            assert ((), asked) == (proxies.views, proxy.asked)

    _play(test)


def test_what_is_known_outlives_a_change_of_readiness() -> None:
    async def test(proxy: FakeProxy) -> None:
        source = PlayedSource(proxy.endpoint(ready=False))
        bench = Bench(source)
        async with bench.running() as proxies:
            await bench.until(lambda: proxies.views[0].sequence == 1)
            assert not _all_serve(proxies, 1)
            source.update((proxy.endpoint(ready=True),))
            assert _all_serve(proxies, 1)

    _play(test)


def _slice(name: str, address: str) -> Manifest:
    return {
        "metadata": {"name": name},
        "addressType": "IPv4",
        "ports": [{"name": "admin", "port": 9901}],
        "endpoints": [{"addresses": [address], "conditions": {}, "targetRef": {"name": f"pod-{name}"}}],
    }


class FakeSlices(FakeCollection):
    """Goes by a script: every round is an error, or a list and the events of the watch after it, which then ends."""

    def __init__(self, *rounds: KubeError | tuple[list[Manifest], list[Manifest]]) -> None:
        super().__init__(version=7)
        self._rounds = list(rounds)
        self.on_list = self._begin_round

    def _begin_round(self) -> None:
        if not self._rounds:
            self.hold_lists = asyncio.Event()
            return
        current = self._rounds.pop(0)
        if isinstance(current, KubeError):
            raise current
        self.items, events = current
        self.next_news = [*events, None]


def _follow(slices: FakeSlices, *, slept: list[float] | None = None) -> list[tuple[str, ...]]:
    """What a source told, as names, until the script is over."""
    told: list[tuple[str, ...]] = []
    pauses = [] if slept is None else slept

    async def play() -> None:
        async def no_sleep(seconds: float) -> None:
            pauses.append(seconds)

        timing = Timing(sleep=no_sleep, random=lambda: 0.5)
        source = DiscoveredProxies(slices, namespace="wardgate", service="wardgate-proxy-admin", timing=timing)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await source.follow(lambda endpoints: told.append(tuple(one.name for one in endpoints)))

    asyncio.run(play())
    return told


def test_slices_are_listed_and_watched() -> None:
    slices = FakeSlices(
        (
            [_slice("a", "10.0.0.1")],
            [
                {"type": "ADDED", "object": _slice("b", "10.0.0.2")},
                {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}},
                {"type": "MODIFIED", "object": {**_slice("a", "10.0.0.1"), "endpoints": None}},
                {"type": "DELETED", "object": _slice("b", "10.0.0.2")},
                {"type": "DELETED", "object": _slice("b", "10.0.0.2")},
            ],
        )
    )

    assert [("pod-a",), ("pod-a", "pod-b"), ("pod-b",), (), ()] == _follow(slices)
    path = "/apis/discovery.k8s.io/v1/namespaces/wardgate/endpointslices"
    selector = {"labelSelector": "kubernetes.io/service-name=wardgate-proxy-admin"}
    assert [path, path] == slices.paths[:2]
    assert selector == slices.lists[0]
    assert {**selector, "resourceVersion": 7, "timeoutSeconds": 300} == slices.watches[0]
    assert slices.silences[0] > 60


def test_what_was_known_stays_while_the_api_server_is_away(caplog: pytest.LogCaptureFixture) -> None:
    slices = FakeSlices(
        ([_slice("a", "10.0.0.1")], []),
        ConnectionFailed("GET: refused"),
        refused(500),
        ([_slice("b", "10.0.0.2")], []),
    )

    assert [("pod-a",), ("pod-b",)] == _follow(slices)
    assert [] == caplog.messages


def test_attempts_to_find_proxies_come_slower_and_slower_and_not_all_at_once() -> None:
    slept: list[float] = []
    _follow(FakeSlices(*[ConnectionFailed("GET: refused")] * 9, ([], [])), slept=slept)

    cut = 1.0 - 0.5 * 0.5  # by the jitter: half of the half that it may take
    assert [cut * each for each in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 0.05)] == pytest.approx(slept)


def test_slice_that_is_none_is_no_failure_of_the_api_server() -> None:
    with pytest.raises(KeyError):
        _follow(FakeSlices(([{"kind": "EndpointSlice"}], [])))


def test_missing_right_to_find_proxies_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    forbidden = refused(403)
    slices = FakeSlices(forbidden, forbidden, ([], []), forbidden)

    assert [()] == _follow(slices)
    assert 2 == len(caplog.messages), "once for each time it was lost"
    assert "Grant get, list and watch on EndpointSlices in namespace wardgate." in caplog.text
