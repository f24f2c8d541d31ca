"""Callers lose nothing while pods come and go: keep-alive and fresh connections, no request repeated."""

from __future__ import annotations

from tests.e2e_pods.calls import Calls
from tests.e2e_pods.release import Release
from tests.e2e_pods.site import Site


def test_no_request_is_lost_over_a_roll_of_the_proxies(release: Release, calls: Calls, site: Site) -> None:
    before = _names(release)
    with calls.under_load("roll") as callers:
        release.rollout("restart", "proxy")
        release.rolled_out("proxy")
        callers.rounds(200, site)

    assert not before & _names(release)


def test_no_request_is_lost_over_scaling_out_and_in(release: Release, calls: Calls, site: Site) -> None:
    with calls.under_load("scale") as callers:
        release.scale("proxy", 4)
        callers.rounds(200, site)
        release.scale("proxy", 2)
        callers.rounds(200, site)


def test_no_request_is_lost_over_a_restart_of_the_operators(release: Release, calls: Calls, site: Site) -> None:
    with calls.under_load("operators") as callers:
        release.rollout("restart", "operator")
        release.rolled_out("operator")
        calls.keys_still_count("after-operators")
        callers.rounds(50, site)


def test_no_request_is_lost_when_the_operator_is_upgraded_first(
    release: Release, calls: Calls, site: Site, raised: str
) -> None:
    """The new operator writes what old proxies read; then the proxies follow, and ``helm rollback`` takes both back."""
    with calls.under_load("operator first") as callers:
        release.rollout("pause", "proxy")
        release.upgrade({"image": {"tag": raised}}, wait=False)
        release.rolled_out("operator")
        calls.keys_still_count("new-operator-old-proxies")
        release.rollout("resume", "proxy")
        release.rolled_out("proxy")
        calls.keys_still_count("both-new")
        _schema_is("2.0", release, site)
        release.rollback()
        for component in ("operator", "proxy"):
            release.rolled_out(component)
        calls.keys_still_count("both-old")
        _schema_is("1.0", release, site)
        callers.rounds(50, site)


def test_no_request_is_lost_when_the_proxies_are_upgraded_first(
    release: Release, calls: Calls, site: Site, raised: str
) -> None:
    with calls.under_load("proxies first") as callers:
        release.rollout("pause", "operator")
        release.upgrade({"image": {"tag": raised}}, wait=False)
        release.rolled_out("proxy")
        calls.keys_still_count("old-operator-new-proxies")
        _schema_is("1.0", release, site)
        release.rollback(wait=False)
        release.rollout("resume", "operator")
        for component in ("operator", "proxy"):
            release.rolled_out(component)
        callers.rounds(50, site)


def _schema_is(schema: str, release: Release, site: Site) -> None:
    """Wait until the last proxy that reads only the other one is gone."""
    site.wait(lambda: schema == release.index()["schema"], f"the config is written in schema {schema}")


def _names(release: Release) -> set[str]:
    return {pod["metadata"]["name"] for pod in release.pods("proxy")}
