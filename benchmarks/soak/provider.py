"""The upstream of the trials: ``python -m benchmarks.soak.provider PORT``.

``/stream?events=N&every=SECONDS`` sends events, ``/download?bytes=N`` zeros as fast as they are taken, and a POST to
``/upload?rate=N`` takes so many bytes a second and answers with their number. Anything else is answered at once.
"""

from __future__ import annotations

import asyncio
import re
import sys
from urllib.parse import parse_qs, urlsplit

import uvloop

ANSWER = b'{"answer": "42"}'
_PIECE = 64 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection until it ends."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            url = urlsplit(head.split(b" ", 2)[1].decode())
            numbers = {name: float(values[0]) for name, values in parse_qs(url.query).items()}
            length = _LENGTH.search(head)
            size = int(length[1]) if length else 0
            if url.path == "/upload":
                await _take_slowly(reader, size, rate=numbers["rate"])
            else:
                await reader.readexactly(size)
            if url.path == "/stream":
                await _stream(writer, events=int(numbers["events"]), every=numbers["every"])
            elif url.path == "/download":
                await _send(writer, int(numbers["bytes"]))
            else:
                writer.write(_head(len(ANSWER)) + ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def _head(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % length


async def _take_slowly(reader: asyncio.StreamReader, size: int, *, rate: float) -> None:
    loop = asyncio.get_running_loop()
    began, taken = loop.time(), 0
    while taken < size:
        taken += len(await reader.read(min(_PIECE, size - taken)) or b"x" * size)
        await asyncio.sleep(max(0.0, began + taken / rate - loop.time()))


async def _stream(writer: asyncio.StreamWriter, *, events: int, every: float) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    for number in range(events):
        event = b"data: %d\n\n" % number
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))
        await writer.drain()
        await asyncio.sleep(every)
    writer.write(b"0\r\n\r\n")


async def _send(writer: asyncio.StreamWriter, size: int) -> None:
    writer.write(_head(size))
    while size:
        piece = min(_PIECE, size)
        writer.write(b"\0" * piece)
        await writer.drain()
        size -= piece


async def main(port: int) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(answer, "127.0.0.1", port, reuse_address=True, backlog=1024)
    print(f"provider: serving at 127.0.0.1:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
