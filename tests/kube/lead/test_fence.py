"""A Secret with one writer at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.kube.fake_api_server import FakeApiServer, FakeClient, lose_answer, refused
from wardgate.kube.api.errors import ApiError, ConnectionFailed
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.delivery.index import Manifest
from wardgate.kube.lead.fence import Deposed, FencedSecret

PATH = SECRETS.path("config", "one")


def fenced(client: FakeClient, writer: str = "a") -> FencedSecret:
    def is_ours(secret: Mapping[str, Any]) -> bool:
        return secret["data"]["writer"] in {writer, "nobody"}

    return FencedSecret(client, namespace="config", name="one", is_ours=is_ours)


async def write(fence: FencedSecret, text: str, writer: str = "a") -> None:
    def make(version: str | None) -> Manifest:
        metadata = {"name": "one", **({} if version is None else {"resourceVersion": version})}
        return {"metadata": metadata, "data": {"writer": writer, "text": text}}

    await fence.write(make)


def text_in(api: FakeApiServer) -> object:
    return api.get(PATH)["data"]["text"]


def test_first_write_creates_and_later_ones_replace() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        client = FakeClient(api)
        fence = fenced(client)
        await write(fence, "1")
        await write(fence, "2")
        assert ["POST secrets", "PUT one"] == client.requests
        assert "2" == text_in(api)

    asyncio.run(scenario())


def test_versions_of_our_own_are_known() -> None:
    async def scenario() -> None:
        fence = fenced(FakeClient(FakeApiServer()))
        await write(fence, "1")
        first = fence.version
        await write(fence, "2")
        assert first is not None
        assert fence.wrote(first)
        assert fence.wrote(str(fence.version))
        assert not fence.wrote("1")

    asyncio.run(scenario())


def test_older_versions_of_our_own_count_for_nothing_once_history_is_another() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        fence = fenced(FakeClient(api))
        await write(fence, "1")
        first = str(fence.version)
        await write(fence, "2")
        api.replace(PATH, {"metadata": {"name": "one"}, "data": {"writer": "nobody"}})
        await fence.read()
        assert not fence.wrote(first)

    asyncio.run(scenario())


def test_reading_what_we_wrote_changes_nothing() -> None:
    async def scenario() -> None:
        fence = fenced(FakeClient(FakeApiServer()))
        await write(fence, "1")
        first = str(fence.version)
        await fence.read()
        assert fence.wrote(first)

    asyncio.run(scenario())


def test_other_writers_version_is_not_written_over() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        fence = fenced(FakeClient(api))
        await write(fence, "1")
        other = fenced(FakeClient(api), "b")
        await other.read()
        await write(other, "2", "b")
        with pytest.raises(Deposed, match="Secret one was written by another operator"):
            await write(fence, "3")
        assert "2" == text_in(api)

    asyncio.run(scenario())


def test_secret_that_appeared_meanwhile_is_not_written_over() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        fence = fenced(FakeClient(api))
        assert await fence.read() is None
        await write(fenced(FakeClient(api), "b"), "2", "b")
        with pytest.raises(Deposed):
            await write(fence, "3")
        assert "2" == text_in(api)

    asyncio.run(scenario())


def test_damaged_secret_is_written_over() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        fence = fenced(FakeClient(api))
        await write(fence, "1")
        api.replace(PATH, {"metadata": {"name": "one"}, "data": {"writer": "nobody"}})
        await write(fence, "2")
        assert "2" == text_in(api)

    asyncio.run(scenario())


def test_deleted_secret_is_created_again() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        fence = fenced(FakeClient(api))
        await write(fence, "1")
        api.delete(PATH)
        await write(fence, "2")
        assert "2" == text_in(api)

    asyncio.run(scenario())


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_own_write_whose_answer_was_lost_is_written_over(method: str) -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        client = FakeClient(api)
        fence = fenced(client)
        if method == "PUT":
            await write(fence, "0")
        client.after = lose_answer(method, "secrets")
        with pytest.raises(ConnectionFailed):
            await write(fence, "1")
        await write(fence, "2")
        assert "2" == text_in(api)

    asyncio.run(scenario())


def test_error_that_says_nothing_of_other_writers_is_raised_as_it_is() -> None:
    async def scenario() -> None:
        client = FakeClient(FakeApiServer())

        def forbid(method: str, path: str) -> None:
            raise refused(403, "Forbidden")

        client.before = forbid
        with pytest.raises(ApiError, match="403") as caught:
            await write(fenced(client), "1")
        assert not isinstance(caught.value, Deposed)
        with pytest.raises(ApiError, match="403"):
            await fenced(client).read()
        assert ["POST secrets", "GET one"] == client.requests

    asyncio.run(scenario())


def test_namespace_that_does_not_exist_is_an_error_and_not_another_writer() -> None:
    async def scenario() -> None:
        client = FakeClient(FakeApiServer())

        def no_namespace(method: str, path: str) -> None:
            raise refused(404, "NotFound")

        client.before = no_namespace
        with pytest.raises(ApiError, match="404"):
            await write(fenced(client), "1")
        assert 3 == client.requests.count("POST secrets")

    asyncio.run(scenario())
