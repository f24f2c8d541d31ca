"""The index is looked for as long as the proxy lives, whatever ends a watch."""

from __future__ import annotations

import pytest

from tests.kube.following import following
from tests.kube.published import bundle
from tests.kube.published_secrets import PublishedSecrets
from tests.kube.virtual_time import VirtualTime
from tests.proxy.io.bench import run
from wardgate.kube.api.errors import ApiError, ConnectionFailed, KubeError

AWAY = ConnectionFailed("GET /api: refused")
FORBIDDEN = ApiError("GET /api: 403 Forbidden: no", status=403, reason="Forbidden")


def test_watch_begins_where_the_list_ended_with_jitter_and_a_limit_of_silence() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        time.random = 0.5
        async with following(api, time=time) as at:
            await at.until(lambda: api.watching == 1)
            assert [
                {"fieldSelector": "metadata.name=wardgate-index", "resourceVersion": 100, "timeoutSeconds": 300}
            ] == api.watches
            assert [45.0] == api.silences

    run(scenario())


@pytest.mark.parametrize(
    "end",
    [None, ConnectionFailed("The watch broke: silence"), ApiError("watch: 410", status=410, reason="Expired")],
    ids=["timed-out", "broken", "expired"],
)
def test_whatever_ends_a_watch_the_index_is_looked_for_again(end: KubeError | None) -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with following(api, time=time) as at:
            await at.until(lambda: api.watching == 1)
            time.pass_time(60.0)
            api.tell(end)
            await at.until(lambda: len(time.slept) == 1)
            api.publish(bundle())
            time.pass_time(0.05)
            await at.serves(bundle())
            await at.until(lambda: api.watching == 1)
            assert ([0.05], True, 2) == (time.slept, at.delivery.connected, len(api.lists))
            assert [] == [text for text in at.proxy.announced if "API server" in text]

    run(scenario())


def test_server_that_is_away_is_asked_with_growing_delays_and_said_once() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        api.list_refusal = AWAY
        async with following(api, time=time) as at:
            for attempt in range(1, 10):
                await at.until(lambda wanted=attempt: len(time.slept) == wanted)  # type: ignore[misc]
                time.pass_time(time.slept[-1])
            assert [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0] == [round(delay, 6) for delay in time.slept]
            trouble = f"The API server does not answer as it should ({AWAY})."
            assert (False, trouble) == (at.delivery.connected, at.delivery.problem)
            assert [f"{trouble} Nothing is served until then."] == at.proxy.announced

            api.list_refusal = None
            api.publish(bundle())
            time.pass_time(5.0)
            await at.serves(bundle())
            await at.until(lambda: at.delivery.connected)
            assert ("", "The API server answers again.") == (at.delivery.problem, at.proxy.announced[-1])

    run(scenario())


def test_delays_are_cut_by_up_to_half() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        time.random = 1.0
        api.list_refusal = AWAY
        async with following(api, time=time) as at:
            await at.until(lambda: len(time.slept) == 1)
            assert [0.025] == time.slept

    run(scenario())


def test_watch_that_lasted_resets_the_delay() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with following(api, time=time) as at:
            for attempt in range(1, 4):
                await at.until(lambda: api.watching == 1)
                api.tell(None)
                await at.until(lambda wanted=attempt: len(time.slept) == wanted)  # type: ignore[misc]
                time.pass_time(1.0)
            await at.until(lambda: api.watching == 1)
            time.pass_time(5.0)
            api.tell(None)
            await at.until(lambda: len(time.slept) == 4)
            assert [0.05, 0.1, 0.2, 0.05] == time.slept

    run(scenario())


def test_missing_right_is_said_with_what_to_grant() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        api.list_refusal = FORBIDDEN
        async with following(api, time=time) as at:
            await at.complains()
            assert at.delivery.problem == (
                "The API server does not let this proxy see Secret wardgate-config/wardgate-index "
                "(GET /api: 403 Forbidden: no). Its ServiceAccount needs, in namespace wardgate-config: "
                "get on secrets; list and watch on the one of that name."
            )

    run(scenario())


def test_without_the_right_to_watch_the_config_is_still_found() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        api.watch_refusal = FORBIDDEN
        async with following(api, time=time) as at:
            await at.until(lambda: len(time.slept) == 1)
            api.publish(bundle())
            time.pass_time(0.05)
            await at.serves(bundle())
            assert not at.delivery.connected
            assert "does not let this proxy see" in at.delivery.problem

    run(scenario())


def test_error_nobody_foresaw_is_shown_and_the_index_looked_for_again() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        api.watch_refusal = ZeroDivisionError()
        async with following(api, time=time) as at:
            await at.until(lambda: "ZeroDivisionError" in at.delivery.problem)
            api.watch_refusal = None
            api.publish(bundle())
            time.pass_time(0.05)
            await at.serves(bundle())
            await at.until(lambda: at.delivery.connected)
            assert "" == at.delivery.problem

    run(scenario())


def test_bookmarks_and_words_nobody_knows_change_nothing() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        api.publish(bundle())
        async with following(api, time=time) as at:
            await at.until(lambda: api.watching == 1)
            await at.serves(bundle())
            api.tell({"type": "BOOKMARK", "object": {"kind": "Secret"}})
            api.tell({"type": "NEW", "object": {}})
            await at.rest()
            assert ("", 1) == (at.delivery.problem, api.watching)

    run(scenario())
