"""Heads with bytes and lines changed, after ones that are remembered: both ways read the same, or the fast one nothing.

Most of what smuggles a request is one byte, or one line in another place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import pytest

from tests.proxy.core.fast_path import test_plain_responses as responses
from tests.proxy.core.fast_path.both import INJECT, KEY_LINE, OTHER_KEY, Both, config, get, plan, route
from wardgate.ir import Forward, HeaderTemplate, MessageTemplate, TransformationPlan, WeightedUpstream

END: Final = b"\r\n\r\n"
PUT: Final = (
    *(b"\r", b"\n", b"\r\n", b"\x00", b"\t", b" ", b":", b"\x0b", b"%", b"?", b"#", b"_", b"-", b"\xff"),
    *(b"\r\n ", b"\n\n", END, b"0", b"A", b",", b"basic a", b""),
)
LINES: Final = (
    *(b"Host: evil", b"content-length: 5", b"Content-Length: 0", b"content-length:5", b"transfer-encoding: chunked"),
    *(b"Transfer_Encoding: chunked", b"content_length: 1", b"connection: api-key", b"connection: close"),
    *(KEY_LINE, KEY_LINE.upper(), KEY_LINE.replace(b"-", b"_", 1), b"x-token: forged", b"X_Token: forged"),
    *(b"%b: %b" % (name, KEY_LINE[9:]) for name in (b"accept", b"traceparent", b"x-request-id", b"cookie", b"x-copy")),
    *(b"x-user-id: me", b"expect: 100-continue", b"upgrade: h2c", b"te: trailers", b"x-forwarded-for: 192.0.2.1"),
    *(b"HTTP/1.1 200 OK", b"keep-alive: timeout=5", b"wardgate_error_source: gateway", b"content-length: 02"),
)
READ: Final = TransformationPlan(
    "inject", "pre", request=MessageTemplate(headers=(HeaderTemplate("x-a", '<{{ header("accept") }}>'),))
)
WEIGHTED: Final = Forward((WeightedUpstream("provider", 3), WeightedUpstream("second", 1)))
CONFIGS: Final[Sequence[Callable[[], Both]]] = (
    Both,
    lambda: Both(config(transformations=(READ,))),
    lambda: Both(config(auth=plan("authorization"), transformations=(INJECT,))),
    lambda: Both(config(route(action=WEIGHTED)), drawn=3),
)
REQUESTS: Final = (
    get(
        b"Accept: */*", b"User-Agent: a", b"Connection: keep-alive", KEY_LINE, b"X-Odd: of mine", b"traceparent: 00-ab"
    ),
    get(KEY_LINE, b"accept: a", b"X-Request-ID: mine", start=b"GET /v1/chat?stream=true HTTP/1.1"),
    get(KEY_LINE, b"accept: a", b"content-length: 5", start=b"PUT /v1/%63hat HTTP/1.1", body=b"hello"),
    get(b"Authorization: Bearer " + KEY_LINE[9:], b"accept: a", b"content-type: a/b"),
    get(b"api-key: " + OTHER_KEY.encode(), b"accept: a", start=b"GET http://gw.test/v1/chat HTTP/1.1"),
    get(b"api-key: nobody", b"accept: a", b"User-Agent: a"),
)


def mutated(data: bytes, choices: Random) -> bytes:
    """Change one thing: a byte or a few, a line more, two lines in each other's place, an end, something behind it."""
    head, end, body = data.partition(END)
    lines = head.split(b"\r\n")
    kind = choices.randrange(6)
    if kind < 2:
        at = choices.randrange(len(head) + len(end) + 1)
        return data[:at] + choices.choice(PUT) + data[at + choices.randrange(2) :]
    if kind == 2:
        lines.insert(choices.randrange(len(lines) + 1), choices.choice(LINES))
    elif kind == 3:
        one, other = choices.randrange(len(lines)), choices.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
    elif kind == 4:
        return data[: choices.randrange(len(data) + 1)]
    else:
        return data + choices.choice((b"\r\n", b"x", data))
    return b"\r\n".join(lines) + end + body


def some(of: Sequence[bytes], choices: Random) -> list[bytes]:
    """A few of them again and again, with little changed."""
    few = choices.sample(of, 3)
    found = []
    for _ in range(150):
        data = choices.choice(few)
        for _ in range(choices.choice((0, 0, 1, 1, 2))):
            data = mutated(data, choices)
        found.append(data)
    return found


@pytest.mark.no_cover
def test_request_with_little_changed_is_the_same_both_ways_or_plain_on_none() -> None:
    choices, plain = Random(84), 0
    for number in range(40):
        both = CONFIGS[number % len(CONFIGS)]()
        for data in some(REQUESTS, choices):
            read = both.lane.read(data, now=0.0)
            if read is None or read.missing:
                continue
            plain += 1
            sent = None if read.refusal is not None else read.written(data, dialled=b"", told=b"")
            assert both.general(data) == sent, data
            if read.refusal is not None:
                assert both.refusal(data) == read.refusal.reply, data
    assert plain > 1000


@pytest.mark.no_cover
def test_response_with_little_changed_is_the_same_both_ways_or_plain_on_none() -> None:
    choices, plain = Random(84), 0
    for _ in range(40):
        both = responses.Both()
        for data in some(responses.PLAIN, choices):
            fast = both.fast(data)
            if fast is not None:
                plain += 1
                assert both.general(data) == fast, data
    assert plain > 1000
