"""Requests to the API server: what comes back, what is raised, which connections and tokens are used."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import web

from tests.kube.fake_http_api import Answer, FakeHttpApi, for_ever, serving
from wardgate.kube.api import client as client_module
from wardgate.kube.api.access import Access, NoAccess
from wardgate.kube.api.client import KubeClient, api_error
from wardgate.kube.api.connect import connect
from wardgate.kube.api.connections import ApiConnector
from wardgate.kube.api.errors import ApiError, ConnectionFailed, KubeError
from wardgate.tasks import spawn

PATH = "/api/v1/secrets"


def with_server(answer: Answer, scenario: Callable[[FakeHttpApi, KubeClient], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), serving(answer) as (api, client):
            await scenario(api, client)

    asyncio.run(main())


def answers(status: int, **body: Any) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


def streams(*pieces: bytes, then: Callable[[], Awaitable[None]] | None = None, cut: bool = False) -> Answer:
    """A watch that sends these pieces."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0.01)
        if then is not None:
            await then()
        if cut:
            assert request.transport is not None
            request.transport.abort()
        return response

    return answer


async def watched(client: KubeClient, *, silence: float = 5.0) -> AsyncIterator[dict[str, Any]]:
    async with client.watch(PATH, {"resourceVersion": 5}, silence=silence) as events:
        async for event in events:
            yield event


class TestAnswers:
    def test_object_is_given(self) -> None:
        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            assert {"kind": "Secret"} == await client.get(PATH, {"limit": 1})
            assert ["GET /api/v1/secrets?limit=1"] == api.requests

        with_server(answers(200, kind="Secret"), scenario)

    def test_list_is_given_page_by_page(self) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            page = int(request.query.get("continue", "0"))
            metadata = {"resourceVersion": "9", **({"continue": str(page + 1)} if page < 2 else {})}
            return web.json_response({"metadata": metadata, "items": [page]})

        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            pages = [page async for page in client.pages(PATH, {"labelSelector": "a=b"})]
            assert [[0], [1], [2]] == [page["items"] for page in pages]
            assert all("labelSelector=a%3Db&limit=500" in request for request in api.requests)

        with_server(answer, scenario)

    @pytest.mark.parametrize(("status", "counted"), [(403, 1), (404, 0), (409, 0), (410, 1), (500, 1)])
    def test_refusal_is_raised_with_status_and_reason(self, status: int, counted: int) -> None:
        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ApiError, match=f"GET {PATH}: {status} Why: because") as raised:
                await client.get(PATH)
            assert (status, "Why") == (raised.value.status, raised.value.reason)
            assert counted == client.errors

        with_server(answers(status, code=status, reason="Why", message="because"), scenario)

    def test_refusal_that_is_no_status_keeps_its_code(self) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=502, text="<html>")

        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ApiError, match="502 : no message") as raised:
                await client.get(PATH)
            assert raised.value.status == 502

        with_server(answer, scenario)

    def test_answer_that_is_no_json_is_a_failed_connection(self) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(text="sk-secret")

        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ConnectionFailed) as raised:
                await client.get(PATH)
            assert "sk-secret" not in str(raised.value)

        with_server(answer, scenario)

    def test_deleting_what_is_gone_is_no_failure(self) -> None:
        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            await client.delete(f"{PATH}/a")

        with_server(answers(404, code=404), scenario)

    def test_deletion_that_is_refused_is_told(self) -> None:
        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ApiError):
                await client.delete(f"{PATH}/a")

        with_server(answers(403, code=403), scenario)

    def test_bodies_are_sent_as_what_they_are(self) -> None:
        seen: list[tuple[str, str, Any]] = []

        async def answer(request: web.Request) -> web.StreamResponse:
            seen.append((request.method, request.headers["Content-Type"], await request.json()))
            return web.json_response({})

        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            await client.create(PATH, {"a": 1})
            await client.replace(PATH, {"b": 2})
            await client.merge_patch(PATH, {"c": None})

        with_server(answer, scenario)
        assert [
            ("POST", "application/json", {"a": 1}),
            ("PUT", "application/json", {"b": 2}),
            ("PATCH", "application/merge-patch+json", {"c": None}),
        ] == seen

    def test_server_that_is_away_is_a_failed_connection(self) -> None:
        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            api.url = "http://127.0.0.1:1"
            with pytest.raises(ConnectionFailed, match="GET /api/v1/secrets: ClientConnectorError"):
                await client.get(PATH)

        with_server(answers(200), scenario)

    def test_credentials_that_cannot_be_read_are_a_failed_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def fail() -> None:
            raise NoAccess("no file")

        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            monkeypatch.setattr(client, "_load", fail)
            with pytest.raises(ConnectionFailed, match="no file"):
                await client.get(PATH)

        with_server(answers(200), scenario)


class TestWatches:
    def test_events_of_any_size_come_one_by_one(self) -> None:
        big = {"type": "ADDED", "object": {"data": "x" * 300_000}}
        text = json.dumps(big).encode() + b"\n" + b'{"type": "BOOKMARK"}\n\n'

        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            assert [big, {"type": "BOOKMARK"}] == [event async for event in watched(client)]
            assert ["GET /api/v1/secrets?watch=true&allowWatchBookmarks=true&resourceVersion=5"] == api.requests

        with_server(streams(text[:100], text[100:200_000], text[200_000:]), scenario)

    def test_end_in_order_is_no_failure(self) -> None:
        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            assert [] == [event async for event in watched(client)]

        with_server(streams(), scenario)

    def test_broken_stream_is_a_failed_connection(self) -> None:
        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ConnectionFailed, match="The watch broke: "):
                assert [{}] == [event async for event in watched(client)]

        with_server(streams(b"{}\n", cut=True), scenario)

    def test_silence_is_a_failed_connection(self) -> None:
        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ConnectionFailed, match="silent for too long"):
                assert [{}] == [event async for event in watched(client, silence=0.1)]

        with_server(streams(b"{}\n", then=_wait), scenario)

    def test_event_of_an_error_is_raised(self) -> None:
        event = {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}

        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ApiError, match="watch: 410 Expired: too old") as raised:
                assert [] == [event async for event in watched(client)]
            assert raised.value.is_expired

        with_server(streams(json.dumps(event).encode() + b"\n"), scenario)

    def test_what_is_no_event_is_a_failed_connection_and_is_not_quoted(self) -> None:
        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ConnectionFailed) as raised:
                assert [] == [event async for event in watched(client)]
            assert str(raised.value) == "The watch broke: an event is not JSON."

        with_server(streams(b"sk-secret\n"), scenario)

    def test_refused_watch_is_raised(self) -> None:
        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ApiError) as raised:
                assert [] == [event async for event in watched(client)]
            assert raised.value.is_forbidden

        with_server(answers(403, code=403), scenario)

    def test_watch_that_does_not_begin_fails_in_the_time_of_any_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client_module, "ANSWER", 0.1)

        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ConnectionFailed, match="TimeoutError"):
                assert [] == [event async for event in watched(client, silence=60)]

        with_server(for_ever, scenario)


def stands_still(writer: asyncio.StreamWriter, held: list[asyncio.StreamWriter]) -> None:
    assert isinstance(writer.transport, asyncio.Transport)
    writer.transport.pause_reading()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    held.append(writer)


class TestConnections:
    def test_connection_is_used_again(self) -> None:
        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            await client.get(PATH)
            await client.get(PATH)
            assert len(set(api.peers)) == 1

        with_server(answers(200), scenario)

    def test_connection_is_noted_once_however_often_it_is_used(self) -> None:
        async def scenario(api: FakeHttpApi, _client: KubeClient) -> None:
            connector = ApiConnector(context=ssl.create_default_context())
            async with aiohttp.ClientSession(connector=connector) as session:
                for _ in range(5):
                    async with session.get(api.url + PATH) as response:
                        await response.read()
                assert len(connector._opened) == 1

        with_server(answers(200), scenario)

    @pytest.mark.parametrize("closes", [0, 1, 2])
    def test_connection_to_a_peer_that_stands_still_ends_at_once(self, closes: int, tmp_path: Path) -> None:
        async def scenario() -> None:
            authority = trustme.CA()
            authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
            inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("localhost").configure_cert(inside)
            held: list[asyncio.StreamWriter] = []
            server = await asyncio.start_server(
                lambda _, writer: stands_still(writer, held), "127.0.0.1", 0, ssl=inside
            )
            port = server.sockets[0].getsockname()[1]
            connector = ApiConnector(context=ssl.create_default_context(cafile=tmp_path / "ca.pem"))
            async with aiohttp.ClientSession(connector=connector) as session:
                response = await session.get(f"https://localhost:{port}/")
                assert response.connection is not None
                transport = response.connection.transport
                assert transport is not None
                # A request that is cancelled closes it, and after it whoever gives its connection back.
                for _ in range(closes):
                    transport.close()
                response.close()
            await connector.end()
            assert [-1] == [each.fileno() for each in connector._opened]
            for writer in held:
                writer.transport.abort()
            server.close()
            await asyncio.sleep(0)

        asyncio.run(scenario())

    @pytest.mark.parametrize(("names", "accepted"), [(("localhost",), True), ((), False)])
    def test_name_in_the_common_name_alone_proves_nothing(
        self, names: tuple[str, ...], tmp_path: Path, *, accepted: bool
    ) -> None:
        async def scenario() -> None:
            authority = trustme.CA()
            authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
            inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(*names, common_name="localhost").configure_cert(inside)
            server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=inside)
            port = server.sockets[0].getsockname()[1]
            connector = ApiConnector(context=ssl.create_default_context(cafile=tmp_path / "ca.pem"))
            refused = aiohttp.ServerDisconnectedError if accepted else aiohttp.ClientConnectorCertificateError
            async with aiohttp.ClientSession(connector=connector) as session:
                with pytest.raises(refused):
                    await session.get(f"https://localhost:{port}/")
            server.close()

        asyncio.run(scenario())

    def test_probes_and_pages_have_one_of_their_own(self) -> None:
        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            await client.get(PATH)
            await client.probe(PATH, limit=5)
            assert [{"metadata": {}}] == [page async for page in client.pages(PATH)]
            assert len(set(api.peers)) == 3

        with_server(answers(200, metadata={}), scenario)

    def test_proxy_of_the_environment_is_used_unless_the_server_is_excepted(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def scenario(proxy: FakeHttpApi, client: KubeClient) -> None:
            monkeypatch.setenv("http_proxy", proxy.url)
            monkeypatch.setenv("no_proxy", "192.0.2.8")
            proxy.url = "http://192.0.2.7"
            await client.get(PATH)
            assert ["GET /api/v1/secrets"] == proxy.requests
            excepted = KubeClient(FakeHttpApi(answers(200), "http://192.0.2.8:1").load, user_agent="tests")
            with pytest.raises(ConnectionFailed):
                await excepted.probe(PATH, limit=0.1)
            await excepted.close()
            assert len(proxy.requests) == 1

        with_server(answers(200), scenario)

    def test_password_of_a_proxy_is_sent_to_it_and_printed_nowhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        heads: list[bytes] = []

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()

        async def scenario() -> None:
            async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                monkeypatch.setenv("https_proxy", f"http://somebody:hunter2@127.0.0.1:{port}")
                client = KubeClient(FakeHttpApi(answers(200), "https://192.0.2.7").load, user_agent="tests")
                with pytest.raises(ConnectionFailed, match="407") as refused:
                    await client.get(PATH)
                assert "hunter2" not in f"{refused.value} {refused.value.__cause__} {refused.value.__context__}"
                await client.close()

        asyncio.run(scenario())
        assert heads[0].startswith(b"CONNECT 192.0.2.7:443 HTTP/1.1")
        assert b"Proxy-Authorization: Basic c29tZWJvZHk6aHVudGVyMg==" in heads[0]

    def test_password_of_a_netrc_file_is_not_sent(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password hunter2\n", encoding="ascii")
            monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
            api.tokens = [""]
            await client.get(PATH)
            assert [""] == api.seen_tokens

        with_server(answers(200), scenario)

    def test_probe_is_over_when_its_time_is_up(self) -> None:
        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ConnectionFailed, match="TimeoutError"):
                await client.probe(PATH, limit=0.05)

        with_server(for_ever, scenario)

    def test_after_a_request_without_an_answer_no_older_connection_is_used(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client_module, "ANSWER", 0.2)

        async def answer(request: web.Request) -> web.StreamResponse:
            if request.path.endswith("/hang"):
                return await for_ever(request)
            return web.json_response({})

        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            await asyncio.gather(client.get("/a"), client.get("/b"))
            with pytest.raises(ConnectionFailed):
                await client.get("/hang")
            before = set(api.peers)
            await client.get("/c")
            assert api.peers[-1] not in before

        with_server(answer, scenario)

    def test_cancellation_is_one_although_the_authority_cannot_be_read_any_more(self, tmp_path: Path) -> None:
        """Whoever cancelled it would otherwise wait for what has taken it for a failure, and tries again."""
        authority = tmp_path / "ca.crt"
        trustme.CA().cert_pem.write_to_path(str(authority))

        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            async def load() -> Access:
                return Access(await client.server(), ca_file=str(authority))

            other = KubeClient(load, user_agent="wardgate-test")
            asking = spawn(other.get("/hang"), name="ask")
            while not api.peers:  # noqa: ASYNC110 - what is awaited has no event
                await asyncio.sleep(0.001)
            authority.unlink()
            asking.cancel()
            await asyncio.wait({asking})
            assert asking.cancelled()
            with pytest.raises(ConnectionFailed, match="FileNotFoundError"):
                await other.get("/hang")
            await other.close()

        with_server(for_ever, scenario)

    def test_more_requests_at_once_than_any_pool_has_places(self) -> None:
        waiting = 0
        all_there = asyncio.Event()

        async def answer(_: web.Request) -> web.StreamResponse:
            nonlocal waiting
            waiting += 1
            if waiting == 150:
                all_there.set()
            await all_there.wait()
            return web.json_response({})

        async def scenario(_: FakeHttpApi, client: KubeClient) -> None:
            await asyncio.gather(*(client.get(PATH) for _ in range(150)))

        with_server(answer, scenario)


class TestTokens:
    def test_token_is_sent(self) -> None:
        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            await client.get(PATH)
            assert ["Bearer first"] == api.seen_tokens

        with_server(answers(200), scenario)

    def test_token_is_read_again_every_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            api.tokens = ["first", "second"]
            await client.get(PATH)
            later(monkeypatch, 61)
            await client.get(PATH)
            assert ["Bearer first", "Bearer second"] == api.seen_tokens
            assert "second" == (await client.access()).authorization.removeprefix("Bearer ")

        with_server(answers(200), scenario)

    def test_token_that_is_refused_is_read_again_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            status = 200 if request.headers["Authorization"] == "Bearer second" else 401
            return web.json_response({}, status=status)

        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            api.tokens = ["first", "second"]
            await client.access()
            later(monkeypatch, 2)
            assert {} == await client.get(PATH)

        with_server(answer, scenario)

    def test_token_that_stays_refused_is_an_error(self) -> None:
        async def scenario(api: FakeHttpApi, client: KubeClient) -> None:
            with pytest.raises(ApiError) as raised:
                await client.get(PATH)
            assert raised.value.is_forbidden

        with_server(answers(401, code=401), scenario)


class TestConnect:
    def test_missing_cluster_is_told_with_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(KubeError, match=r"No cluster to talk to: .* name a kubeconfig with --kubeconfig"):
            asyncio.run(connect(kubeconfig=str(tmp_path / "none.yaml")))

    def test_server_is_that_of_the_kubeconfig(self, tmp_path: Path) -> None:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": "https://192.0.2.7:6443"}}],
            "users": [{"name": "me", "user": {"token": "t"}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        }
        path = tmp_path / "kubeconfig.yaml"
        path.write_text(json.dumps(config), encoding="ascii")

        async def main() -> str:
            client = await connect(kubeconfig=str(path))
            return await client.server()

        assert asyncio.run(main()) == "https://192.0.2.7:6443"


def test_error_of_something_that_is_no_status_says_so() -> None:
    error = api_error("watch", "nonsense")
    assert (0, "", "watch: 0 : no message") == (error.status, error.reason, str(error))


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Put the client's clock forward; the loop's own stays."""
    monkeypatch.setattr("wardgate.kube.api.client.time", SimpleNamespace(monotonic=lambda: time.monotonic() + seconds))


async def _wait() -> None:
    await asyncio.Event().wait()
