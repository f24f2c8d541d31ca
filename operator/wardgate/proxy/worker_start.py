"""The first step of a worker process: ``python -m wardgate.proxy.worker_start FD``, by the supervisor and nobody else.

It imports next to nothing, so that a worker that cannot even be imported still says why on its pipe.
"""

from __future__ import annotations

import contextlib
import socket
import sys

from wardgate.faults import place_of
from wardgate.wire.framing import pack


def main(descriptor: int) -> None:
    """Serve until told to stop; tell the supervisor what ends it otherwise, and let the log have the rest."""
    pipe = socket.socket(fileno=descriptor)
    try:
        from wardgate.proxy.worker import serve  # noqa: PLC0415 - it is what may fail

        serve(pipe)
    except Exception as error:
        with contextlib.suppress(OSError):
            pipe.send(pack("last words", {"text": _explained(error)}))
        raise


def _explained(error: Exception) -> str:
    """Errors of the machine are told whole; the text of another may quote a config."""
    if isinstance(error, ImportError | OSError):
        return f"{type(error).__name__}: {error}"
    return place_of(error)


if __name__ == "__main__":
    main(int(sys.argv[1]))
