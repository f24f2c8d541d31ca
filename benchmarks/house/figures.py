"""All figures of a checkout, each with what it counted."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.house import conventions
from benchmarks.house.circles import folder_circles, module_circles
from benchmarks.house.living import observe
from benchmarks.house.tree import files_per_folder, imports, read_tree


@dataclass(frozen=True, slots=True)
class Figure:
    """``detail`` is JSON: what was counted, for who wants to change it."""

    title: str
    shown: str
    detail: object


def of_the_source(checkout: Path) -> list[Figure]:
    """Count in the text of a checkout."""
    tree = read_tree(checkout)
    modules, graph = list(tree.values()), imports(tree)
    folders = files_per_folder(modules)
    circles, neighbours = module_circles(graph), folder_circles(graph)
    names = conventions.same_names(modules)
    return [
        Figure("modules", str(len(modules)), sorted(tree)),
        Figure("folders", str(len(folders)), folders),
        Figure("files in the fullest folder", _fullest(folders), folders),
        Figure("modules in import circles", str(sum(map(len, circles))), circles),
        Figure(
            "neighbouring folders and files in import circles",
            str(sum(len(group) for groups in neighbours.values() for group in groups)),
            neighbours,
        ),
        _listed("modules that import for the type checker alone", conventions.type_checking(modules)),
        Figure("names that several public classes have", str(len(names)), names),
        _by_package("functions that take a third parameter by position", conventions.positional(modules)),
        _listed('docstrings that begin with "What"', conventions.docstrings_with_what(modules)),
        Figure("comments per 100 lines of code", f"{conventions.comments_per_hundred_lines(modules):.1f}", None),
        *_setting_places(checkout),
    ]


def of_the_processes(checkout: Path) -> list[Figure]:
    """Start a checkout's processes and watch them."""
    with tempfile.TemporaryDirectory(prefix="wardgate-house-") as folder:
        living = observe(checkout, Path(folder))
    return [
        *(
            Figure(
                f"`{name}`: own modules, all modules, MB",
                f"{rest.own_modules}, {rest.modules}, {rest.resident / 1000:.0f}",
                asdict(rest),
            )
            for name, rest in living.rest.items()
        ),
        Figure("one request", str(living.request), asdict(living.request)),
        Figure("one changed key", str(living.key), asdict(living.key)),
    ]


def _fullest(folders: Mapping[str, int]) -> str:
    name, count = next(iter(folders.items()))
    return f"{count} (`{name.partition('.')[2].replace('.', '/')}`)"


def _listed(title: str, found: Sequence[str]) -> Figure:
    return Figure(title, str(len(found)), found)


def _by_package(title: str, found: Mapping[str, Sequence[str]]) -> Figure:
    return Figure(title, str(sum(map(len, found.values()))), found)


def _setting_places(checkout: Path) -> list[Figure]:
    places = conventions.setting_places(checkout)
    found = []
    for title, names in (("an option", conventions.WITH_OPTION), ("`--set`", conventions.BY_NAME)):
        most = max(names, key=lambda name: len(places[name]))
        files = len({place.rpartition(":")[0] for place in places[most]})
        shown = f"{len(places[most])} in {files} files (`{most}`)"
        detail = {name: places[name] for name in names}
        found.append(Figure(f"places that spell out one proxy setting with {title}, at most", shown, detail))
    return found
