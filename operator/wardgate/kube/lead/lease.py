"""Leader election on a Lease: one replica writes, the others are ready to.

Looked at every two seconds while we lead, and every second while we do not, so that a Lease set free on SIGTERM is
taken over within little more than a second, and one whose holder was killed within fifteen. ``election`` has the rules;
here are the requests, and the one task of the leader: it runs beside the renewals, is tried again when it fails, and is
cancelled, and waited for, when leadership is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

from wardgate.faults import place_of
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.api.owner import Owner
from wardgate.kube.api.pacing import Timing
from wardgate.kube.api.resources import LEASES
from wardgate.kube.lead.election import Election, LeaseRecord, Move, lease_manifest, read_lease
from wardgate.tasks import spawn

_log = logging.getLogger(__name__)

_RENEW: Final = 2.0
_RETRY: Final = 1.0
"""Seconds between two looks, less up to a quarter: of the holder, and of everyone else or after a failure."""
_REQUEST: Final = 2.0
"""Seconds for a request: several must fit before the leader has to give up."""
_RELEASE: Final = 0.5
_START_AGAIN: Final = 1.0


class Lease:
    """``identity`` must be unique among all replicas that ever were. The Lease goes with its ``owner``."""

    def __init__(
        self,
        client: KubeClient,
        *,
        namespace: str,
        name: str,
        identity: str,
        timing: Timing,
        owner: Owner | None = None,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._timing = timing
        self._owner = owner
        self._election = Election(identity, owner="" if owner is None else owner.uid)
        self._leading: asyncio.Task[None] | None = None
        self.problem = ""
        """Why the Lease cannot be read or written, a sentence for people; empty if it can."""

    @property
    def is_leader(self) -> bool:
        """Whether we may write at this very moment, by our own clock."""
        return self._remaining > 0.0

    @property
    def holder(self) -> str:
        """Who holds it, as far as we know; empty: nobody."""
        return self._election.record.holder

    async def run(self, lead: Callable[[], Awaitable[None]]) -> NoReturn:
        """Take part in the election until cancelled, and ``lead`` whenever the Lease is ours.

        Nothing is released at the end: ``release`` does it, afterwards.
        """
        try:
            while True:
                await self._turn(self._remaining or 2 * _REQUEST)
                await self._follow_up(lead)
                await self._timing.sleep(self._pause())
                # Before the next turn, which may take seconds that are not ours any more.
                if not self.is_leader:
                    await self._stop()
        finally:
            await self._stop()

    async def release(self) -> None:
        """Let another replica take over at once. Call it when ``run`` has ended; half a second at most, never fails."""
        self._election.give_up()
        try:
            async with asyncio.timeout(_RELEASE):
                self._election.observe(await self._read(), self._timing.clock())
                if self._election.is_ours:
                    await self._write(self._election.resignation())
        except (KubeError, TimeoutError) as error:
            _log.info("%s could not be released (%s): another replica takes over in ten seconds.", self._what, error)

    async def _follow_up(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Begin or end what the leader does, as the Lease is."""
        if not self.is_leader:
            await self._stop()
        elif self._leading is None:
            _log.info("This replica leads now.")
            self._leading = spawn(self._keep_leading(lead), name="leading")

    @property
    def _remaining(self) -> float:
        return self._election.remaining(self._timing.clock())

    async def _turn(self, limit: float) -> None:
        """Look, and write if that is what to do; be back before leadership ends."""
        try:
            async with asyncio.timeout(limit):
                if self._election.observe(await self._read(), self._timing.clock()) is not Move.WAIT:
                    await self._write(self._election.claim(self._timing.now()))
            self._has_problem("")
        except ApiError as error:
            if not error.is_conflict:
                self._has_problem(self._explain(error))
        except (KubeError, TimeoutError) as error:
            self._has_problem(f"{self._what} cannot be renewed ({str(error) or 'no answer in time'}).")
        except Exception as error:  # noqa: BLE001 - without this loop nobody would ever lead
            self._has_problem(f"Internal error ({place_of(error)}) over {self._what}. Please report this bug.")

    async def _read(self) -> LeaseRecord:
        try:
            async with asyncio.timeout(_REQUEST):
                return read_lease(await self._client.get(self._path))
        except ApiError as error:
            if error.is_absent:
                return LeaseRecord()
            raise

    async def _write(self, record: LeaseRecord) -> None:
        began = self._timing.clock()
        manifest = lease_manifest(
            record, namespace=self._namespace, name=self._name, wall=self._timing.now(), owner=self._owner
        )
        async with asyncio.timeout(_REQUEST):
            if record.version:
                answer = await self._client.replace(self._path, manifest)
            else:
                answer = await self._client.create(LEASES.path(self._namespace), manifest)
        self._election.wrote(read_lease(answer), began=began)

    @property
    def _path(self) -> str:
        return LEASES.path(self._namespace, self._name)

    async def _keep_leading(self, lead: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await lead()
            except KubeError as error:
                _log.warning("Taking over as leader failed and is tried again: %s", error)
            except Exception as error:  # noqa: BLE001 - to lead and do nothing would be worse
                _log.error("Internal error (%s) while taking over as leader.", place_of(error))
            else:
                return
            await self._timing.sleep(_START_AGAIN)

    async def _stop(self) -> None:
        """End what the leader does. Nothing of it is left on return: the next term, or another replica, may begin."""
        if self._leading is None:
            return
        # If we are cancelled while we wait, we wait once more, and do not break off how it ends.
        if not self._leading.cancelling():
            self._leading.cancel()
            _log.info("This replica no longer leads.")
        await asyncio.wait({self._leading})
        self._leading = None

    def _pause(self) -> float:
        longest = _RENEW if self.is_leader and not self.problem else _RETRY
        return min(longest * (1.0 - 0.25 * self._timing.random()), self._remaining or longest)

    @property
    def _what(self) -> str:
        return f"Lease {self._namespace}/{self._name}"

    def _explain(self, error: ApiError) -> str:
        if error.is_forbidden:
            return (
                f"{self._what} is not accessible ({error}). Allow the operator's ServiceAccount to get, create and "
                f"update leases in namespace {self._namespace}."
            )
        return f"{self._what} cannot be renewed ({error})."

    def _has_problem(self, sentence: str) -> None:
        if sentence and sentence != self.problem:
            _log.warning("%s", sentence)
        self.problem = sentence
