"""The grammar of HTTP and the text codec stand in one place each: a second copy is a hole as soon as the two differ."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from wardgate.field_names import HOP_BY_HOP

ROOT = Path(__file__).parents[1] / "operator" / "wardgate"
MODULES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.rglob("*.py"))}
GRAMMAR = "http_grammar.py"
TELLTALES = {
    "a token": ("!#$%&'*", "%&'*+", "#$%&"),
    "an IP literal": ("[0-9A-Fa-f:.]", "[0-9a-fA-F:.]"),
    "a host": ("._~%-", ".~_%-", "-._~%"),
    "a port": ("[0-9]{1,5})?",),
    "what cannot be sent": (r"\x0a-\x1f", r"\x0b-\x1f", r"\x00-\x1f", r"\x00-\x20\x7f#", r"\t\x20-\x7e\x80-\xff"),
}
"""Parts of a pattern by which a copy of a rule is known, however the rest of it is written."""


@cache
def constants(module: Path) -> tuple[str, ...]:
    """Return every text and every bytes of a module but its docstrings."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in documentation)
    return tuple(
        each.decode("latin-1") if isinstance(each, bytes) else each for each in found if isinstance(each, str | bytes)
    )


def holders(*parts: str) -> set[str]:
    return {name for name, path in MODULES.items() if any(part in text for text in constants(path) for part in parts)}


@pytest.mark.parametrize("rule", TELLTALES)
def test_each_rule_of_the_grammar_is_written_once(rule: str) -> None:
    assert {GRAMMAR} == holders(*TELLTALES[rule])


def test_hop_by_hop_headers_are_listed_once() -> None:
    def named(path: Path) -> int:
        return len(HOP_BY_HOP & {text.lower().replace("_", "-") for text in constants(path)})

    assert {"field_names.py"} == {name for name, path in MODULES.items() if named(path) > 2}


def test_text_is_made_bytes_and_bytes_text_in_one_place() -> None:
    assert {"text_codec.py"} == holders("surrogateescape")


def test_lists_in_fields_are_taken_apart_in_one_place() -> None:
    proxy = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items() if name.startswith("proxy/")}

    assert {"proxy/core/grammar.py"} == {name for name, text in proxy.items() if 'split(b",")' in text}
