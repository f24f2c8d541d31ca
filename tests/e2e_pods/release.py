"""One release of the chart: installed, upgraded, rolled back, removed, and its pods."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from tests.chart.helm import CHART
from tests.cluster.objects import Object
from tests.e2e_pods.site import Site

IMAGE: Final = "wardgate.dev/wardgate"
TAG: Final = "e2e"
RAISED_TAG: Final = "raised"
"""The same image with the next major of the schema between operator and proxies."""
DELAY: Final = 4
"""Seconds in which an ending proxy takes connections: more than a Service needs to notice."""
HELM_WAIT: Final = "--timeout=4m"

# Requests that let six proxies, two operators and the rest run on a node with two cores.
VALUES: Final[Mapping[str, Any]] = {
    "image": {"repository": IMAGE, "tag": TAG, "pullPolicy": "Never"},
    "operator": {"resources": {"requests": {"cpu": "20m", "memory": "64Mi"}}},
    "proxy": {
        "workers": 2,
        "shutdownDelaySeconds": DELAY,
        "drainSeconds": 10,
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
    },
}


class Release:
    """``name`` in a namespace of its own that enforces the restricted Pod Security Standard."""

    def __init__(self, site: Site, name: str, values: Mapping[str, Any]) -> None:
        self.site = site
        self.name = name
        self.values = merged(VALUES, values)
        self.namespace = site.namespace(name)
        self.config_namespace = f"{name}-config"

    def install(self, *, wait: bool = True) -> None:
        """Install it, and wait as ``helm install --wait`` does."""
        flags = ("--wait", HELM_WAIT) if wait else ()
        self.site.helm("install", self.name, *self._chart, *flags, values=self.values)

    def upgrade(self, values: Mapping[str, Any] | None = None, *, wait: bool = True) -> None:
        """Upgrade it to other values."""
        flags = ("--wait", HELM_WAIT) if wait else ()
        self.site.helm("upgrade", self.name, *self._chart, *flags, values=merged(self.values, values or {}))

    def rollback(self, *, wait: bool = True) -> None:
        """Go back to the revision before."""
        flags = ("--wait", HELM_WAIT) if wait else ()
        self.site.helm("rollback", self.name, "--namespace", self.namespace, *flags)

    def uninstall(self) -> None:
        """Remove it."""
        self.site.helm("uninstall", self.name, "--namespace", self.namespace, "--wait", HELM_WAIT)

    def deployment(self, component: str) -> str:
        """Give the name of a component's Deployment."""
        return f"{self.name}-{component}"

    def pods(self, component: str) -> list[Object]:
        """Give a component's pods that are not being deleted."""
        labels = f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component={component}"
        found = self.site.list("Pod", namespace=self.namespace, labels=labels)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def ready_pods(self, component: str) -> list[Object]:
        """Give those that are ready."""
        return [pod for pod in self.pods(component) if is_ready(pod)]

    def wait_for(self, component: str, count: int) -> None:
        """Wait until exactly so many pods are there, and all are ready."""

        def settled() -> bool:
            assert count == len(self.ready_pods(component)) == len(self.pods(component))
            return True

        self.site.wait(settled, f"{self.name} has {count} {component} pods, all ready")

    def rolled_out(self, component: str) -> None:
        """Wait until every pod is of the newest template."""
        self.rollout("status", component, "--timeout=120s")
        self.wait_for(component, self.wanted(component))

    def rollout(self, verb: str, component: str, *flags: str) -> None:
        """Run ``kubectl rollout``: restart, pause, resume, status."""
        self.site.kubectl(
            *("-n", self.namespace, "rollout", verb, f"deployment/{self.deployment(component)}", *flags), seconds=150
        )

    def wanted(self, component: str) -> int:
        """Give how many pods the Deployment wants."""
        found = self.site.get("Deployment", self.deployment(component), namespace=self.namespace)
        return int(found["spec"]["replicas"])

    def scale(self, component: str, count: int) -> None:
        """Scale a component, and wait."""
        body = {"spec": {"replicas": count}}
        self.site.patch("Deployment", self.deployment(component), body, namespace=self.namespace, subresource="scale")
        self.wait_for(component, count)

    def address(self) -> str:
        """Give the cluster address of the proxies' Service."""
        service = self.site.get("Service", self.deployment("proxy"), namespace=self.namespace)
        return str(service["spec"]["clusterIP"])

    def index(self) -> Mapping[str, Any]:
        """Give the index of what is published."""
        secret = self.site.get("Secret", f"{self.name}-index", namespace=self.config_namespace)
        content = json.loads(base64.b64decode(secret["data"]["index.json"]))
        assert isinstance(content, dict)
        return content

    def run_in(self, pod: Object, script: str) -> str:
        """Run Python in one of its pods, and give what it prints."""
        return self.site.run_in(self.namespace, pod["metadata"]["name"], script)

    def said(self) -> str:
        """Give what its pods said last, the access log left out."""
        parts: list[str] = []
        for pod in (*self.pods("operator"), *self.pods("proxy")):
            name = pod["metadata"]["name"]
            lines = self.site.kubectl("-n", self.namespace, "logs", name, "--tail=200").splitlines()
            parts += [f"-- {name} said:", *[line for line in lines if not line.startswith("{")][-30:]]
        return "\n".join(parts)

    @property
    def _chart(self) -> tuple[str, ...]:
        return (str(CHART), "--namespace", self.namespace)


def is_ready(pod: Object) -> bool:
    """Tell whether a pod is ready."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def restarts(pod: Object) -> int:
    """Give how often a pod's container was started anew."""
    return sum(each["restartCount"] for each in pod["status"]["containerStatuses"])


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay values over others, as Helm does."""
    result = dict(below)
    for name, value in above.items():
        beneath = result.get(name)
        both = isinstance(beneath, Mapping) and isinstance(value, Mapping)
        result[name] = merged(beneath, value) if both else value  # type: ignore[arg-type]
    return result
