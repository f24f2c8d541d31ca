"""The modules of a checkout, read as text, and which of them imports which."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = "wardgate"


@dataclass(frozen=True)
class Module:
    """``name`` is dotted; a package has the name of its folder."""

    name: str
    path: Path
    text: str

    @cached_property
    def syntax(self) -> ast.Module:
        """Parsed once."""
        return ast.parse(self.text, str(self.path))

    @property
    def is_package(self) -> bool:
        """Whether this is an ``__init__.py``."""
        return self.path.name == "__init__.py"

    @property
    def folder(self) -> str:
        """The dotted name of the folder that the file is in."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


def read_tree(checkout: Path) -> dict[str, Module]:
    """Read all modules of the product, by name, sorted."""
    root = checkout / "operator"
    found: dict[str, Module] = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path, path.read_text(encoding="utf-8"))
    return found


def imports(modules: Mapping[str, Module]) -> dict[str, frozenset[str]]:
    """Tell the modules of the tree that each module imports, for types alone and within functions included."""
    return {name: frozenset(_imported(module, modules)) - {name} for name, module in modules.items()}


def _imported(module: Module, modules: Mapping[str, Module]) -> Iterator[str]:
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.module in modules:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else node.module


def files_per_folder(modules: Iterable[Module]) -> dict[str, int]:
    """Count the modules that lie in each folder itself, the fullest folder first."""
    counts: dict[str, int] = {}
    for module in modules:
        counts[module.folder] = counts.get(module.folder, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
