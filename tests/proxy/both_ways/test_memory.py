"""Nothing of a request is held once it is answered: not its key, its cookie, its query, its body, nor its answer.

The objects searched are those that lead from the gateway, with its open connections, and from the modules of the
product. So whatever remembers a request is found, wherever that is.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType

import pytest

from tests.proxy.both_ways.events import Connect, Conversation, Pass, Response, Send
from tests.proxy.both_ways.keys import GOOD, WRONG
from tests.proxy.both_ways.marks import mark
from tests.proxy.both_ways.oracle import FAST, GENERAL
from tests.proxy.both_ways.stage import Stage
from tests.proxy.both_ways.worlds import World

WORLD = World(only=("plain", "post"))
SECRETS = {
    "key": GOOD,
    "wrong key": WRONG,
    "query": b"secret-of-a-query",
    "cookie": b"secret-of-a-cookie",
    "field": b"secret-of-a-field",
    "field of a family": b"secret-of-a-family",
    "body": b"secret-of-a-body",
    "answer": b"secret-of-an-answer",
    "answered cookie": b"secret-of-an-answered-cookie",
}


def request(method: bytes, path: bytes, *, key: bytes = GOOD) -> Send:
    start = b"%b %b?q=%b HTTP/1.1\r\nHost: gw.example\r\nUser-Agent: curl\r\n" % (method, path, SECRETS["query"])
    fields = b"cookie: a=%b\r\nx-other: %b\r\napi-key: %b\r\n" % (SECRETS["cookie"], SECRETS["field"], key)
    fields += b"openai-api-key: %b\r\n" % SECRETS["field of a family"]
    body = SECRETS["body"] if method == b"POST" else b""
    return Send(1, start + fields + b"x-mark: %b\r\ncontent-length: %d\r\n\r\n" % (mark(1, 1), len(body)) + body)


def answers() -> Mapping[bytes, Response]:
    body = SECRETS["answer"]
    head = b"HTTP/1.1 200 OK\r\nset-cookie: s=%b\r\ncontent-length: %d\r\n\r\n" % (
        SECRETS["answered cookie"],
        len(body),
    )
    return {mark(1, 1): Response((head + body[:5], body[5:]))}


EVENTS = (
    Connect(1),
    *(request(b"GET", b"/plain"), request(b"POST", b"/plain"), request(b"GET", b"/post")) * 2,
    request(b"GET", b"/plain", key=WRONG),
)


def texts_of_the_product(gateway: object) -> Iterator[bytes]:
    """All bytes and texts that objects of the product hold; objects of the tests lead to conversations and are left."""
    modules = [vars(module) for name, module in list(sys.modules.items()) if name.startswith("wardgate")]
    left: list[object] = [gateway, *(value for each in modules for value in each.values())]
    seen = {id(vars(module)) for module in list(sys.modules.values())}
    while left:
        one = left.pop()
        if isinstance(one, bytes | bytearray):
            yield bytes(one)
        elif isinstance(one, str):
            yield one.encode("utf-8", "surrogatepass")
        elif id(one) not in seen and not isinstance(one, ModuleType) and not is_of_tests(one):
            seen.add(id(one))
            left += gc.get_referents(one)


def is_of_tests(one: object) -> bool:
    # The type of compiled functions has a descriptor there.
    return str(type(one).__module__).startswith("tests")


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("way", ["general", "fast"])
def test_nothing_of_an_answered_request_is_held(way: str, *, ended: bool) -> None:
    stage = Stage(Conversation(EVENTS, WORLD, dict(answers())), FAST if way == "fast" else GENERAL)
    if ended:
        stage.play()
    else:
        stage.perform()
    assert (way == "fast") is (stage.counters.prepared > 0)
    texts = list(texts_of_the_product(stage.gateway))
    assert len(texts) > 1000
    assert [] == [name for name, value in SECRETS.items() if any(value in text for text in texts)]


@pytest.mark.parametrize("way", ["general", "fast"])
def test_body_of_a_request_is_held_for_two_ticks_and_no_longer(way: str) -> None:
    """An upstream may think for minutes, and thousands of requests may wait."""
    held = {mark(1, 1): Response((b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",), held=True)}
    first = Send(1, b"GET /plain HTTP/1.1\r\nHost: gw.example\r\napi-key: %b\r\n\r\n" % GOOD)
    events = (Connect(1), first, request(b"POST", b"/plain"), Pass(1.0), Pass(1.0))
    counts = []
    for passed in (2, 0):
        stage = Stage(Conversation(events[: len(events) - passed], WORLD, held), FAST if way == "fast" else GENERAL)
        stage.perform()
        assert 1 == stage.counters.in_flight
        counts.append(sum(SECRETS["body"] in text for text in texts_of_the_product(stage.gateway)))
    assert [1, 0] == counts


def test_long_request_line_is_not_remembered() -> None:
    """Whoever has no key would fill the memory with thousands of them."""
    long = b"/plain/" + b"l" * 512
    stage = Stage(Conversation((Connect(1), *(request(b"GET", long),) * 3), WORLD), FAST)
    stage.play()
    assert not any(long in text for text in texts_of_the_product(stage.gateway.context.fast_path))
