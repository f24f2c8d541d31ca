"""What happens to the rights of an installation's operator: one is missing from the start, or taken away, or given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.objects import Object
from tests.e2e.installation import RBAC_SECONDS, Installation

READ = frozenset({"get", "list", "watch"})


class Rights:
    """Those that the chart's ClusterRoles give to the operator."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._cluster = installation.cluster
        self.user = f"system:serviceaccount:{installation.namespace}:{installation.release}-operator"

    @contextmanager
    def without(self, kind: str) -> Iterator[None]:
        """Nobody may read a kind for the time of a block, cluster-wide."""
        plural = self._cluster.resource(kind).plural
        (role,) = [one for one in self._roles() if any(_reads(rule, plural) for rule in one["rules"])]
        try:
            self._write(role, [_less(rule, plural) for rule in role["rules"]])
            self._wait(kind, allowed=False)
            yield
        finally:
            self._write(role, role["rules"])
            self._wait(kind, allowed=True)

    def _roles(self) -> list[Object]:
        instance = f"app.kubernetes.io/instance={self._installation.release}"
        return self._cluster.list("ClusterRole", labels=instance)

    def _write(self, role: Object, rules: list[Object]) -> None:
        name = role["metadata"]["name"]
        kept = [rule for rule in rules if rule["resources"]]
        self._cluster.patch("ClusterRole", name, {"rules": kept})

    def _wait(self, kind: str, *, allowed: bool) -> None:
        self._cluster.wait_until(
            lambda: self._cluster.can(self.user, "list", kind) is allowed,
            seconds=RBAC_SECONDS,
            what=f"the operator may {'' if allowed else 'not '}list {kind}",
        )


def _reads(rule: Object, plural: str) -> bool:
    return plural in rule["resources"] and READ >= set(rule["verbs"])


def _less(rule: Object, plural: str) -> Object:
    if not _reads(rule, plural):
        return rule
    return {**rule, "resources": [one for one in rule["resources"] if one != plural]}
