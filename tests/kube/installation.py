"""A release's config namespace on a real API server, and the identity of its proxies: exactly the rights they have."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.cluster.http_api import ApiError
from tests.cluster.objects import Objects
from tests.kube import published
from tests.kube.published import INDEX, RELEASE
from wardgate.kube.delivery.config_location import ConfigLocation
from wardgate.kube.delivery.index import Index, Manifest
from wardgate.wire.bundle import Bundle

ACCOUNT = f"{RELEASE}-proxy"


@dataclass
class Installation:
    """``write`` and ``publish`` are the operator's part, done as admin."""

    cluster: Cluster
    namespace: str
    home: str
    """The release namespace, where the ServiceAccount is."""
    token: str = field(default="", repr=False)

    @classmethod
    def of(cls, cluster: Cluster) -> Installation:
        """Make the namespaces, and a proxy's ServiceAccount with its role."""
        made = cls(cluster, cluster.namespace("wardgate-config"), cluster.namespace("wardgate"))
        made.token = made.new_token()
        cluster.create(_role(), namespace=made.namespace)
        cluster.create(_binding(made.home), namespace=made.namespace)
        for verb, name in (("list", INDEX), ("watch", INDEX), ("get", "any")):
            cluster.wait_until(
                lambda verb=verb, name=name: cluster.can(
                    made.user, verb, "Secret", namespace=made.namespace, name=name
                ),  # type: ignore[misc]
                seconds=10.0,
                what="the proxy's role is in effect",
            )
        return made

    @property
    def user(self) -> str:
        return f"system:serviceaccount:{self.home}:{ACCOUNT}"

    @property
    def location(self) -> ConfigLocation:
        return ConfigLocation(RELEASE, self.namespace)

    def new_token(self) -> str:
        return self.cluster.service_account_token(self.home, ACCOUNT)

    def revoke_tokens(self) -> None:
        """Make every token of the proxies bad, and the ServiceAccount anew."""
        self.cluster.delete("ServiceAccount", ACCOUNT, namespace=self.home)

    def as_proxy(self, token: str = "") -> Objects:
        return self.cluster.as_token(token or self.token)

    def kubeconfig(self, *, server: str | None = None, token_file: Path | None = None) -> Path:
        if token_file is not None:
            return self.cluster.kubeconfig_for(token_file=token_file, server=server)
        return self.cluster.kubeconfig_for(token=self.token, server=server)

    # What the operator does.

    def publish(
        self, bundle: Bundle, *, sequence: int = 1, verified_at: str = "2027-01-15T08:00:00Z", without: str = ""
    ) -> Index:
        """Create the shards that are not there, except one, then write the index."""
        index = published.index_of(bundle, sequence=sequence, verified_at=verified_at)
        for name, shard in self.shards(bundle, index).items():
            if name != without:
                self._create_if_missing(shard)
        self.write_index(index)
        return index

    def shards(self, bundle: Bundle, index: Index) -> dict[str, Manifest]:
        return published.shards_of(bundle, index, namespace=self.namespace)

    def write_index(self, index: Index) -> None:
        self.write(published.index_secret(index, namespace=self.namespace))

    def write(self, secret: Manifest) -> None:
        """Create a Secret, or put it in another one's place, which may be immutable."""
        if not self._create_if_missing(secret):
            if secret.get("immutable"):
                self.delete(secret["metadata"]["name"])
                self.cluster.create(secret)
            else:
                self.cluster.replace(secret)

    def delete(self, name: str) -> None:
        self.cluster.delete("Secret", name, namespace=self.namespace)

    def _create_if_missing(self, secret: Manifest) -> bool:
        try:
            self.cluster.create(secret)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            return False
        return True


def _role() -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": ACCOUNT},
        "rules": [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [INDEX], "verbs": ["list", "watch"]},
        ],
    }


def _binding(home: str) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": ACCOUNT},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": home}],
    }
