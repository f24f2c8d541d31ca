"""Turns the objects that users applied into the config that proxies serve: ``translate``, a total, pure function.

``pipeline`` tells the order of events. The rooms below it are listed, from top to bottom, in ARCHITECTURE.md.
"""

from __future__ import annotations

from wardgate.translate.incremental.memo import Memo
from wardgate.translate.pipeline import Translation, translate
from wardgate.translate.reading.last_good import LastGood
from wardgate.translate.statuses.object_status import ObjectStatus, Statuses

__all__ = ["LastGood", "Memo", "ObjectStatus", "Statuses", "Translation", "translate"]
