"""The program of the pod for ``helm test``, run against servers on the loopback interface."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.chart.helm import Helm, one
from tests.chart.values import RESTRICTED

SECONDS = 30.0


@contextmanager
def _admin(*, ready: bool) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"revision": "abc"}'
            self.send_response(200 if ready or self.path != "/readyz" else 503)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def _program(helm: Helm) -> str:
    pod = one(helm.render(), "Pod", "wardgate-test")
    program, host, port = pod["spec"]["containers"][0]["args"]
    assert ("wardgate-proxy-admin", "9901") == (host, port)
    assert isinstance(program, str)
    return program


def _run(program: str, port: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, "127.0.0.1", str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_proxies_that_are_ready_pass(helm: Helm) -> None:
    with _admin(ready=True) as port:
        ended = _run(_program(helm), port)

    assert (0, "127.0.0.1 is ready and serves revision abc\n") == (ended.returncode, ended.stdout)


def test_a_proxy_that_is_not_ready_fails(helm: Helm) -> None:
    with _admin(ready=False) as port:
        ended = _run(_program(helm).replace("PAUSE = 15, 2.0", "PAUSE = 2, 0.1"), port)

    assert 1 == ended.returncode
    assert "127.0.0.1: /readyz answers 503" in ended.stdout


def test_the_pod_has_no_rights_and_runs_when_asked(helm: Helm) -> None:
    pod = one(helm.render(), "Pod", "wardgate-test")

    assert "test" == pod["metadata"]["annotations"]["helm.sh/hook"]
    assert False is pod["spec"]["automountServiceAccountToken"]
    assert RESTRICTED == pod["spec"]["containers"][0]["securityContext"]
    assert [] == [each for each in helm.render({"tests": {"enabled": False}}) if each["kind"] == "Pod"]
