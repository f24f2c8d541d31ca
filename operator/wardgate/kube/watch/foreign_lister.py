"""The lists of a kind that Wardgate does not implement and that closes routes (``api.foreign_kinds.GUARDS``).

Nothing foreign may hold up what is ours. So a first round does not wait for a foreign kind that may not be listed, nor
long for one that cannot be; whether it was listed in time is nobody's health; and that it has no CRD, as in most
clusters, is not worth a word. Its objects stay as they were last seen until a list says otherwise, over a restart too.
"""

from __future__ import annotations

from typing import ClassVar, Final, NoReturn

from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.watch.kind_lister import KindLister
from wardgate.kube.watch.listing import explain
from wardgate.kube.watch.objects import SeenStatus

PATIENCE: Final = 30.0
"""Seconds of failures after which the first round does not wait any more."""


class ForeignLister(KindLister):
    """See above. Nobody follows the statuses of foreign objects."""

    is_vital: ClassVar[bool] = False
    _failing_since: float | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether a first answer is still to come, and soon."""
        if self.listed_at is not None or self.refusal.is_noted:
            return False
        return self._failing_since is None or self._timing.clock() - self._failing_since < PATIENCE

    @property
    def is_in_time(self) -> bool:
        """Always: old news of a foreign kind is no reason to doubt our own."""
        return True

    async def run(self) -> NoReturn:
        """List it again and again until cancelled; until the first list it counts as not listed."""
        self._sink.unlisted(self.kind, self.scope, unlisted=self.listed_at is None)
        await super().run()

    def _failed(self, error: KubeError) -> float:
        if self._failing_since is None:
            self._failing_since = self._timing.clock()
        return super()._failed(error)

    def _is_listed(self) -> None:
        self._failing_since = None
        self._sink.unlisted(self.kind, self.scope, unlisted=False)
        super()._is_listed()

    def _is_absent(self) -> None:
        """Keep what was seen: to delete a CRD, with all of Gloo's for example, is not meant to open a route."""
        self._sink.unlisted(self.kind, self.scope, unlisted=True)
        super()._is_absent()

    def _tell_status(self, seen: SeenStatus) -> None:
        """Tell none: nobody writes statuses of foreign kinds."""

    def _explain(self, error: KubeError) -> str:
        sentences = explain(self.collection, error)
        if isinstance(error, ApiError) and error.is_forbidden:
            return (
                f"{sentences} Until then what was last seen of the kind stays in force, and routes that only a newer "
                f"{self.kind} guards are open."
            )
        return sentences

    def _explain_absence(self) -> str:
        return ""
