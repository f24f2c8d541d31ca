"""Circles of imports: among modules, and among the folders and files that lie side by side in one package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

Graph = Mapping[str, AbstractSet[str]]


def module_circles(graph: Graph) -> list[tuple[str, ...]]:
    """Tell the groups of modules each of which reaches all others of its group."""
    return sorted(_strong_components(graph))


def folder_circles(graph: Graph) -> dict[str, list[tuple[str, ...]]]:
    """Tell, for each package with a circle, the groups of neighbours within it that reach each other.

    A neighbour is a folder or a file; a group has at least one folder in it, because those of files alone are circles
    of modules. The package's own ``__init__`` is a neighbour too.
    """
    folders = {
        ".".join(parts[:depth]) for parts in (name.split(".") for name in graph) for depth in range(1, len(parts))
    }
    found: dict[str, list[tuple[str, ...]]] = {}
    for package in sorted(folders):
        groups = _strong_components(_within(graph, package))
        groups = [group for group in groups if any(f"{package}.{child}" in folders for child in group)]
        if groups:
            found[package] = sorted(groups)
    return found


def _within(graph: Graph, package: str) -> dict[str, set[str]]:
    """The graph of a package's children: the imports of a folder are those of all modules below it."""
    children: dict[str, set[str]] = {}
    for name, targets in graph.items():
        if (child := _child(name, package)) is not None:
            others = {_child(target, package) for target in targets} - {child, None}
            children.setdefault(child, set()).update(other for other in others if other is not None)
    return children


def _child(name: str, package: str) -> str | None:
    if name == package:
        return "__init__"
    return name[len(package) + 1 :].partition(".")[0] if name.startswith(f"{package}.") else None


def _strong_components(graph: Graph) -> list[tuple[str, ...]]:
    """Groups of two and more. Small graphs: who reaches whom is computed for every node."""
    reached = {name: _reached(name, graph) for name in graph}
    groups = {
        tuple(sorted({name} | {other for other in reached[name] if name in reached[other]}))
        for name in graph
        if name in reached[name]
    }
    return sorted(group for group in groups if len(group) > 1)


def _reached(start: str, graph: Graph) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for target in _targets(waiting.pop(), graph):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


def _targets(name: str, graph: Graph) -> Iterator[str]:
    return (target for target in graph[name] if target in graph)
