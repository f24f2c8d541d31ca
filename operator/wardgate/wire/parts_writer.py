"""The model as JSON, written anew only where it changed since last time.

Hosts, routes, plans, transformations and upstreams are written one by one and put together, to the very bytes that
writing them at once would give. Each keeps its bytes for as long as its value is equal, which mostly shows in its being
the same object. Memory: the bytes once more for each level of the model that is written by parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from wardgate import ir
from wardgate.wire.coders import Convert, expected
from wardgate.wire.errors import EncodeError
from wardgate.wire.record import Record
from wardgate.wire.tags import CODEC
from wardgate.wire.text import dump, dump_list, dump_object


@dataclass(frozen=True, slots=True)
class _Form:
    """How values of one kind are written: ``key`` is the field to find last time's by, ``lists`` what has parts."""

    record: Record[object]
    key: str
    lists: Mapping[str, _Form]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A value, its bytes, and how the values in its lists were written."""

    value: object
    data: bytes = field(repr=False)
    lists: _Lists


_Lists: TypeAlias = dict[str, dict[str, _Kept]]
"""By the name of the list, then by the key of the value in it."""


class PartsWriter:
    """Writes one configuration after another and keeps what it wrote for the last one."""

    def __init__(self) -> None:
        self._last: _Lists = {}

    def encode(self, config: ir.GatewayConfig) -> dict[str, object]:
        """The fields of the configuration as JSON values, some of them ``Written``. Raises ``EncodeError``."""
        parts, self._last = _encode(config, _CONFIG, last=self._last, depth=1)
        return parts


class KeysWriter:
    """Writes one bucket of credentials after another and keeps what it wrote for the last one."""

    def __init__(self) -> None:
        self._last: dict[str, _Kept] = {}

    def encode(self, credentials: tuple[ir.Credential, ...]) -> dict[str, object]:
        """The fields of the bucket. Raises ``EncodeError``."""
        kept: dict[str, _Kept] = {}
        written = _list_of(_CREDENTIAL, last=self._last, kept=kept)(credentials, 1)
        self._last = kept
        return {"credentials": written}


def _encode(value: object, form: _Form, *, last: _Lists, depth: int) -> tuple[dict[str, object], _Lists]:
    lists: _Lists = {name: {} for name in form.lists}
    by = {name: _list_of(inner, last=last.get(name, {}), kept=lists[name]) for name, inner in form.lists.items()}
    return form.record.encode(value, depth, parts=by), lists


def _list_of(form: _Form, *, last: Mapping[str, _Kept], kept: dict[str, _Kept]) -> Convert:
    def encode(values: object, depth: int) -> object:
        if type(values) is not tuple:
            raise EncodeError(expected("tuple", values))
        written = []
        for value in values:
            # Where two share a key, the one that is not found is written anew: costly, not wrong.
            key = str(getattr(value, form.key, ""))
            kept[key] = one = _write(value, form, last=last.get(key), depth=depth)
            written.append(one.data)
        return dump_list(written)

    return encode


def _write(value: object, form: _Form, *, last: _Kept | None, depth: int) -> _Kept:
    if last is not None and (last.value is value or last.value == value):
        return last
    parts, lists = _encode(value, form, last=last.lists if last is not None else {}, depth=depth)
    return _Kept(value=value, data=dump_object(parts) if lists else dump(parts), lists=lists)


def _form(cls: type, *, key: str = "name", lists: Mapping[str, _Form] = MappingProxyType({})) -> _Form:
    return _Form(record=CODEC.record(cls), key=key, lists=lists)


_CREDENTIAL = _form(ir.Credential, key="digest")
_HOST = _form(ir.VirtualHost, key="domains", lists={"routes": _form(ir.Route)})
_CONFIG: Final = _form(
    ir.GatewayConfig,
    lists={
        "auth_plans": _form(ir.AuthPlan),
        "listeners": _form(ir.Listener, lists={"virtual_hosts": _HOST}),
        "transformations": _form(ir.TransformationPlan),
        "upstreams": _form(ir.Upstream),
    },
)
