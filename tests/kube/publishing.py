"""What the tests of publishing share: bundles of any bytes, a world with its operators, and what is in force in it."""

from __future__ import annotations

from types import MappingProxyType

from tests.kube.fake_api_server import FakeApiServer, FakeClient
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.delivery.index import Index, index_name, read_index
from wardgate.kube.delivery.shards import joined, read_shard
from wardgate.kube.lead.term import Term
from wardgate.kube.publish.packing import MAX_PART
from wardgate.kube.publish.publisher import Publisher
from wardgate.wire.bundle import Bundle, hash_of, revision_of

RELEASE = "wardgate"
NAMESPACE = "wardgate-config"
INDEX = SECRETS.path(NAMESPACE, index_name(RELEASE))
NOW = 1_764_000_000.0


def bundle(**groups: str) -> Bundle:
    """A bundle of these groups; an underscore stands for a dash."""
    return bundle_of({name.replace("_", "-"): text.encode() for name, text in groups.items()})


def bundle_of(groups: dict[str, bytes]) -> Bundle:
    """A bundle of these bytes."""
    hashes = {name: hash_of(data) for name, data in groups.items()}
    revision = revision_of(schema="1.0", hashes=hashes)
    return Bundle("1.0", revision, MappingProxyType(groups), MappingProxyType(hashes))


def shard(name: str) -> str:
    """The path of a shard."""
    return SECRETS.path(NAMESPACE, name)


class World:
    """One API server, a clock, and as many operators as wanted."""

    def __init__(self) -> None:
        self.api = FakeApiServer()
        self.now = NOW

    def operator(self, *, client: FakeClient | None = None, max_part: int = MAX_PART) -> Publisher:
        """A process that may publish."""
        return Publisher(
            client or FakeClient(self.api),
            release=RELEASE,
            namespace=NAMESPACE,
            now=lambda: self.now,
            max_part=max_part,
        )

    def term(self, name: str = "operator-a") -> Term:
        """A term that begins now, of the replica of this name."""
        return Term(name, began=self.now)

    async def leader(self, name: str = "operator-a", *, client: FakeClient | None = None) -> Publisher:
        """One that took over."""
        publisher = self.operator(client=client)
        await publisher.take_over(self.term(name))
        return publisher

    def index(self) -> Index:
        """What the index says."""
        return read_index(self.api.get(INDEX))

    def in_force(self) -> Bundle:
        """What a proxy that starts now would serve; fails if it is not whole."""
        index = self.index()
        parts = {one.sha256: read_shard(self.api.get(shard(one.name)), one) for one in index.shards}
        groups = {group: joined(shards, parts) for group, shards in index.groups.items()}
        assert revision_of(schema=index.schema, hashes=index.hashes) == index.revision
        return Bundle(index.schema, index.revision, MappingProxyType(groups), MappingProxyType(index.hashes))

    def shard_of(self, group: str) -> str:
        """The path of the shard in force."""
        return next(shard(one.name) for one in self.index().shards if one.group == group)
