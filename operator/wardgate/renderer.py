"""Snapshot to bytes: translate, then encode. Holds the state that outlives one round, and nothing else.

The one pipeline behind ``wardgate run``, ``check``, ``render`` and the operator. Owned by one task; does no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.settings import Settings
from wardgate.snapshot import ClusterSnapshot
from wardgate.translate.incremental.memo import Memo
from wardgate.translate.pipeline import Translation, translate
from wardgate.translate.reading.last_good import LastGood
from wardgate.wire.bundle import Bundle
from wardgate.wire.encode import Encoder


@dataclass(frozen=True, slots=True)
class Rendered:
    """A translation and the bundle that holds its config."""

    translation: Translation
    bundle: Bundle


class Renderer:
    """``settings`` and ``last_good`` may be replaced between two rounds."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._last_good: LastGood = {}
        self._translation: Translation | None = None
        """The last translation, until its last good forms are asked for."""
        self._memo = Memo()
        self._encoder = Encoder()

    @property
    def last_good(self) -> LastGood:
        """Input of the next round, computed on demand because publishing comes first."""
        if self._translation is not None:
            self.last_good = self._translation.last_good
        return self._last_good

    @last_good.setter
    def last_good(self, last_good: LastGood) -> None:
        self._last_good, self._translation = last_good, None

    @property
    def schema(self) -> str:
        """The schema in which configs are written; another may be chosen between two rounds."""
        return self._encoder.schema

    @schema.setter
    def schema(self, schema: str) -> None:
        if schema != self._encoder.schema:
            self._encoder = Encoder(schema=schema)

    def render(self, snapshot: ClusterSnapshot) -> Rendered:
        """Do one round. Equal objects give equal bytes, and cost little."""
        translation = translate(snapshot, self.settings, last_good=self.last_good, memo=self._memo)
        bundle = self._encoder.encode(translation.config)
        self._translation = translation
        return Rendered(translation, bundle)

    def retract(self) -> LastGood:
        """Take back the last rendering, which is not served: return what was good before it, and stays so."""
        self._translation = None
        return self._last_good

    def forget(self) -> None:
        """Forget the memory of past rounds. History was rolled back: a version may mean something else now."""
        self._memo = Memo()
