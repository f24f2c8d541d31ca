"""Short names of our kinds are nobody else's in a cluster: ``kubectl get`` of one means one kind."""

from __future__ import annotations

from tests.cluster.cluster import Cluster
from wardgate.api import KINDS


def test_short_name_is_no_other_kinds(cluster: Cluster) -> None:
    groups = cluster.http.request("GET", "/apis")["groups"]
    paths = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]
    served = [one for path in paths for one in cluster.http.request("GET", path)["resources"]]
    ours = {kind.plural for kind in KINDS.values()}
    short = {name: kind.plural for kind in KINDS.values() for name in kind.short_names}
    words = {(word, one["name"]) for one in served for word in (one["name"], *one.get("shortNames", ()))}

    assert ours <= {one["name"] for one in served}
    assert {} == {word: plural for word, plural in words if word in short and plural != short[word]}
