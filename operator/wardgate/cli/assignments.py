"""Settings by name: what ``--set NAME=VALUE`` may name, how each value is read, and what comes of several of them.

Everything the proxy or the translation bounds is here unless it has an option of its own. The names are those of the
fields, so a new field of ``Limits``, ``Timeouts`` or ``TemplateLimits`` is settable as soon as it exists.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import typer

from wardgate.cli import forms
from wardgate.cli.forms import Form
from wardgate.inja.limits import TemplateLimits
from wardgate.proxy.settings import Limits, Timeouts
from wardgate.settings import Settings

Part = Literal["proxy", "translate", "cluster"]
_T = TypeVar("_T")

OWN_OPTIONS: Final[Mapping[str, str]] = {
    "access_log": "--access-log",
    "admin": "--admin",
    "bind": "--bind",
    "files_root": "--files-root",
    "foreign_guards": "--foreign-guards",
    "max_config_age": "--max-config-age",
    "pins": "--resolve",
    "platform_namespaces": "--platform-namespace",
    "ports": "--port",
    "require_auth": "--require-auth",
    "template_env": "--template-env",
    "tenancy": "--tenancy",
    "unix_root": "--unix-root",
    "upstream_ca": "--upstream-ca",
    "workers": "--workers",
}
"""Settings that ``--set`` leaves to an option: there is one way to set each."""
_MAY_BE_ZERO: Final = frozenset(
    {
        "limits.pool_idle",
        "timeouts.pool_idle",
        "timeouts.drain",
        "timeouts.revoked_grace",
        "timeouts.stale_addresses",
    }
)
_PER_CENT: Final = frozenset({"limits.caller_share"})
_LONGEST_SILENCE: Final = 75
"""The operator's default for a watch: with a longer silence a frozen watch would outlast 90 s (invariant 5)."""
_SIZES: Final = frozenset({"regex_memory", "regex_work", "replace_work"})
"""Bytes too, though their names do not say so."""
_HIGHEST: Final[Mapping[str, int]] = {"nesting": 200, "value_depth": 500}
"""Each level of a template or a value takes a level of Python's own stack."""
_OF_THE_TRANSLATION: Final = {
    "allow_cidrs": forms.NETWORKS,
    "allow_loopback": forms.FLAG,
    "cluster_domain": forms.DOMAIN,
    "cluster_name": forms.NAME,
    "credential_bytes": forms.SIZE,
    "denied_addresses": forms.ENDPOINTS,
    "deny_cidrs": forms.NETWORKS,
    "gateway_labels": forms.LABELS,
    "gateway_namespace": forms.NAMESPACE,
    "guest_tables": forms.count(highest=forms.LARGEST_COUNT),
    "user_id_to_external": forms.FLAG,
}


_WHOSE: Final[Mapping[Part, str]] = {
    "proxy": "the proxy",
    "translate": "the translation",
    "cluster": "whoever follows a cluster",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """``part``: who has it."""

    name: str
    part: Part
    form: Form


@dataclass(frozen=True, slots=True)
class Assignment:
    """A setting and its value, read."""

    setting: Setting
    value: object


def _settings() -> Iterator[Setting]:
    for limit in dataclasses.fields(Limits):
        name = f"limits.{limit.name}"
        highest = 100 if name in _PER_CENT else forms.LARGEST_COUNT
        number = forms.count(lowest=0 if name in _MAY_BE_ZERO else 1, highest=highest)
        yield Setting(name, "proxy", forms.SIZE if name.endswith("_bytes") else number)
    for time in dataclasses.fields(Timeouts):
        name = f"timeouts.{time.name}"
        yield Setting(name, "proxy", forms.seconds(lowest=0 if name in _MAY_BE_ZERO else 0.001))
    yield Setting("installation", "proxy", forms.NAME)
    for name, form in _OF_THE_TRANSLATION.items():
        yield Setting(name, "translate", form)
    yield Setting("watch_silence", "cluster", forms.seconds(lowest=1, highest=_LONGEST_SILENCE))
    for bound in dataclasses.fields(TemplateLimits):
        number = forms.count(highest=_HIGHEST.get(bound.name, forms.LARGEST_COUNT))
        is_size = bound.name.endswith("_bytes") or bound.name in _SIZES
        yield Setting(f"template_limits.{bound.name}", "translate", forms.SIZE if is_size else number)


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
    inside = ", ".join(name.rpartition(".")[2] for name in members)
    return f"{group}.{{{inside}}}" if group else inside


def limits(assigned: Iterable[Assignment]) -> Limits:
    """Return the proxy's limits."""
    return Limits(**_members(_merged(assigned), group="limits", kind=int))


def timeouts(assigned: Iterable[Assignment]) -> Timeouts:
    """Return the proxy's times."""
    return Timeouts(**_members(_merged(assigned), group="timeouts", kind=float))


def installation(assigned: Iterable[Assignment]) -> str:
    """Return the name of the proxy's installation; empty: none was given."""
    return str(_merged(assigned).get("installation", ""))


def watch_silence(assigned: Iterable[Assignment], *, default: float) -> float:
    """Return the seconds that a watch may say nothing."""
    value = _merged(assigned).get("watch_silence", default)
    assert isinstance(value, float)
    return value


def of_the_translation(settings: Settings, assigned: Iterable[Assignment]) -> Settings:
    """Return the translation's settings with what was assigned."""
    merged = _merged(assigned)
    flat: dict[str, Any] = {name: value for name, value in merged.items() if name in _OF_THE_TRANSLATION}
    bounds = TemplateLimits(**_members(merged, group="template_limits", kind=int))
    return dataclasses.replace(settings, **flat, template_limits=bounds)


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


def _members(merged: Mapping[str, object], *, group: str, kind: type[_T]) -> dict[str, _T]:
    return {
        name.rpartition(".")[2]: value
        for name, value in merged.items()
        if name.rpartition(".")[0] == group and isinstance(value, kind)
    }
