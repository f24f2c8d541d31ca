"""Remedies of texts: what is no YAML, no UTF-8 or no object, before anybody asks what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TextRow:
    """``right``: the file as each remedy leaves it; None where the file is taken away."""

    told: str
    wrong: bytes
    right: tuple[bytes | None, ...]


def _row(told: str, wrong: str | bytes, *right: str | None) -> TextRow:
    data = wrong if isinstance(wrong, bytes) else wrong.encode()
    return TextRow(told, data, tuple(None if one is None else one.encode() for one in right))


def _secret(data: str, name: str = "name: x") -> str:
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{{name}}}\n{data}\n"


def _listed(item: str) -> str:
    return f"apiVersion: v1\nkind: List\nitems: [{item}]\n"


_FLOW: Final = "{apiVersion: v1, kind: Secret, metadata: {name: x}}"
_HEAD: Final = "apiVersion: v1\nkind: Secret\n"
_FINE: Final = _secret("type: x")
_ALIASES: Final = f"x: &a [{'1,' * 1000}]\nz: [{'*a,' * 101}]"

ROWS: Final[tuple[TextRow, ...]] = (
    _row("Give Wardgate what helm template makes of it", f"{{{{ if .x }}}}\n{_FINE}{{{{ end }}}}\n", _FINE, None),
    _row("Put text that contains ': ' in quotes", _secret("type: a: b"), _secret("type: 'a: b'")),
    _row("Indent with spaces, not tabs.", _secret("type: |\n\ta"), _secret("type: |\n  a")),
    _row("Indent with spaces, not tabs, and put", _secret("stringData:\n\ta: b"), _secret("stringData:\n  a: b")),
    _row("Put text that starts with @, ` or % in quotes".lower()[1:], _secret("type: @a"), _secret("type: '@a'")),
    _row("Close the quote that opens here.", _secret("type: 'a"), _secret("type: 'a'")),
    _row(
        "Check that this line is 'key: value'",
        _secret("type: x\nyyy\nstringData: {}"),
        _secret("type: x\nstringData: {}"),
    ),
    _row(
        "and the brackets and quotes before it.",
        _secret("stringData:\n    a: b\n  c: d"),
        _secret("stringData:\n    a: b\n    c: d"),
    ),
    _row(
        "Indent all items of the list alike.",
        "apiVersion: v1\nkind: List\nitems:\n  - a: 1\n  x: 1\n",
        "apiVersion: v1\nkind: List\nitems: []\n",
    ),
    _row(
        "Write a backslash as \\\\ between double quotes",
        _secret('type: "a\\q"'),
        _secret('type: "a\\\\q"'),
        _secret("type: 'a\\q'"),
    ),
    _row(
        "Close the bracket, or separate its entries with commas.",
        _secret("stringData: {a: b c: d}"),
        _secret("stringData: {a: b, c: d}"),
    ),
    _row("Complete the value, or close the bracket", _secret("stringData: {a: ]}"), _secret("stringData: {a: b}")),
    _row("Put text that contains {{ }} in quotes.", _secret("type: a {{ x }}: y"), _secret("type: 'a {{ x }}: y'")),
    _row("Check the brackets before this place.", "{apiVersion: v1, kind: Secret, metadata: {name: x}}\n]", _FINE),
    _row("Check the indentation and quotes here.", _secret("type: &"), _secret("type: '&'")),
    _row("Write them out, or split the document.", _secret(_ALIASES), _FINE),
    _row("Remove it.", _secret("type: 'a\x01'"), _secret("type: 'a'")),
    _row("Save it as UTF-8, or keep it out of the folder.", b"type: \xff", _FINE, None),
    _row(
        "Write it as the cluster does",
        _secret("type: x", "name: x, creationTimestamp: noon"),
        _secret("type: x", "name: x, creationTimestamp: 2026-01-31T12:00:00Z"),
        _FINE,
    ),
    _row(
        "Remove it, or put text that starts with ! in quotes.",
        _secret("type: !x y"),
        _secret("type: y"),
        _secret("type: '!x y'"),
    ),
    _row("Write a finite one.", _secret("stringData: {a: .inf}"), _secret("stringData: {a: '1'}")),
    _row("Put it in quotes.", _secret("stringData: {yes: b}"), _secret("stringData: {'yes': b}")),
    _row("Remove one of the two.", _secret("type: x\ntype: y"), _secret("type: x"), _secret("type: y")),
    _row("Write the value out.", _secret("stringData: &a {b: *a}"), _secret("stringData: {b: c}")),
    _row("Put text that starts with * in quotes.", _secret("type: *x"), _secret("type: '*x'")),
    _row(
        "Put text that starts with {{, [ or * in quotes.",
        _secret("stringData: {[a]: b}"),
        _secret("stringData: {'[a]': b}"),
    ),
    _row("Point it at one.", _secret("stringData: {<<: a}"), _secret("stringData: {<<: {a: b}}")),
    _row("Start it with apiVersion, kind and metadata.", _listed("a"), _listed(_FLOW)),
    _row(
        'Write "---" between the objects instead, or make them the items of a List.',
        f"- {_FLOW}\n",
        f"---\n{_FLOW}\n",
        _listed(_FLOW),
    ),
    _row("Add one, for example", "kind: Secret\nmetadata: {name: x}\n", _FINE),
    _row(
        "Write each as an entry that starts with '-'.",
        "apiVersion: v1\nkind: List\nitems: {a: 1}\n",
        "apiVersion: v1\nkind: List\nitems: []\n",
    ),
    _row("Write apiVersion: v1.", "apiVersion: v2\nkind: Secret\nmetadata: {name: x}\n", _FINE),
    _row("Add metadata with a name.", _HEAD, _FINE),
    _row("Set metadata.name to", _secret("type: x", "name: A B"), _FINE),
    _row(
        "Set metadata.namespace to",
        _secret("type: x", "name: x, namespace: A"),
        _secret("type: x", "name: x, namespace: a"),
    ),
    _row(
        "Remove this one, give it another name, or leave its file out with --exclude",
        f"{_FINE}---\n{_secret('type: z')}",
        _FINE,
        f"{_FINE}---\n{_secret('type: z', 'name: z')}",
    ),
)
