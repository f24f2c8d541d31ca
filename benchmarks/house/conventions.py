"""Countable habits of the source: names, parameters, docstrings, comments, and where a setting is spelt out."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.house.tree import PACKAGE, Module

WITH_OPTION = ("max_config_age", "upstream_ca")
BY_NAME = ("address_guesses", "caller_share", "revoked_grace", "stale_addresses")
"""Settings of the proxy alone whose names mean nothing else: those with an option, and those that ``--set`` names."""
_OWN_LINES = 3
"""Lines of one setting that are no further apart are one place."""
_FOR_TOOLS = re.compile(r"#\s*(noqa|type:|pragma|fmt:|!)")
_GIVEN_BY_PYTHON = re.compile(r"__(?!init__|call__|new__)\w+__")
"""Methods whose parameters the language decides."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def same_names(modules: Iterable[Module]) -> dict[str, tuple[str, ...]]:
    """Tell the public classes of one name, and the modules that define one each."""
    places: dict[str, list[str]] = {}
    for module in modules:
        for node in module.syntax.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(module.name)
    return {name: tuple(found) for name, found in sorted(places.items()) if len(found) > 1}


def type_checking(modules: Iterable[Module]) -> tuple[str, ...]:
    """Tell the modules that import something for the type checker's eyes only."""
    return tuple(
        module.name
        for module in modules
        if any(isinstance(node, ast.Name) and node.id == "TYPE_CHECKING" for node in ast.walk(module.syntax))
    )


def positional(modules: Iterable[Module]) -> dict[str, tuple[str, ...]]:
    """Tell, by package, the functions (``file:line name``) that take a third parameter by its position."""
    found: dict[str, list[str]] = {}
    for module in modules:
        parts = module.name.split(".")
        package = parts[1] if len(parts) > 2 or (module.is_package and len(parts) > 1) else "(root)"
        for function, is_method in _functions(module.syntax):
            if _positions(function, is_method=is_method) >= 3 and _GIVEN_BY_PYTHON.fullmatch(function.name) is None:
                place = f"{module.name.replace('.', '/')}.py:{function.lineno} {function.name}"
                found.setdefault(package, []).append(place)
    return {package: tuple(places) for package, places in sorted(found.items())}


def _functions(syntax: ast.Module) -> Iterator[tuple[Function, bool]]:
    """Every function, and whether Python hands it an object or a class first."""
    for owner in ast.walk(syntax):
        for node in ast.iter_child_nodes(owner):
            if isinstance(node, Function):
                yield node, isinstance(owner, ast.ClassDef) and not _is_static(node)


def _is_static(function: Function) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in function.decorator_list)


def _positions(function: Function, *, is_method: bool) -> int:
    return len(function.args.posonlyargs) + len(function.args.args) - is_method


def docstrings_with_what(modules: Iterable[Module]) -> tuple[str, ...]:
    """Tell where (``file:line``) a docstring begins with "What"."""
    return tuple(
        f"{module.name.replace('.', '/')}.py:{line}"
        for module in modules
        for line, text in _docstrings(module.syntax)
        if re.match(r"What\b", text)
    )


def _docstrings(syntax: ast.Module) -> Iterator[tuple[int, str]]:
    """Every string that stands alone, as an attribute's does below it."""
    for node in ast.walk(syntax):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def comments_per_hundred_lines(modules: Iterable[Module]) -> float:
    """Count lines with a comment against lines with code; docstrings are neither, nor is what speaks to a tool."""
    comments = code = 0
    for module in modules:
        strings = {line for node in ast.walk(module.syntax) if _is_docstring(node) for line in _lines(node)}
        lines: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
            if token.type == tokenize.COMMENT:
                comments += _FOR_TOOLS.match(token.string) is None
            elif token.type not in _LAYOUT:
                lines.update(range(token.start[0], token.end[0] + 1))
        code += len(lines - strings)
    return 100 * comments / max(1, code)


_LAYOUT = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING}


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _lines(node: ast.AST) -> range:
    assert isinstance(node, ast.Expr)
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def setting_places(checkout: Path) -> dict[str, tuple[str, ...]]:
    """Tell where (``file:line``) the source spells those settings out; neighbouring lines are one place."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted((checkout / "operator" / PACKAGE).rglob("*.py"))}
    return {name: tuple(_places(name, texts, checkout)) for name in WITH_OPTION + BY_NAME}


def _places(name: str, texts: Mapping[Path, str], checkout: Path) -> Iterator[str]:
    spelt = re.compile(name.replace("_", "[-_]?") + "(?![a-z])", re.IGNORECASE)
    for path, text in texts.items():
        last = -_OWN_LINES - 1
        for number, line in enumerate(text.splitlines(), 1):
            if spelt.search(line):
                if number - last > _OWN_LINES:
                    yield f"{path.relative_to(checkout / 'operator')}:{number}"
                last = number
