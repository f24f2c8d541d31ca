"""The merge-patch that brings a status from what the API server holds to what we want. Pure.

Rule 1: only our fields are touched: those of the kind's status model, and conditions of our own types. Fields that
others keep in the same status stay. A field of ours that is no longer wanted is removed (null).
Rule 2: a merge-patch replaces a list as a whole, so the list of conditions is sent with the foreign ones in it.
Rule 3: a foreign CRD may drop fields it does not know. Those it dropped from the last status that we sent, it will drop
again: it is no difference, and causes no second write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from wardgate.api import KINDS, ConditionType
from wardgate.api.rules.rules import json_name

Manifest: TypeAlias = dict[str, Any]

_CONDITIONS: Final = "conditions"
_OUR_TYPES: Final = frozenset(kind.value for kind in ConditionType)


def difference(kind: str, *, held: Mapping[str, Any], wanted: Mapping[str, Any]) -> Manifest:
    """The patch for what stands under ``status``; empty where nothing differs."""
    patch: Manifest = {}
    for name in _fields(kind):
        if name == _CONDITIONS:
            if _ours(held) != _ours(wanted):
                patch[name] = [*wanted.get(name, ()), *foreign_conditions(held)]
        elif name in wanted or name in held:
            _compare(patch, name, held=held.get(name), wanted=wanted.get(name))
    return patch


def foreign_conditions(status: Mapping[str, Any]) -> list[object]:
    """Conditions of other types than ours, as they stand."""
    return [one for one in _listed(status) if not (isinstance(one, dict) and str(one.get("type")) in _OUR_TYPES)]


def as_kept(wanted: Any, *, sent: Any, returned: Any) -> Any:
    """The part of ``wanted`` that the server would keep, judging by the part of ``sent`` that it kept."""
    if not (isinstance(wanted, dict) and isinstance(sent, dict) and isinstance(returned, dict)):
        return wanted
    return {
        name: _kept_field(name, value, sent=sent.get(name), returned=returned.get(name))
        for name, value in wanted.items()
        if name not in sent or name in returned
    }


def _kept_field(name: str, wanted: Any, *, sent: Any, returned: Any) -> Any:
    if name != _CONDITIONS:
        return as_kept(wanted, sent=sent, returned=returned)
    then, now = _by_type(sent), _by_type(returned)
    return [
        as_kept(one, sent=then.get(kind), returned=now.get(kind))
        for kind, one in _by_type(wanted).items()
        if kind not in then or kind in now
    ]


def _fields(kind: str) -> list[str]:
    return [json_name(name) for name in KINDS[kind].status.model_fields]


def _compare(patch: Manifest, name: str, *, held: Any, wanted: Any) -> None:
    if not isinstance(wanted, dict):
        if held != wanted:
            patch[name] = wanted
        return
    if not isinstance(held, dict):
        patch[name] = wanted
        return
    below: Manifest = {}
    for part in sorted({*held, *wanted}):
        _compare(below, part, held=held.get(part), wanted=wanted.get(part))
    if below:
        patch[name] = below


def _ours(status: Mapping[str, Any]) -> dict[str, object]:
    return {kind: one for kind, one in _by_type(_listed(status)).items() if kind in _OUR_TYPES}


def _listed(status: Mapping[str, Any]) -> list[object]:
    listed = status.get(_CONDITIONS)
    return listed if isinstance(listed, list) else []


def _by_type(conditions: object) -> dict[str, dict[str, Any]]:
    listed = conditions if isinstance(conditions, list) else []
    return {str(one.get("type")): one for one in listed if isinstance(one, dict)}
