"""The pipe between supervisor and worker: frames of any size, and sockets that travel with them."""

from __future__ import annotations

import asyncio
import os
import socket

from tests.proxy.io.bench import run, settle
from wardgate.proxy.channel import Channel
from wardgate.wire.framing import Frame


class End:
    """One end, and what it heard."""

    def __init__(self, sock: socket.socket) -> None:
        self.heard: list[tuple[Frame, int | None]] = []
        self.closed = 0
        self.channel = Channel(sock, on_frame=lambda *frame: self.heard.append(frame), on_close=self._close)
        self.channel.start()

    def _close(self) -> None:
        self.closed += 1


def pair() -> tuple[End, End]:
    left, right = socket.socketpair()
    return End(left), End(right)


def test_a_frame_larger_than_the_kernel_takes_arrives_whole() -> None:
    async def scenario() -> None:
        left, right = pair()
        payload = os.urandom(5_000_000)
        left.channel.send("group", {"name": "routes"}, payload=payload)
        assert not left.channel.flushed
        left.channel.send("commit", {"revision": "1"})
        await settle(lambda: len(right.heard) == 2)
        assert [frame.kind for frame, _ in right.heard] == ["group", "commit"]
        assert right.heard[0][0].payload == payload
        assert left.channel.flushed
        left.channel.close()
        right.channel.close()

    run(scenario())


def test_sockets_arrive_with_their_frames_in_order() -> None:
    async def scenario() -> None:
        left, right = pair()
        first, second = socket.socket(), socket.socket()
        for sock in (first, second):
            sock.bind(("127.0.0.1", 0))
        left.channel.send("group", payload=b"x" * 1_000_000)
        left.channel.send("listen", {"port": 1}, descriptor=first.fileno())
        left.channel.send("other")
        left.channel.send("listen", {"port": 2}, descriptor=second.fileno())
        await settle(lambda: len(right.heard) == 4)
        received = [socket.socket(fileno=fd) for _, fd in right.heard if fd is not None]
        assert [sock.getsockname() for sock in received] == [first.getsockname(), second.getsockname()]
        assert [frame.header.get("port") for frame, fd in right.heard if fd is not None] == [1, 2]
        for sock in (*received, first, second):
            sock.close()
        left.channel.close()
        right.channel.close()

    run(scenario())


def test_the_other_side_leaving_is_told_once() -> None:
    async def scenario() -> None:
        left, right = pair()
        left.channel.close()
        left.channel.close()
        await settle(lambda: right.closed == 1)
        right.channel.send("into the void")
        await asyncio.sleep(0)
        assert (left.closed, right.closed) == (0, 1)

    run(scenario())


def test_writing_to_who_left_is_an_end_and_no_error() -> None:
    async def scenario() -> None:
        ours, theirs = socket.socketpair()
        end = End(ours)
        theirs.close()
        for _ in range(3):
            end.channel.send("x", payload=b"y" * 1_000_000)
        await settle(lambda: end.closed == 1)

    run(scenario())
