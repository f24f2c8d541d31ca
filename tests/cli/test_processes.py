"""The commands as real processes: what a person sees who types them."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.ports import free_port
from tests.standalone.lab import FILES, KEY, POLICY, ROUTES, SECRET, TOKEN, TRANSFORMATION, write_lab

pytestmark = [pytest.mark.slow, pytest.mark.measured]

PATIENCE = 180.0
"""Seconds after which a test fails instead of hanging. It takes a few; a loaded machine may need many more."""
LIVE_MILLISECONDS = 5000
"""A change to a file must be live by then; the product promises 200, a loaded test machine may need more."""
ANSWER = ROUTES.replace(
    "    delegate:\n      routeTables:\n      - namespace: ai-demo\n", "    directResponse: {status: 204}\n"
)


class Running:
    """A command that runs; ``lines`` is what it has said on standard error so far."""

    def __init__(self, *arguments: str, port: int) -> None:
        self.port = port
        self.lines: list[str] = []
        self.reading = threading.Lock()
        """Whoever holds it keeps standard error from being read."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wardgate", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self.reading:
                self.lines.append(line.rstrip("\n"))

    def wait_for(self, words: str, *, times: int = 1) -> str:
        """Wait until so many lines have these words; return the last of them."""
        return until(lambda: [line for line in self.lines if words in line][times - 1], lambda: self.lines)

    def status_of(self, path: str, **headers: str) -> int:
        """Ask the gateway, and return the answer's status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()})
            return connection.getresponse().status
        finally:
            connection.close()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status


def until(get: Callable[[], str], seen: Callable[[], object]) -> str:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return get()
        except IndexError:
            assert time.monotonic() < deadline, seen()
            time.sleep(0.01)


def wait_for_status(running: Running, wanted: int, path: str, **headers: str) -> None:
    until(lambda: [""][0 if running.status_of(path, **headers) == wanted else 1], lambda: running.lines)


@contextmanager
def command(*arguments: str, port: int) -> Iterator[Running]:
    running = Running(*arguments, port=port)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop(signal.SIGKILL)
        for stream in (running.process.stdout, running.process.stderr):
            assert stream is not None
            stream.close()


@contextmanager
def gateway(folder: Path, *arguments: str) -> Iterator[Running]:
    port = free_port()
    options = ("--port", f"8081={port}", "--admin", "none", "--workers", "1", *arguments)
    with command("run", str(folder), *options, port=port) as running:
        running.wait_for(" live in ")
        yield running


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    return write_lab(tmp_path / "lab")


def replace_atomically(path: Path, content: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(content)
    temporary.replace(path)


def test_gateway_serves_follows_its_folder_and_drains(lab: Path) -> None:
    with gateway(lab) as running:
        assert 401 == running.status_of("/huggingface")
        assert 404 == running.status_of("/other")

        replace_atomically(lab / "routes.yaml", ROUTES.replace("prefix: /huggingface", "prefix: /other"))
        live = running.wait_for(" live in ", times=2)
        assert 401 == running.status_of("/other")
        assert 404 == running.status_of("/huggingface")
        found = re.search(r"live in (\d+) ms", live)
        assert found is not None
        assert int(found[1]) < LIVE_MILLISECONDS

        assert 0 == running.stop(signal.SIGINT)
    assert "Traceback" not in "\n".join(running.lines)


def test_mistake_while_running_keeps_what_was_good(lab: Path) -> None:
    with gateway(lab) as running:
        (lab / "policy.yaml").write_text(POLICY + "  more: [")
        running.wait_for(f"policy.yaml:{POLICY.count(chr(10)) + 1}:")
        assert 401 == running.status_of("/huggingface")

        (lab / "transformation.yaml").write_text(TRANSFORMATION.replace("{{", "{{ ("))
        running.wait_for("transformation.yaml:15:13: error: ")
        (lab / "secret.yaml").unlink()
        running.wait_for(" live in ", times=2)
        assert 401 == running.status_of("/huggingface", api_key=KEY)

        (lab / "policy.yaml").write_text(POLICY)
        running.wait_for("policy.yaml: resolved: ")
        assert 0 == running.stop()


def test_swapped_links_and_removed_folders_are_followed(tmp_path: Path) -> None:
    root = tmp_path / "mounted"
    write_lab(root / "..1")
    write_lab(root / "..2", routes=ROUTES.replace("prefix: /huggingface", "prefix: /swapped"))
    (root / "..data").symlink_to("..1")
    for name in FILES:
        (root / name).symlink_to(f"..data/{name}")
    with gateway(root) as running:
        assert 401 == running.status_of("/huggingface")
        (root / "..new").symlink_to("..2")
        (root / "..new").replace(root / "..data")
        running.wait_for(" live in ", times=2)
        assert 401 == running.status_of("/swapped")

        more = write_lab(root / "more", policy="", secret="", transformation="", gateway="", service="", routes="")
        (more / "more.yaml").write_text(
            ROUTES.partition("---\n")[2]
            .replace("direct-to-huggingface-routetable", "more")
            .replace("prefix: /huggingface", "prefix: /more")
        )
        running.wait_for(" live in ", times=3)
        assert 401 == running.status_of("/more")
        (more / "more.yaml").unlink()
        more.rmdir()
        running.wait_for(" live in ", times=4)
        assert 404 == running.status_of("/more")
        assert 0 == running.stop()


def test_port_that_is_taken_says_what_to_do(lab: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        options = ("--port", f"8081={port}", "--admin", "none", "--workers", "1")
        ended = subprocess.run(
            [sys.executable, "-m", "wardgate", "run", str(lab), *options],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    assert 1 == ended.returncode
    assert f"Port {port} of 127.0.0.1 is in use by another process" in ended.stderr
    assert "--port 8081=8080" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_demo_on_a_port_that_is_taken_names_another_one() -> None:
    demo = Path(__file__).resolve().parents[2] / "examples" / "demo"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, str(demo), "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=3 * PATIENCE,
            check=False,
        )
    advised = re.search(rf"demo: if port {port} is taken, try another: make demo PORT=(\d+)\n", ended.stderr)

    assert 1 == ended.returncode
    assert advised is not None
    assert port != int(advised[1])
    assert 1024 <= int(advised[1]) <= 65535


def test_second_gateway_is_told_to_take_another_admin_port(lab: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "wardgate", "run", str(lab), "--admin", f"127.0.0.1:{port}", "--workers", "1"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    assert 1 == ended.returncode
    assert ended.stderr.startswith(f"wardgate: Port {port} of 127.0.0.1 is in use by another process; choose another")


def test_bundle_passes_from_one_process_to_another(lab: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.json"
    port = free_port()
    with gateway(lab, "--emit", str(bundle)) as control:
        options = ("--port", f"8081={port}", "--admin", "none", "--workers", "1", "--bind", "127.0.0.1")
        with command("proxy", "--config", str(bundle), *options, port=port) as proxy:
            proxy.wait_for(" live in ")
            assert 401 == proxy.status_of("/huggingface")
            (lab / "routes.yaml").write_text(ANSWER)
            proxy.wait_for(" live in ", times=2)
            assert 204 == proxy.status_of("/huggingface")
            assert 0 == control.stop()
            assert 204 == proxy.status_of("/huggingface")
            assert 0 == proxy.stop()


def test_nothing_that_is_printed_holds_a_secret(lab: Path) -> None:
    with gateway(lab) as running:
        running.status_of(f"/huggingface?key={KEY}", api_key="wrong-key")
        (lab / "secret.yaml").write_text(SECRET + "  broken: '!'\n")
        running.wait_for("Secret default/api-huggingface-key")
        assert 0 == running.stop()
        assert running.process.stdout is not None
        printed = running.process.stdout.read() + "\n".join(running.lines)

    assert '"status":401' in printed
    for secret in (KEY, TOKEN, "wrong-key", "bXlz", "aGZf"):
        assert secret not in printed


@pytest.mark.no_cover
def test_ten_megabytes_are_served(lab: Path) -> None:
    line = SECRET.replace("api-huggingface-key", "key-{}").replace("bXlzZWNyZXRrZXk=", "a2V5LTAwMDAw")
    padding = f"  filler: {'eHh4' * 250}\n"
    (lab / "many.yaml").write_text("---\n".join(line.format(number) + padding for number in range(9_000)))
    assert (lab / "many.yaml").stat().st_size > 10_000_000

    with gateway(lab) as running:
        assert 401 == running.status_of("/huggingface")
        replace_atomically(lab / "routes.yaml", ANSWER)
        wait_for_status(running, 204, "/huggingface")
        assert 0 == running.stop()


def test_module_is_the_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "wardgate", "version"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
        env={**os.environ, "NO_COLOR": "1"},
    )

    assert ended.stdout.startswith("wardgate ")


def test_messages_that_nobody_reads_stop_neither_requests_nor_changes(lab: Path) -> None:
    # Some 90 KB of messages, which a pipe does not hold.
    name = f"broken-{'x' * 200}.yaml"
    with gateway(lab) as running:
        # The reader is on its way through a line as long as the lock is held: the pipe fills up behind it.
        with running.reading:
            documents = (f"---\n{{apiVersion: security.policy.gloo.solo.io/v{n}, kind: Bad}}\n" for n in range(3, 303))
            replace_atomically(lab / name, "".join(documents))
            replace_atomically(lab / "routes.yaml", ROUTES.replace("prefix: /huggingface", "prefix: /other"))
            wait_for_status(running, 401, "/other")
            replace_atomically(lab / "routes.yaml", ROUTES)
            wait_for_status(running, 401, "/huggingface")
        assert 0 == running.stop()
    assert any(name in line for line in running.lines)


def test_key_of_a_file_that_is_emptied_is_refused_and_accepted_again_once_it_is_filled(lab: Path) -> None:
    # Nobody listens there: a key that is accepted gets 502.
    with gateway(lab, "--resolve", "api-inference.huggingface.co:443=127.0.0.1:1") as running:
        path = next(path for path in lab.iterdir() if path.read_text() == SECRET)
        wait_for_status(running, 502, "/huggingface", api_key=KEY)
        path.write_text("")
        wait_for_status(running, 401, "/huggingface", api_key=KEY)
        running.wait_for("counts as deleted")
        path.write_text(SECRET)
        wait_for_status(running, 502, "/huggingface", api_key=KEY)
