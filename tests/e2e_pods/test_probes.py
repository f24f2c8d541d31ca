"""Probes, as the kubelet acts on them: who is not ready gets no callers."""

from __future__ import annotations

from tests.e2e_pods.release import Release
from tests.e2e_pods.site import Site

NO_OPERATOR = {"operator": {"replicas": 1, "nodeSelector": {"wardgate.dev/nobody": "here"}}, "proxy": {"replicas": 1}}
ANYWHERE = {"spec": {"template": {"spec": {"nodeSelector": None}}}}


def test_a_proxy_without_a_config_is_alive_and_gets_no_callers_until_it_has_one(site: Site, release: Release) -> None:
    del release  # it brought the CRDs
    early = Release(site, "early", NO_OPERATOR)
    early.install(wait=False)
    try:
        site.wait(lambda: [True] == [_started(pod) for pod in early.pods("proxy")], "its start-up probe succeeded")
        assert [] == early.ready_pods("proxy")
        assert {False} == _endpoints(early)
        site.patch("Deployment", early.deployment("operator"), ANYWHERE, namespace=early.namespace)
        early.wait_for("proxy", 1)
        site.wait(lambda: {True} == _endpoints(early), "the Service has the proxy")
    finally:
        early.uninstall()


def _started(pod: dict[str, object]) -> bool:
    status = pod["status"]
    assert isinstance(status, dict)
    return [True] == [each["started"] for each in status.get("containerStatuses", [])]


def _endpoints(release: Release) -> set[bool]:
    """Tell whether the addresses behind the Service are ready to serve."""
    service = release.deployment("proxy")
    slices = release.site.list(
        "EndpointSlice", namespace=release.namespace, labels=f"kubernetes.io/service-name={service}"
    )
    return {each["conditions"]["ready"] for found in slices for each in found.get("endpoints") or ()}
