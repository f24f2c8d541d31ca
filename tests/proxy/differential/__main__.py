"""The corpus of oddities both ways, with real servers behind the gateway: ``make differential``.

nginx and HAProxy are Debian's, installed where they are missing; uvicorn (with h11) and gunicorn come from PyPI into a
virtual environment of their own below ``.cache``. aiohttp is there anyway.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.gateways.tools import Tools
from tests.proxy.both_ways.oracle import FAST, GENERAL
from tests.proxy.differential.backends import Backend, aiohttp_server, haproxy, nginx, python_server
from tests.proxy.differential.trial import trial

_CACHE: Final = Path(__file__).parents[3] / ".cache"
_PACKAGES: Final = ("uvicorn>=0.30", "h11>=0.14", "gunicorn>=22")
_WAYS: Final[Mapping[str, tuple[Mapping[str, int], int]]] = {
    "general": (GENERAL, 0),
    "fast": (FAST, 0),
    "fast, warm": (FAST, 2),
}


def environment() -> Path:
    """Return the Python that has the servers of PyPI, made if need be."""
    folder = _CACHE.resolve() / "differential"
    python = folder / "bin" / "python"
    if not (folder / "bin" / "gunicorn").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *_PACKAGES], check=True)
    return python


def uvicorn(python: Path) -> AbstractAsyncContextManager[Backend]:
    """Run uvicorn with h11."""
    options = ["--http", "h11", "--log-level", "critical", "--lifespan", "off"]
    return python_server(
        "uvicorn", lambda port: [str(python), "-m", "uvicorn", "recording:asgi", "--port", str(port), *options]
    )


def gunicorn(python: Path) -> AbstractAsyncContextManager[Backend]:
    """Run gunicorn with threads, for it keeps no connection alive without them."""
    options = ["--workers", "1", "--threads", "8", "--log-level", "critical", "--worker-tmp-dir", "/tmp"]
    return python_server(
        "gunicorn", lambda port: [str(python), "-m", "gunicorn", "recording:wsgi", "-b", f"127.0.0.1:{port}", *options]
    )


async def try_all(backends: Mapping[str, Callable[[], AbstractAsyncContextManager[Backend]]]) -> int:
    """Try each backend each way; return how much is wrong."""
    wrong = 0
    for name, run in backends.items():
        for way, (limits, warm) in _WAYS.items():
            async with run() as backend:
                done = await trial(backend, limits=limits, warm=warm)
            wrong += len(done.wrong)
            print(
                f"{name:8} {way:10} {done.requests} requests, {done.fast} the fast way, {len(done.wrong)} wrong",
                flush=True,
            )
            print("".join(f"    {each}\n" for each in done.wrong), end="")
    return wrong


def main() -> int:
    """Return 1 if a server saw what the gateway did not send on, or a caller got what it should not."""
    tools = Tools(_CACHE)
    tools.provide(("nginx", "haproxy"))
    python = environment()
    backends = {
        "nginx": lambda: nginx(tools.path("nginx")),
        "haproxy": lambda: haproxy(tools.path("haproxy")),
        "aiohttp": aiohttp_server,
        "uvicorn": lambda: uvicorn(python),
        "gunicorn": lambda: gunicorn(python),
    }
    return 1 if uvloop.run(try_all(backends)) else 0


if __name__ == "__main__":
    sys.exit(main())
