"""New proxies while there is no operator, and while there is no API server.

``E2E_API_SERVER`` is a command that takes ``stop`` or ``start``; where it is not given the API server stays.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time

from tests.e2e_pods.calls import Calls
from tests.e2e_pods.pods import Callers, Inside
from tests.e2e_pods.release import Release, restarts
from tests.e2e_pods.site import Site

OUTAGE_SECONDS = 20.0
END_SOON = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    for number in (0, 1, 2):
        os.close(number)
    time.sleep(6)
    os.kill(1, signal.SIGTERM)
"""
"""Lets the container's main process end when nobody can ask for it any more."""


def test_a_new_proxy_serves_while_there_is_no_operator(release: Release, calls: Calls, site: Site) -> None:
    with calls.under_load("no operator") as callers:
        release.scale("operator", 0)
        pod = release.ready_pods("proxy")[0]["metadata"]["name"]
        site.delete("Pod", pod, namespace=release.namespace)
        release.wait_for("proxy", 2)
        calls_of_all = {calls.status(each["status"]["podIP"]) for each in release.ready_pods("proxy")}
        release.scale("operator", 2)
        callers.rounds(50, site)

    assert {200} == calls_of_all
    calls.keys_still_count("operator-is-back")


if "E2E_API_SERVER" in os.environ:

    def test_a_container_that_starts_anew_serves_while_there_is_no_api_server(
        release: Release, calls: Calls, inside: Inside, site: Site
    ) -> None:
        renewed, other = release.ready_pods("proxy")
        name = renewed["metadata"]["name"]
        with Callers(inside, "served throughout", **calls.target(other["status"]["podIP"])):
            inside.start("renewed", **calls.target(renewed["status"]["podIP"], keep_alive=0, fresh=1, timeout=2.0))
            release.run_in(renewed, END_SOON)
            _api_server("stop")
            try:
                stopped = time.time()
                time.sleep(OUTAGE_SECONDS)
                back = time.time()
            finally:
                _api_server("start")
            site.wait(lambda: site.get("Pod", name, namespace=release.namespace), "the API server is back")
            told = inside.stop("renewed")

        turns = [(each["outcome"], each["at"]) for each in told["turns"]]
        ended = next(at for outcome, at in turns if outcome != "ok")
        served = next(at for outcome, at in turns if outcome == "ok" and at > ended)
        assert stopped < ended < served < back, turns
        site.wait(lambda: 1 == restarts(site.get("Pod", name, namespace=release.namespace)), "the restart is told")
        # A node that could not report is not ready, nor are its pods, until it has reported again.
        site.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=80s")
        release.wait_for("proxy", 2)
        calls.wait_until_served()
        calls.keys_still_count("api-server-is-back")


def _api_server(verb: str) -> None:
    subprocess.run([*shlex.split(os.environ["E2E_API_SERVER"]), verb], check=True, timeout=120)
