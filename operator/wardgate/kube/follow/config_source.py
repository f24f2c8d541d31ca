"""The config of a proxy, from the Secrets of the config namespace.

Rule 1: the revision in force is replaced only by a whole, verified revision whose sequence is not smaller. All else (no
        index, an unreadable index, a shard that is missing or is not the one that the index names, a schema of another
        major, a smaller sequence) is shown and changes nothing; where another attempt may help, there is one.
Rule 2: the newest index counts. An index that arrives while another is put in force is next; those between are skipped.
Rule 3: the age is the time since the index was last known to name the revision in force. A write that a watch tells is
        new. An index that a look finds may be old, and its writer gone: its age is taken from its ``verifiedAt``, by
        the wall's clock. If the clocks differ, the next renewal sets that right.
Rule 4: the last good revision is kept on a volume. A start serves it at once, before it asks the API server; then the
        index counts, by rule 1.

Nothing here ends the proxy: the API server may be away for any time, and an unforeseen error is shown as a problem and
followed by another attempt.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.pacing import INDEX_SILENCE, Backoff, Timing
from wardgate.kube.delivery.config_location import ConfigLocation
from wardgate.kube.delivery.index import Index, UnreadableIndexError, read_index
from wardgate.kube.follow.consumer import Cause, ConfigConsumer, NotInForce
from wardgate.kube.follow.index_watch import IndexWatch, Sighting
from wardgate.kube.follow.revision_file import KeptRevision, RevisionFile, RevisionFileError
from wardgate.kube.follow.shard_collector import CollectionError, ShardCollector
from wardgate.tasks import spawn
from wardgate.wire.bundle import Bundle
from wardgate.wire.delivery import Delivery
from wardgate.wire.errors import SchemaError
from wardgate.wire.schema import check_schema

_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class _Served:
    """The revision in force; ``confirmed_at`` on the clock."""

    bundle: Bundle
    sequence: int
    verified_at: str
    confirmed_at: float


class ConfigSource:
    """See the rules above. ``silence``: seconds without a word after which a watch is dead."""

    def __init__(
        self,
        client: KubeClient,
        consumer: ConfigConsumer,
        *,
        location: ConfigLocation,
        cache: RevisionFile | None = None,
        timing: Timing | None = None,
        silence: float = INDEX_SILENCE,
    ) -> None:
        self._consumer = consumer
        self._location = location
        self._cache = cache
        self._timing = timing or Timing()
        self._shards = ShardCollector(client, location)
        self._watch = IndexWatch(
            client, location, seen=self._saw, connection=self._connection, timing=self._timing, silence=silence
        )
        self._seen: Sighting | None = None
        self._served: _Served | None = None
        self._changed = asyncio.Event()
        self._unkept = asyncio.Event()
        self._connected = False
        self._disconnection = ""
        self._problem = ""
        self._refused_sequence: int | None = None
        self._refused: Counter[str] = Counter()

    def delivery(self) -> Delivery:
        """The state of the delivery at this moment."""
        served = self._served
        return Delivery(
            sequence=served.sequence if served else None,
            refused_sequence=self._refused_sequence,
            age=self._timing.clock() - (served.confirmed_at if served else _NEVER),
            connected=self._connected,
            verified_at=served.verified_at if served else "",
            problem=" ".join(filter(None, (self._problem, self._disconnection))),
            refused=dict(self._refused),
        )

    async def run(self) -> None:
        """Follow the index until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._settle_forever(), name="put the index in force")
            group.create_task(self._watch.run(), name="watch the index")
            if self._cache is not None:
                group.create_task(self._keep_forever(self._cache), name="keep the last good revision")

    # Words of the watch.

    def _saw(self, sighting: Sighting) -> None:
        self._seen = sighting
        self._changed.set()

    def _connection(self, trouble: str) -> None:
        if trouble and not self._disconnection:
            self._consumer.announce(trouble + self._consequence())
        elif self._disconnection and not trouble:
            self._consumer.announce("The API server answers again.")
        self._connected = not trouble
        self._disconnection = trouble

    # From an index to a revision in force.

    async def _settle_forever(self) -> NoReturn:
        if self._cache is not None:
            try:
                await self._restore(self._cache)
            except Exception as error:  # noqa: BLE001 - the index may be better than what was kept
                self._consumer.announce(f"Internal error ({type(error).__name__}) at the config that was kept.")
        backoff = Backoff(self._timing.random)
        delay: float | None = None
        while True:
            if await self._wait(delay):
                backoff.reset()
            delay = backoff.next() if await self._settle() else None

    async def _wait(self, delay: float | None) -> bool:
        """Wait for a sighting, or at most so long; return whether there is one."""
        waiting: list[asyncio.Task[object]] = [spawn(self._changed.wait(), name="wait for the index")]
        if delay is not None:
            waiting.append(spawn(self._timing.sleep(delay), name="wait to try again"))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return self._changed.is_set()
        finally:
            self._changed.clear()
            for task in waiting:
                task.cancel()

    async def _settle(self) -> bool:
        """Put the last sighting in force; return whether to try again although nothing new is seen."""
        assert self._seen is not None
        try:
            await self._take(self._seen)
        except NotInForce as reason:
            self._complain(reason.cause, str(reason))
            return reason.again
        except Exception as error:  # noqa: BLE001 - what is in force must outlive whatever an index runs into
            self._complain("internal", f"Internal error ({type(error).__name__}) at a new config; please report it.")
            return True
        self._problem = ""
        return False

    async def _take(self, seen: Sighting) -> None:
        index = self._read(seen)
        served = self._served
        if served is None or index.revision != served.bundle.revision:
            served = _Served(await self._put_in_force(index, seen), -1, "", _NEVER)
        elif self._problem:
            self._consumer.announce("The index is good again.")
        if (index.sequence, index.verified_at) != (served.sequence, served.verified_at):
            # A clock that is set back, or an old index that a look finds, must not make the revision older.
            at = max(served.confirmed_at, seen.at - (0.0 if seen.live else self._seconds_since(index.verified_at)))
            self._served = _Served(served.bundle, index.sequence, index.verified_at, at)
            self._unkept.set()
            self._consumer.confirmed()

    def _read(self, seen: Sighting) -> Index:
        """Read the index as far as it may be followed. Raises ``NotInForce``."""
        if seen.secret is None:
            raise NotInForce("missing", self._missing())
        try:
            index = read_index(seen.secret)
        except UnreadableIndexError as error:
            raise NotInForce("unreadable", f"{self._location.index}: {error}") from None
        if self._served is not None and index.sequence < self._served.sequence:
            self._refused_sequence = index.sequence
            text = f"{self._location.index} went back to sequence {index.sequence}, behind {self._served.sequence}."
            raise NotInForce("sequence", f"{text} The operator mends that when it publishes next.")
        self._refused_sequence = None
        try:
            check_schema(index.schema)
        except SchemaError as error:
            raise NotInForce("schema", f"{self._location.index}: {error}") from None
        return index

    async def _put_in_force(self, index: Index, seen: Sighting) -> Bundle:
        try:
            bundle = await self._shards.collect(index)
        except CollectionError as error:
            raise NotInForce("shard", str(error), again=True) from None
        await self._consumer.apply(bundle, noticed=seen.at)
        self._shards.serve(bundle)
        return bundle

    def _seconds_since(self, verified_at: str) -> float:
        """Seconds by the wall's clock since then; infinite if it cannot be read."""
        try:
            return max(0.0, self._timing.now() - datetime.fromisoformat(verified_at).timestamp())
        except (ValueError, OverflowError, OSError):
            return float("inf")

    # Words for a person.

    def _complain(self, cause: Cause, text: str) -> None:
        self._refused[cause] += 1
        if text != self._problem:
            self._consumer.announce(text + self._consequence())
        self._problem = text

    def _missing(self) -> str:
        if self._served is not None:
            return f"{self._location.index} was deleted."
        release, namespace = self._location.release, self._location.namespace
        return (
            f"{self._location.index} does not exist yet. The operator writes it: see that it runs, "
            f"with release {release} and config namespace {namespace}."
        )

    def _consequence(self) -> str:
        return " What is in force stays." if self._served else " Nothing is served until then."

    # The last good revision on a volume.

    async def _restore(self, cache: RevisionFile) -> None:
        began = self._timing.clock()
        try:
            kept = await asyncio.to_thread(cache.read)
            if kept is None:
                return
            await self._consumer.apply(kept.bundle, noticed=began)
        except RevisionFileError as error:
            self._consumer.announce(str(error))
            return
        except NotInForce as reason:
            self._consumer.announce(f"The config kept in {cache.folder} cannot be served: {reason}")
            return
        age = self._timing.now() - kept.confirmed_at
        if age < 0:  # the clock was set back: nobody knows how old this is
            age = float("inf")
        self._shards.serve(kept.bundle)
        self._served = _Served(kept.bundle, kept.sequence, kept.verified_at, began - age)
        self._consumer.confirmed()
        self._consumer.announce(f"That is the config kept in {cache.folder}, until the API server answers.")

    async def _keep_forever(self, cache: RevisionFile) -> NoReturn:
        trouble = ""
        while True:
            await self._unkept.wait()
            self._unkept.clear()
            served = self._served
            assert served is not None
            confirmed_at = self._timing.now() - (self._timing.clock() - served.confirmed_at)
            kept = KeptRevision(served.bundle, served.sequence, served.verified_at, confirmed_at)
            try:
                await asyncio.to_thread(cache.write, kept)
            except OSError as error:
                if str(error) != trouble:
                    trouble = str(error)
                    self._consumer.announce(f"The config cannot be kept for a restart: {trouble}.")
