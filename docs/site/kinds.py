"""The reference of the kinds, from the schemas that the API server holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wardgate.api import KINDS
from wardgate.api.kinds.registry import Kind
from wardgate.api.schema.crds import crd

_DEEPEST = 12
_HEAD = """# Kinds

Made from the schemas in `crds/`, by which the API server refuses what is wrong. `[]` is each entry of a list, `{}`
each value of a map. `kubectl explain` shows the same.
"""


def kinds_page() -> str:
    """Give the page, in Markdown."""
    return "\n".join([_HEAD, *(_section(kind) for kind in KINDS.values())])


def _section(kind: Kind) -> str:
    version = crd(kind)["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    description = schema["description"].partition(": ")[2]
    rows = list(_fields(schema["properties"]["spec"], "spec", required=True))
    names = ", ".join(f"`{name}`" for name in (kind.plural, *kind.short_names))
    return "\n".join(
        [
            f"## {kind.kind}\n",
            f"`{kind.group}/{kind.version}`, for `kubectl`: {names}. {description}\n",
            "| field | type | meaning |\n|---|---|---|",
            *rows,
            "",
        ]
    )


def _fields(schema: dict[str, Any], path: str, *, required: bool) -> Iterator[str]:
    meaning = " ".join(str(schema.get("description", "")).split()).replace("|", "\\|")
    rules = " ".join(f"*{rule['message']}*" for rule in schema.get("x-kubernetes-validations", ()))
    rules = rules.replace("|", "\\|")
    if meaning or rules:
        yield f"| `{path}` | {_type(schema)}{', required' if required else ''} | {meaning} {rules} |"
    if path.count(".") >= _DEEPEST:
        return
    needed = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        yield from _fields(part, f"{path}.{name}", required=name in needed)
    if "items" in schema:
        yield from _fields(schema["items"], f"{path}[]", required=False)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _fields(schema["additionalProperties"], f"{path}{{}}", required=False)


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return "list"
    if schema.get("type") == "object" and "additionalProperties" in schema:
        return "map"
    return str(schema.get("type", "any"))
