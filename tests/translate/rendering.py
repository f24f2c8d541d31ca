"""A translation as YAML for people to review: what is left at its default is left out, what is secret is masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any

import yaml

from wardgate.api.kinds.foreign_kinds import FOREIGN_KINDS
from wardgate.sensitive import Sensitive
from wardgate.translate import ObjectStatus, Translation


class _Dumper(yaml.SafeDumper):
    """Indents lists, and writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        super().increase_indent(flow, indentless=False)


def render(translation: Translation) -> str:
    """The config, the statuses, problems of Secrets and foreign objects, and what is fallen back to next."""
    statuses = translation.statuses
    document: dict[str, Any] = {
        "config": plain(translation.config) or {},
        "statuses": {str(status.ref): _status(status) for status in statuses},
        "secrets": [problem.message for problem in statuses.problems if problem.ref.kind == "Secret"],
        "foreign": [problem.message for problem in statuses.problems if problem.ref.kind in FOREIGN_KINDS],
        "lastGood": {str(ref): stored.generation for ref, stored in translation.last_good.items()},
        "namedSecrets": [str(ref) for ref in translation.named_secrets],
    }
    shown = {key: value for key, value in document.items() if value}
    return yaml.dump(shown, Dumper=_Dumper, sort_keys=False, width=118, allow_unicode=True)


def plain(value: Any) -> Any:
    """Dataclasses to mappings without the fields that are at their default; variants of a union carry their type."""
    if isinstance(value, Sensitive):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        shown = {field.name: plain(getattr(value, field.name)) for field in fields(value) if _differs(value, field)}
        return {"is": type(value).__name__, **shown} if type(value).__name__ in _VARIANTS else shown
    if isinstance(value, tuple | list | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    return value


_VARIANTS = {
    "Forward", "Redirect", "DirectResponse", "Refuse", "PrefixRewrite", "RegexRewrite", "ApiKeyStep", "BasicAuthStep",
    "Digest", "Hmac", "BoolStep", "BoolNot", "BoolAnd", "BoolOr",
}  # fmt: skip


def _differs(value: Any, field: Any) -> bool:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return bool(getattr(value, field.name) != default)


def _status(status: ObjectStatus) -> dict[str, Any]:
    shown: dict[str, Any] = {"approval": status.approval.value, "reason": status.reason}
    if status.served_generation != status.generation:
        shown["generation"] = status.generation
        shown["servedGeneration"] = status.served_generation
    if status.message:
        shown["message"] = status.message
    shown["counts"] = {name: plain(count) for name, count in status.counts.items() if count}
    return {key: value for key, value in shown.items() if value != {}}
