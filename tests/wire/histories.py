"""How a configuration may change in time: groups of routes, each made from the one before it.

Parts are put in, taken out, moved, renamed and doubled; parts appear that only a newer version knows; now and then the
bytes are not canonical, or break the format.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st

from tests.wire.samples import FULL
from tests.wire.walking import Path, at, changed, load, objects_in, pretty, write
from wardgate.inja.limits import TemplateLimits
from wardgate.wire import encode

Group = typing.Any
"""A group's JSON."""
START = load(encode(replace(FULL, template_limits=TemplateLimits())).groups["routes"])


def texts_in(value: object, path: Path = ()) -> Iterator[Path]:
    """Where a text stands."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        if isinstance(part, str):
            yield (*path, key)
        yield from texts_in(part, (*path, key))


def lists_in(value: object, path: Path = ()) -> Iterator[Path]:
    """Where a list stands that is not empty."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        if isinstance(part, list) and part:
            yield (*path, key)
        yield from lists_in(part, (*path, key))


@st.composite
def _with_unknown(draw: st.DrawFn, group: Group) -> Group:
    path = draw(st.sampled_from(list(objects_in(group))))
    return changed(group, (*path, draw(st.sampled_from(["newer", "info_x"]))), draw(st.sampled_from([1, "x", None])))


@st.composite
def _with_text(draw: st.DrawFn, group: Group) -> Group:
    return changed(group, draw(st.sampled_from(list(texts_in(group)))), draw(st.sampled_from(["a", "b", "up-texts"])))


@st.composite
def _with_list(draw: st.DrawFn, group: Group) -> Group:
    path = draw(st.sampled_from(list(lists_in(group))))
    items = list(typing.cast("list[object]", at(group, path)))
    place = draw(st.integers(0, len(items) - 1))
    item = items[place]
    match draw(st.sampled_from(["remove", "double", "move", "first"])):
        case "remove":
            items.remove(item)
        case "double":
            items.insert(place, {**item, "name": "twin"} if isinstance(item, dict) and "name" in item else item)
        case "move":
            items.append(items.pop(place))
        case "first":
            items.insert(0, items.pop(place))
    return changed(group, path, items)


@st.composite
def histories(draw: st.DrawFn) -> list[bytes]:
    """Some groups of routes, one after another."""
    group, history = START, []
    for _ in range(draw(st.integers(2, 5))):
        step = draw(st.sampled_from([_with_list, _with_list, _with_text, _with_unknown, None]))
        group = START if step is None else draw(step(group))
        history.append(pretty(group).encode() if draw(st.integers(0, 9)) == 0 else write(group))
    return history
