"""From what users applied to what the proxies serve: ``translate``, a total pure function.

``pipeline`` tells the order of events; each other module is one step or one rule of it.
"""

from __future__ import annotations

from wardgate.translate.incremental.memo import Memo
from wardgate.translate.pipeline import Translation, translate
from wardgate.translate.reading.last_good import LastGood
from wardgate.translate.statuses.object_status import ObjectStatus, Statuses

__all__ = ["LastGood", "Memo", "ObjectStatus", "Statuses", "Translation", "translate"]
