"""``wardgate proxy --cluster`` as real processes on a real API server: what callers get, whatever happens behind."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_processes import Running, command
from tests.cluster.cluster import Cluster
from tests.cluster.link import Link
from tests.cluster.ports import free_port
from tests.cluster.waiting import wait_until
from tests.kube.installation import Installation
from tests.kube.published import PORT, bundle

pytestmark = [pytest.mark.slow, pytest.mark.measured]

PATIENCE = 60.0


class Proxy:
    """A proxy process, asked as callers and as probes ask it."""

    def __init__(self, running: Running, admin: int) -> None:
        self.running = running
        self._admin = admin

    def answer(self) -> tuple[int, str]:
        return _get(self.running.port, "/")

    def page(self, path: str) -> tuple[int, str]:
        return _get(self._admin, path)

    @property
    def revision(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.page("/revision")[1])
        return found

    def metric(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.page("/metrics")[1], flags=re.MULTILINE)
        assert found is not None
        return float(found[1])

    def until_answers(self, text: str) -> None:
        def answers() -> bool:
            found = self.answer()
            assert (200, text) == found, (found, self.revision, self.running.lines)
            return True

        wait_until(answers, seconds=PATIENCE, what=f"the proxy answers {text}")

    def until_ready(self, status: int) -> None:
        wait_until(lambda: self.page("/readyz")[0] == status, seconds=PATIENCE, what=f"/readyz says {status}")


def _get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except ConnectionError:  # the port is bound a moment later
        return 0, ""
    finally:
        connection.close()


@pytest.fixture
def installed(cluster: Cluster) -> Installation:
    return Installation.of(cluster)


@contextmanager
def proxy(installed: Installation, *arguments: str, link: Link | None = None) -> Iterator[Proxy]:
    port, admin = free_port(), free_port()
    kubeconfig = installed.kubeconfig(server=link.url if link else None)
    cluster = ("--cluster", "--kubeconfig", str(kubeconfig), "--config-namespace", installed.namespace)
    serving = ("--bind", "127.0.0.1", "--port", f"{PORT}={port}", "--admin", f"127.0.0.1:{admin}", "--workers", "2")
    with command("proxy", *cluster, *serving, "--no-access-log", *arguments, port=port) as running:
        running.wait_for("follows Secret")
        yield Proxy(running, admin)
        assert 0 == running.stop()
    assert "Traceback" not in "\n".join(running.lines)


def test_proxy_waits_for_its_first_config_and_follows_every_change(installed: Installation) -> None:
    with proxy(installed) as at:
        at.running.wait_for("does not exist yet")
        assert (503, "no config yet\n") == at.page("/readyz")
        assert (200, "ok\n") == at.page("/healthz")
        first = bundle("first")
        installed.publish(first, sequence=3)
        at.until_answers("first")
        at.until_ready(200)
        wait_until(lambda: at.revision["sequence"] == 3, seconds=PATIENCE, what="the sequence is shown")
        shown = at.revision
        assert type(shown.pop("age_seconds")) is float
        assert shown == {
            "revision": first.revision,
            "schema": "1.0",
            "reads": [1],
            "unserved": {},
            "worker_troubles": [],
            "workers": [first.revision] * 2,
            "sequence": 3,
            "refused_sequence": None,
            "connected": True,
            "verified_at": "2027-01-15T08:00:00Z",
            "problem": "",
        }
        installed.publish(bundle("second"), sequence=4)
        at.until_answers("second")
        at.running.wait_for(" live in ", times=2)
        assert (4.0, 1.0) == (at.metric("wardgate_config_sequence"), at.metric("wardgate_config_connected"))


def test_rollback_is_shown_and_leaves_what_is_in_force(installed: Installation) -> None:
    with proxy(installed) as at:
        installed.publish(bundle("first"), sequence=9)
        at.until_answers("first")
        installed.publish(bundle("older"), sequence=8)
        wait_until(lambda: at.revision["refused_sequence"] == 8, seconds=PATIENCE, what="the refusal is shown")
        assert (9, (200, "first")) == (at.revision["sequence"], at.answer())
        assert "went back to sequence 8" in at.revision["problem"]
        assert 1.0 <= at.metric('wardgate_config_refused_total{cause="sequence"}')


def test_proxy_serves_and_stays_ready_without_the_api_server(installed: Installation) -> None:
    link = installed.cluster.link()
    with proxy(installed, link=link) as at:
        installed.publish(bundle("first"))
        at.until_answers("first")
        link.cut()
        wait_until(lambda: not at.revision["connected"], seconds=PATIENCE, what="the loss is shown")
        assert ((200, "first"), (200, "ready\n")) == (at.answer(), at.page("/readyz"))
        assert 0.0 == at.metric("wardgate_config_connected")
        installed.publish(bundle("second"), sequence=2)
        link.restore()
        at.until_answers("second")
        at.running.wait_for("The API server answers again.")


def test_restart_without_the_api_server_serves_the_last_good_config(installed: Installation, tmp_path: Path) -> None:
    link = installed.cluster.link()
    kept = ("--cache-dir", str(tmp_path))
    with proxy(installed, *kept, link=link) as at:
        installed.publish(bundle("first"), sequence=5)
        at.until_answers("first")
        wait_until(lambda: list(tmp_path.rglob("revision.json")), seconds=PATIENCE, what="the config is kept")
    link.cut()
    with proxy(installed, *kept, link=link) as at:
        at.until_answers("first")
        at.until_ready(200)
        wait_until(lambda: at.revision["sequence"] == 5, seconds=PATIENCE, what="the sequence is remembered")
        assert not at.revision["connected"]
        installed.publish(bundle("older"), sequence=4)
        link.restore()
        wait_until(lambda: at.revision["refused_sequence"] == 4, seconds=PATIENCE, what="the refusal is shown")
        installed.publish(bundle("second"), sequence=6)
        at.until_answers("second")


def test_frozen_api_server_does_not_hold_up_the_end(installed: Installation) -> None:
    link = installed.cluster.link()
    with proxy(installed, link=link) as at:
        installed.publish(bundle("first"))
        at.until_answers("first")
        link.freeze()


def test_config_that_nobody_confirms_is_refused_until_it_is_renewed(installed: Installation) -> None:
    first = bundle("first")
    with proxy(installed, "--max-config-age", "3") as at:
        installed.publish(first, verified_at=_now())
        at.running.wait_for(" live in ")  # workers that start on a busy machine may take longer than three seconds
        installed.publish(first, verified_at=_now())
        at.until_answers("first")
        at.until_ready(503)
        assert (503, "config too old\n") == at.page("/readyz")
        too_old = (503, '{"error":"The gateway\'s configuration is too old to be trusted."}')
        wait_until(lambda: at.answer() == too_old, seconds=PATIENCE, what="requests are refused")
        _kill_a_worker(at)
        at.running.wait_for("a new one takes its place")
        wait_until(lambda: at.revision["workers"] == [first.revision] * 2, seconds=PATIENCE, what="a new worker serves")
        assert [too_old] * 8 == [at.answer() for _ in range(8)]
        assert 3.0 < at.metric("wardgate_config_age_seconds")

        installed.publish(first, verified_at=_now())
        at.until_answers("first")
        assert (200, "ready\n") == at.page("/readyz")
        assert [(200, "first")] * 8 == [at.answer() for _ in range(8)]


def test_config_that_lay_there_too_long_is_never_served(installed: Installation) -> None:
    installed.publish(bundle("first"), verified_at=_now(minutes_ago=10))
    with proxy(installed, "--max-config-age", "300") as at:
        at.running.wait_for(" live in ")
        assert 503 == at.answer()[0]
        assert 503 == at.page("/readyz")[0]
        installed.publish(bundle("first"), verified_at=_now())
        at.until_answers("first")


def _now(*, minutes_ago: int = 0) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()


def _kill_a_worker(at: Proxy) -> None:
    children = Path(f"/proc/{at.running.process.pid}/task/{at.running.process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
