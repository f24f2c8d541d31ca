"""Scripts for wrk and what is read from it; the caller and the event source."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from benchmarks.gateways.load import scripts
from benchmarks.gateways.load.caller import Caller, CallerError
from benchmarks.gateways.load.wrk import Burst, LoadError, checked, read
from benchmarks.gateways.peers.site import Size, key

OUTPUT = """\
Running 1s test @ http://127.0.0.1:20001
  1 threads and 64 connections
RESULT {"requests": 100, "microseconds": 1000200, "refused": 0, "broken": 0, "p50": 900, "p99": 2100}
"""


def unquoted(text: str) -> str:
    """Read a string of Lua."""
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), text)


def heads(script: str) -> list[str]:
    return [unquoted(one) for one in re.findall(r'"((?:[A-Z]+ /(?:\\.|[^"\\])*))"', script)]


def test_a_text_is_written_as_a_string_of_lua() -> None:
    text = 'a "quoted" \\ line\r\nand another'

    assert r'"a \"quoted\" \\ line\r\nand another"' == scripts.quoted(text)
    assert text == unquoted(scripts.quoted(text)[1:-1])


@pytest.mark.parametrize(
    "script", [scripts.differing(3), scripts.shaped(3), scripts.sized(2048), scripts.reading(500_000)]
)
def test_a_head_is_whole_but_for_its_end(script: str) -> None:
    (head,) = heads(script)
    first, *lines = head.split("\r\n")

    assert re.fullmatch(r"POST /(t0|shaped)/\w+ HTTP/1\.1", first)
    assert f"api-key: {key(0)}" in lines
    assert [] == [line for line in lines[:-1] if not re.fullmatch(r"[a-z-]+: \S.*", line)]
    assert "" == lines[-1]


@pytest.mark.parametrize("upload", [2048, 500 * 1024])
def test_a_body_has_its_size_and_its_length(upload: int) -> None:
    script = scripts.sized(upload)
    body = unquoted(re.findall(r"\.\. \"((?:\\.|[^\"\\])*)\"\n", script)[0])

    assert upload == len(body)
    assert f"content-length: {upload}\r\n" in heads(script)[0]


def test_the_same_request_has_one_host_and_a_key_that_is_good_or_bad() -> None:
    good, bad = scripts.same(), scripts.same(good=False)

    assert 1 == good.lower().count('headers["host"]')
    assert f'"{key(0)}"' in good
    assert f'"{key(0)}"' not in bad
    assert "delay" not in good
    assert good + "delay = function() return math.random(0, 20) end\n" == scripts.paced(good, 10)


def test_active_callers_are_spread_over_all_of_them() -> None:
    script = scripts.spread(Size(routes=10, keys=1000), active=100, seed=4)

    assert "(math.random(100) - 1) * 10" in script
    assert "key % 10, rest, key" in script


def test_the_result_is_read_from_what_wrk_prints() -> None:
    assert Burst(100, 1000200, refused=0, broken=0, p50=900, p99=2100) == read(OUTPUT)


def test_no_result_is_an_error_that_holds_what_wrk_said() -> None:
    with pytest.raises(LoadError, match="unable to connect"):
        read("unable to connect to 127.0.0.1:20001 Connection refused\n")


@pytest.mark.parametrize(
    ("refused", "broken", "all_refused", "good"),
    [
        (0, 0, False, True),
        (1, 0, False, False),
        (0, 1, False, False),
        (100, 0, True, True),
        (99, 0, True, False),
        (100, 1, True, False),
    ],
)
def test_one_wrong_response_spoils_a_burst(*, refused: int, broken: int, all_refused: bool, good: bool) -> None:
    burst = Burst(100, 1_000_000, refused=refused, broken=broken, p50=1, p99=2)
    if good:
        assert burst == checked(burst, all_refused=all_refused)
        return
    with pytest.raises(LoadError):
        checked(burst, all_refused=all_refused)


def test_a_burst_without_a_request_is_an_error() -> None:
    with pytest.raises(LoadError):
        checked(Burst(0, 1_000_000, refused=0, broken=0, p50=0, p99=0), all_refused=False)


@pytest.fixture(name="peer")
def listening_socket() -> Iterator[socket.socket]:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(10)
        yield listener


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", "401"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "not 200 with a length"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab", "ended"),
    ],
)
def test_a_caller_takes_nothing_but_a_whole_200(peer: socket.socket, response: bytes, said: str) -> None:
    caller = Caller(peer.getsockname()[1])
    accepted, _ = peer.accept()
    with accepted:
        accepted.sendall(response)
        accepted.shutdown(socket.SHUT_WR)
        with pytest.raises(CallerError, match=said):
            caller.get("/")
        caller.close()


def test_a_caller_returns_the_body(peer: socket.socket) -> None:
    caller = Caller(peer.getsockname()[1])
    accepted, _ = peer.accept()
    with accepted:
        accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello")

        assert "Hello" == caller.post("/t0/chat", b"question")
        assert accepted.recv(65536).endswith(b"content-length: 8\r\n\r\nquestion")
        caller.close()
