"""Settings by name: what ``--set NAME=VALUE`` may name, how each value is read, and what comes of several of them.

Everything the proxy or the translation bounds is here unless it has an option of its own. Names, forms and options
stand at the fields of the settings (``wardgate.setting``), so a new field is settable as soon as it exists.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import typer

from wardgate.inja.limits import TemplateLimits
from wardgate.proxy.settings import Limits, ProxySettings, Timeouts
from wardgate.setting import FORM, OPTION, ValueForm, seconds
from wardgate.settings import Settings

Part = Literal["proxy", "translate", "cluster"]

_GROUPS: Final[tuple[tuple[str, type, Part], ...]] = (
    ("limits.", Limits, "proxy"),
    ("timeouts.", Timeouts, "proxy"),
    ("", ProxySettings, "proxy"),
    ("", Settings, "translate"),
    ("template_limits.", TemplateLimits, "translate"),
)
"""The classes whose fields are settings: what precedes a field's name, the class, who has it."""
_LONGEST_SILENCE: Final = 75
"""Seconds, the operator's default: with a longer silence a frozen watch would outlast 90 s (invariant 5)."""
_WHOSE: Final[Mapping[Part, str]] = {
    "proxy": "the proxy",
    "translate": "the translation",
    "cluster": "whoever follows a cluster",
}

OWN_OPTIONS: Final[Mapping[str, str]] = {
    prefix + field.name: field.metadata[OPTION]
    for prefix, of, _ in _GROUPS
    for field in dataclasses.fields(of)
    if OPTION in field.metadata
}
"""Settings that ``--set`` leaves to an option: there is one way to set each."""


@dataclass(frozen=True, slots=True)
class Setting:
    """``part``: who has it."""

    name: str
    part: Part
    form: ValueForm


@dataclass(frozen=True, slots=True)
class Assignment:
    """A setting and its value, read."""

    setting: Setting
    value: object


def _settings() -> Iterator[Setting]:
    for prefix, of, part in _GROUPS:
        for field in dataclasses.fields(of):
            if FORM in field.metadata:
                yield Setting(prefix + field.name, part, field.metadata[FORM])
    # Two kinds of process have it, with defaults of their own.
    yield Setting("watch_silence", "cluster", seconds(lowest=1, highest=_LONGEST_SILENCE))


SETTINGS: Final[Mapping[str, Setting]] = {one.name: one for one in _settings()}


def parse_assignment(text: str) -> Assignment:
    """Read ``limits.head_bytes=128KiB``."""
    name, equals, value = (part.strip() for part in text.partition("="))
    setting = SETTINGS.get(name)
    if setting is None:
        raise typer.BadParameter(_unknown(name))
    if not equals:
        raise typer.BadParameter(f"{name} has no value; write {name}=VALUE. It takes {setting.form.expected}.")
    for element in value.split(",")[1:]:
        if element.partition("=")[0].strip() in SETTINGS:
            raise typer.BadParameter(f'"{element}" is a setting of its own: write --set once more, not a comma.')
    try:
        return Assignment(setting, setting.form.read(value))
    except ValueError as error:
        raise typer.BadParameter(f'{name} takes {setting.form.expected}, not "{value}".') from error


def _unknown(name: str) -> str:
    if name in OWN_OPTIONS:
        return f"{name} has an option of its own: {OWN_OPTIONS[name]}."
    same = [known for known in SETTINGS if known.rpartition(".")[2] == name]
    near = same or difflib.get_close_matches(name, SETTINGS, n=1, cutoff=0.5)
    remedy = f"did you mean {' or '.join(near)}?" if near else "--help lists them."
    return f'There is no setting "{name}"; {remedy}'


def only(*parts: Part) -> Callable[[typer.Context, typer.CallbackParam, list[Assignment] | None], list[Assignment]]:
    """Make the callback that refuses the settings of another part, which the command would not follow.

    The variable may serve several commands at once, so from there they are passed over instead.
    """

    def callback(
        context: typer.Context, option: typer.CallbackParam, given: list[Assignment] | None
    ) -> list[Assignment]:
        source = context.get_parameter_source(option.name or "")
        foreign = [one.setting for one in given or () if one.setting.part not in parts]
        if foreign and (source is None or source.name == "COMMANDLINE"):
            who = _WHOSE[foreign[0].part]
            raise typer.BadParameter(f"{foreign[0].name} is a setting of {who}; this command has no use for it.")
        return given or []

    return callback


def names(*parts: Part) -> str:
    """List the names compactly, for a help text."""
    chosen = [name for name, setting in SETTINGS.items() if setting.part in parts]
    groups = {name.rpartition(".")[0]: None for name in chosen}
    return ", ".join(_group(group, [name for name in chosen if name.rpartition(".")[0] == group]) for group in groups)


def _group(group: str, members: Collection[str]) -> str:
    if not group:
        return ", ".join(sorted(members))
    inside = ", ".join(name.rpartition(".")[2] for name in members)
    return f"{group}.{{{inside}}}"


def to_the_proxy(settings: ProxySettings, assigned: Iterable[Assignment]) -> ProxySettings:
    """Return the proxy's settings with what was assigned."""
    merged = _merged(assigned)
    return dataclasses.replace(
        settings,
        **_members(merged, prefix="", part="proxy"),
        limits=dataclasses.replace(settings.limits, **_members(merged, prefix="limits.", part="proxy")),
        timeouts=dataclasses.replace(settings.timeouts, **_members(merged, prefix="timeouts.", part="proxy")),
    )


def to_the_translation(settings: Settings, assigned: Iterable[Assignment]) -> Settings:
    """Return the translation's settings with what was assigned."""
    merged = _merged(assigned)
    bounds = TemplateLimits(**_members(merged, prefix="template_limits.", part="translate"))
    return dataclasses.replace(settings, **_members(merged, prefix="", part="translate"), template_limits=bounds)


def watch_silence(assigned: Iterable[Assignment], *, default: float) -> float:
    """Return the seconds that a watch may say nothing."""
    value = _merged(assigned).get("watch_silence", default)
    assert isinstance(value, float)
    return value


def _merged(assigned: Iterable[Assignment]) -> dict[str, object]:
    """The last value counts, but lists and labels grow."""
    merged: dict[str, object] = {}
    for one in assigned:
        name, before, value = one.setting.name, merged.get(one.setting.name), one.value
        if isinstance(before, tuple) and isinstance(value, tuple):
            merged[name] = (*before, *value)
        elif isinstance(before, dict) and isinstance(value, dict):
            merged[name] = {**before, **value}
        else:
            merged[name] = value
    return merged


def _members(merged: Mapping[str, object], *, prefix: str, part: Part) -> dict[str, Any]:
    """The assigned fields of one class, by their names there."""
    return {
        name.removeprefix(prefix): value
        for name, value in merged.items()
        if SETTINGS[name].part == part and name.rpartition(".")[0] == prefix.removesuffix(".")
    }
