"""What is published, seen by the cluster's admin, and what somebody may do to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from tests.cluster.cluster import Cluster
from tests.cluster.http_api import ApiError
from tests.cluster.objects import Object
from wardgate.kube.delivery.index import ENTRY, Index, UnreadableIndexError, index_name, read_index
from wardgate.kube.delivery.shards import ShardError, read_shard


class PublishedConfig:
    """The config namespace of a release."""

    def __init__(self, cluster: Cluster, *, release: str, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self.name = index_name(release)

    def secret(self, name: str = "") -> Object:
        """One Secret; without a name, the index."""
        return self._cluster.get("Secret", name or self.name, namespace=self._namespace)

    def index(self) -> Index:
        """The index; an ``AssertionError`` where there is none to read."""
        try:
            return read_index(self.secret())
        except (ApiError, UnreadableIndexError) as error:
            raise AssertionError(error) from error

    def whole(self) -> Index:
        """The index, after a look at every shard that it names: an ``AssertionError`` where one is not as named."""
        index = self.index()
        for shard in index.shards:
            try:
                found = self.secret(shard.name)
                read_shard(found, shard)
            except (ApiError, ShardError) as error:
                raise AssertionError(error) from error
            assert shard.uid in {"", found["metadata"]["uid"]}
        return index

    def delete(self, name: str = "") -> None:
        """Delete one Secret."""
        self._cluster.delete("Secret", name or self.name, namespace=self._namespace)

    def replace_shard(self, name: str, data: Mapping[str, str]) -> None:
        """Shards are immutable, so whoever wants other content there deletes one and creates another of its name."""
        found = self.secret(name)
        self.delete(name)
        kept = {key: found["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
        self._cluster.create({**found, "metadata": kept, "data": dict(data)})

    def write_index(self, data: Mapping[str, str]) -> None:
        """Write something else into the index, whoever wrote it last."""
        self._cluster.patch("Secret", self.name, {"data": dict(data)}, namespace=self._namespace)


def index_content(secret: Mapping[str, Any]) -> dict[str, Any]:
    """What an index says."""
    content = json.loads(base64.b64decode(secret["data"][ENTRY]))
    assert isinstance(content, dict)
    return content


def index_data(content: Mapping[str, Any]) -> dict[str, str]:
    """The data of an index that says this."""
    return {ENTRY: base64.b64encode(json.dumps(content).encode()).decode()}
