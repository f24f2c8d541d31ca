"""kopf, embedded: one run of its operator, in a thread and a loop of its own.

Not in ours, for three reasons found in its source (1.45): ``kopf.operator`` takes the loop's signal handlers; when it
ends it cancels every task of the loop that is younger than itself; and a fault in it must not hold up revocations.
Its sightings are handed to our loop as stored objects, one call per event.

It gets nothing that would let it write: no handlers but ``on.event``, no posting, no peering, no scanning (so no rights
on CRDs or namespaces), and a finalizer of a name that no object carries, because it removes its own where it finds it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

import kopf

from wardgate.kube.api.access import Access
from wardgate.kube.api.connections import OwnSession
from wardgate.kube.api.list_watch import lifetime
from wardgate.kube.api.resources import Resource
from wardgate.kube.watch.objects import SeenStatus, object_ref, resource_version, seen_status, stored_object
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.tasks import spawn

_log = logging.getLogger(__name__)

_FINALIZER: Final = "wardgate.dev/never-used"
_WATCH_AT_MOST: Final = 480.0
"""Seconds after which kopf ends a watch that the server did not end in its time."""
_REQUEST: Final = 15.0
_CONNECT: Final = 5.0
_RETRIES: Final = (0.1, 0.5, 1.0, 2.0, 2.0)
_PAGE: Final = 500
_LOG_IN_AGAIN: Final = 1.0
_STOP: Final = 0.3
"""Seconds that a stop may take; kopf is left behind then, in a thread that ends with the process."""
_LOOK: Final = 0.5
"""Seconds between two looks at kopf's watchers."""
WATCHER: Final = "watcher for "
"""The beginning of the names of kopf's watching tasks, one for each kind and namespace."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One event. ``obj`` and ``status`` None: the object was deleted. ``was_listed``: in a list, not by a watch."""

    ref: ObjectRef
    version: int
    obj: StoredObject | None
    status: SeenStatus | None
    was_listed: bool


class KopfThread:
    """Runs once. ``observe`` is called in the loop that made this; ``access`` is awaited there."""

    def __init__(
        self,
        resources: Iterable[Resource],
        *,
        namespaces: Iterable[str],
        silence: float,
        random: Callable[[], float],
        access: Callable[[], Coroutine[Any, Any, Access]],
        observe: Callable[[Observed], None],
    ) -> None:
        self._resources = tuple(resources)
        self._namespaces = tuple(namespaces)
        self._silence = silence
        self._random = random
        self._access = access
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._kopf_loop: asyncio.AbstractEventLoop | None = None
        self._kopf_stop: asyncio.Event | None = None
        self._stopping = False
        self._sessions: list[OwnSession] = []
        self.ended: asyncio.Future[str] = self._loop.create_future()
        """Done when it has ended or is of no use any more, with what ended it, if something did."""
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)

    def start(self) -> None:
        """Start watching."""
        _tame_logging()
        self._thread.start()

    async def stop(self) -> None:
        """End it; nothing is observed after this."""
        self._stopping = True
        if self._kopf_loop is not None and self._kopf_stop is not None and not self._gone.done():
            with suppress(RuntimeError):  # it ended just now
                self._kopf_loop.call_soon_threadsafe(self._kopf_stop.set)
        await asyncio.wait([self._gone], timeout=_STOP)

    def _run(self) -> None:
        outcome = ""
        try:
            asyncio.run(self._operate())
        except BaseException as error:  # noqa: BLE001 - whatever ends it, we have to know
            outcome = type(error).__name__
            _log.debug("kopf ended: %s", type(error).__name__)
        self._in_our_loop(self._is_gone, outcome)

    async def _operate(self) -> None:
        self._kopf_loop = asyncio.get_running_loop()
        self._kopf_loop.set_exception_handler(_forget_stray_failure)
        self._kopf_stop = asyncio.Event()
        if not self._stopping:
            minding = spawn(self._mind_watchers(), name="mind kopf's watchers")
            try:
                await self._run_kopf()
            finally:
                minding.cancel()
                for each in self._sessions:
                    await each.end()

    async def _run_kopf(self) -> None:
        await kopf.operator(
            registry=self._registry(),
            settings=self._settings(),
            identity=cast("Any", "wardgate"),
            standalone=True,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=self._kopf_stop,
        )

    async def _mind_watchers(self) -> None:
        """Tell when kopf fails, for it may not end by that.

        A watcher that fails (a right was taken away, six attempts in vain) makes kopf cancel the others; one that is
        about to begin a watch takes its cancellation for something else, goes on, finds its session closed, and waits
        for a login that nobody makes any more: for ever.
        """
        most = 0
        while True:
            await asyncio.sleep(_LOOK)
            watchers = [task for task in asyncio.all_tasks() if task.get_name().startswith(WATCHER)]
            # A watcher that ended and one that is being cancelled both mean that kopf is on its way to an end.
            if len(watchers) < most or any(task.cancelling() for task in watchers):
                self._in_our_loop(self._has_ended, "a watch failed")
                return
            most = len(watchers)

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(id="wardgate", registry=registry, backoff=1.0)(self._log_in)
        for resource in self._resources:
            observe = kopf.on.event(
                resource.group,
                resource.version,
                resource.plural,
                id=resource.plural,
                param=resource.kind,
                registry=registry,
            )
            observe(self._on_event)
        return registry

    def _settings(self) -> kopf.OperatorSettings:
        settings = kopf.OperatorSettings()
        settings.process.ultimate_exiting_timeout = None
        settings.posting.enabled = False
        settings.scanning.disabled = True
        settings.persistence.finalizer = _FINALIZER
        settings.queueing.exit_timeout = _STOP / 2
        settings.networking.request_timeout = _REQUEST
        settings.networking.connect_timeout = _CONNECT
        settings.networking.error_backoffs = _RETRIES
        settings.networking.trust_env = True
        settings.watching.chunk_size = _PAGE
        settings.watching.server_timeout = lifetime(self._random)
        settings.watching.client_timeout = _WATCH_AT_MOST
        settings.watching.inactivity_timeout = self._silence
        return settings

    async def _log_in(self, **_: Any) -> kopf.AiohttpSession:
        """Give kopf a session in our identity. It asks again when that was refused, and the answer may be the same."""
        if self._sessions:
            await asyncio.sleep(_LOG_IN_AGAIN)
        loading = asyncio.run_coroutine_threadsafe(self._access(), self._loop)
        access = await asyncio.wrap_future(loading)
        headers = {"Authorization": access.authorization} if access.authorization else {}
        made = OwnSession(access, headers=headers)
        self._sessions.append(made)
        return kopf.AiohttpSession(server=access.url, aiohttp_session=made.session)

    async def _on_event(self, **given: Any) -> None:
        kind, event = given["param"], given["event"]
        manifest, what = event["object"], event["type"]
        observed = Observed(
            ref=object_ref(kind, manifest),
            version=resource_version(manifest),
            obj=None if what == "DELETED" else stored_object(kind, manifest),
            status=None if what == "DELETED" else seen_status(kind, manifest),
            was_listed=what is None,
        )
        self._in_our_loop(self._take, observed)

    def _take(self, observed: Observed) -> None:
        if not self._stopping:
            self._observe(observed)

    def _is_gone(self, outcome: str) -> None:
        self._has_ended(outcome)
        self._gone.set_result(None)

    def _has_ended(self, outcome: str) -> None:
        if not self.ended.done():
            self.ended.set_result(outcome)

    def _in_our_loop(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            _log.debug("kopf spoke after the end.")


def _forget_stray_failure(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """kopf leaves requests behind when it is stopped while it starts; they fail, and nobody waits for them."""
    _log.debug("kopf left behind: %s", type(context.get("exception")).__name__)


class _Condensed(logging.Handler):
    """One line at level DEBUG for each error of kopf: its warnings may quote objects, its traces are long."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.debug("kopf: %.300s", record.getMessage().partition("\n")[0])


def _tame_logging() -> None:
    kopf_log = logging.getLogger("kopf")
    kopf_log.setLevel(logging.ERROR)
    kopf_log.propagate = False
    if not any(isinstance(handler, _Condensed) for handler in kopf_log.handlers):
        kopf_log.addHandler(_Condensed())
