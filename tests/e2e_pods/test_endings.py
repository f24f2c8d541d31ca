"""Proxies that end in order, and proxies that die: what callers of that very pod see, and what all others see."""

from __future__ import annotations

from typing import Any

from tests.cluster.objects import Object
from tests.e2e_pods.calls import Calls
from tests.e2e_pods.pods import Inside
from tests.e2e_pods.release import Release
from tests.e2e_pods.site import Site

WORKERS = """
import os
for name in os.listdir("/proc"):
    if name.isdigit():
        try:
            words = open(f"/proc/{name}/cmdline").read().split("\\0")
        except OSError:
            continue
        if "wardgate.proxy.worker_start" in words:
            print(name)
"""
UNDER_LOAD = 4
"""Callers under load, each of which has one request in flight."""


def test_a_proxy_that_ends_answers_or_refuses_and_leaves_nobody_waiting(
    release: Release, calls: Calls, inside: Inside, site: Site
) -> None:
    """Callers of the pod's own address, as one that the Service's news have not reached: none waits for an answer."""
    pod = release.ready_pods("proxy")[0]
    inside.start("ending", **calls.target(_address(pod), keep_alive=2, fresh=4, pause=0.005, timeout=3.0))
    site.wait(lambda: inside.tally("ending")["answers"] >= 100, "the pod is called")
    site.delete("Pod", pod["metadata"]["name"], namespace=release.namespace)
    _wait_until_gone(site, pod)
    told = inside.stop("ending")
    release.wait_for("proxy", 2)

    lost = {each["why"] for each in told["first_lost"]}
    assert told["closing"] > 0, "answers after SIGTERM say that the connection ends"
    assert {"refused"} >= {each for each in lost if not _pod_address_is_gone(each)}, told["first_lost"][:10]
    assert [] == [each for each in told["first_lost"] if each["why"].startswith("no answer")]


def test_a_killed_pod_costs_no_more_than_it_held(release: Release, calls: Calls, site: Site) -> None:
    with calls.under_load("killed pod", lost=UNDER_LOAD, timeout=3.0) as callers:
        callers.rounds(100, site)
        pod = release.ready_pods("proxy")[0]["metadata"]["name"]
        site.kubectl("-n", release.namespace, "delete", "pod", pod, "--grace-period=0", "--force")
        release.wait_for("proxy", 2)
        callers.rounds(200, site)


def test_a_killed_worker_costs_no_more_than_it_held(release: Release, calls: Calls, site: Site) -> None:
    pod = release.ready_pods("proxy")[0]
    before = _workers(release, pod)
    with calls.under_load("killed worker", lost=UNDER_LOAD) as callers:
        callers.rounds(100, site)
        release.run_in(pod, f"import os, signal\nos.kill({min(before)}, signal.SIGKILL)")
        site.wait(lambda: len(_workers(release, pod)) == len(before), "the worker has a successor")
        callers.rounds(200, site)

    assert before != _workers(release, pod)
    assert pod["metadata"]["name"] in {each["metadata"]["name"] for each in release.ready_pods("proxy")}


def _workers(release: Release, pod: Object) -> set[int]:
    return {int(word) for word in release.run_in(pod, WORKERS).split()}


def _address(pod: Object) -> str:
    return str(pod["status"]["podIP"])


def _wait_until_gone(site: Site, pod: Object) -> None:
    metadata: dict[str, Any] = pod["metadata"]
    site.wait(
        lambda: site.find("Pod", metadata["name"], namespace=metadata["namespace"]) is None, f"{metadata['name']} ends"
    )


def _pod_address_is_gone(why: str) -> bool:
    """Tell whether a connection failed because the pod's network had been taken away, after its process."""
    return why.startswith("no connect")
