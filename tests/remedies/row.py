"""One remedy: the smallest mistake that provokes it, and every way in which it can be followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.remedies.gateway import GUARDED, Changes
from wardgate.settings import Settings


@dataclass(frozen=True, slots=True)
class Row:
    """``told`` is a part of the message. ``wrong`` is changed in the gateway that is right, each of ``right`` in that.

    ``then``: what stands before each route once a remedy is applied. ``mended``: the settings then.
    """

    told: str
    wrong: Changes
    right: tuple[Changes, ...]
    settings: Settings
    mended: Settings
    then: Mapping[str, str]


def row(
    told: str,
    wrong: Changes,
    *right: Changes,
    settings: Settings | None = None,
    mended: Settings | None = None,
    then: Mapping[str, str] | None = None,
) -> Row:
    """A row; without ``then`` the one route is guarded as before, without ``mended`` the remedy is no setting."""
    given = settings or Settings()
    return Row(told, wrong, right, given, mended or given, {"llm": GUARDED} if then is None else then)
