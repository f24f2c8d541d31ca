"""The lab on one machine: ``python examples/demo``, or ``make demo``, which also installs what it needs.

Starts the stand-in provider with TLS and ``wardgate run`` on an unchanged example, prints what to try, and serves until
Ctrl-C. It installs nothing and changes no file of the repository.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from processes import NotServingError, Program, python
from tries import tries

EXAMPLES = Path(__file__).resolve().parent.parent
PROVIDER_HOST = "api-inference.huggingface.co"
LISTENER_PORT = 8081
START_SECONDS = 60.0


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGINT or SIGTERM; 1 where something did not start or ended by itself."""
    options = _parser().parse_args(arguments)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)  # a shell that starts us in the background has SIGINT ignored
    try:
        with tempfile.TemporaryDirectory(prefix="wardgate-demo-") as scratch:
            return _serve(options, Path(scratch) / "ca.pem", ended)
    except NotServingError as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        print(
            f"demo: if port {options.port} is taken, try another: make demo PORT={_another(options.port)}",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        _say("demo: stopped.")
        return 0


def _another(port: int) -> int:
    return port + 10_000 if port <= 55_535 else port - 10_000


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python examples/demo",
        description="Run the lab against a stand-in provider on this machine.",
        epilog="Example: python examples/demo --port 18081",
    )
    parser.add_argument("--port", type=int, default=8081, help="where the gateway listens (default 8081)")
    parser.add_argument(
        "--provider-port", type=int, default=0, help="where the stand-in provider listens (default: any free port)"
    )
    parser.add_argument(
        "--folder", type=Path, default=EXAMPLES / "huggingface", help="the manifests (default: examples/huggingface)"
    )
    parser.add_argument("--show-tokens", action="store_true", help="let the provider show tokens in full")
    return parser


def _serve(options: argparse.Namespace, ca_file: Path, ended: threading.Event) -> int:
    _say(f"demo: starting the stand-in provider for {PROVIDER_HOST}, with TLS ...")
    with Program(*_provider_command(options, ca_file), on_line=_say, on_end=ended.set) as provider:
        line = provider.wait_for("provider: serving", seconds=START_SECONDS)
        port = int(line.split(" as ")[0].rpartition(":")[2])
        command = _gateway_command(options, ca_file, port)
        _say(f"demo: starting the gateway:\n  {' '.join(command)}")
        with Program(*command, on_line=lambda text: _say(f"gateway: {text}"), on_end=ended.set) as gateway:
            gateway.wait_for("serves at", f":{options.port}", seconds=START_SECONDS)
            gateway.wait_for("live in", seconds=START_SECONDS)
            _say(_instructions(options))
            ended.wait()
    _say("demo: a part of it ended by itself; see above.")
    return 1


def _provider_command(options: argparse.Namespace, ca_file: Path) -> Sequence[str]:
    shown = ["--show-tokens"] if options.show_tokens else []
    return python(
        str(EXAMPLES / "provider"),
        *("--port", str(options.provider_port), "--host", PROVIDER_HOST, "--ca-file", str(ca_file)),
        *shown,
    )


def _gateway_command(options: argparse.Namespace, ca_file: Path, provider_port: int) -> Sequence[str]:
    beside = Path(sys.executable).parent
    wardgate = shutil.which("wardgate", path=str(beside)) or shutil.which("wardgate") or "wardgate"
    return (
        *(wardgate, "run", _short(options.folder), "--bind", "127.0.0.1", "--admin", "127.0.0.1:0"),
        *("--set", "timeouts.drain=5", "--port", f"{LISTENER_PORT}={options.port}"),
        *("--resolve", f"{PROVIDER_HOST}:443=127.0.0.1:{provider_port}", "--upstream-ca", str(ca_file)),
    )


def _instructions(options: argparse.Namespace) -> str:
    url = f"http://127.0.0.1:{options.port}/huggingface"
    lines = ["", "The gateway serves. In another terminal, try:", ""]
    for number, each in enumerate(tries(url), start=1):
        lines += [f"{number}. {each.title}", f"  {each.command_line()}", f"  => {each.outcome}", ""]
    lines += [
        f"Edit a file below {_short(options.folder)} while it serves: a change is live at once.",
        "Ctrl-C ends the gateway and the provider.",
        "",
    ]
    return "\n".join(lines)


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
