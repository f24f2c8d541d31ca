"""Rules of the whole tree that a linter does not know: no circles, one name for one thing, arguments by their names.

``make house`` counts more of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import pytest

from benchmarks.house.circles import Graph, folder_circles, module_circles
from benchmarks.house.conventions import docstrings_with_what, positional, same_names, type_checking
from benchmarks.house.tree import Module, imports, read_tree
from tests.test_layout import ROOT

OF_A_KIND_AND_OF_THE_MODEL: Final = frozenset(
    {
        "DataSource",
        "Digest",
        "DirectResponse",
        "DynamicMetadataValue",
        "Extractor",
        "Hmac",
        "Listener",
        "ListenerTls",
        "MetadataEntry",
        "Redirect",
        "RegexRewrite",
    }
)
"""One idea, once as users write it (``api``) and once as the proxy reads it (``ir``)."""

BY_POSITION: Final = {"cli": 1, "inja": 19}
"""Functions by package that others call by position: a callback of typer, and operators and comparisons of templates,
each of which one compiled step calls like any other. There may only be fewer."""

Tree: TypeAlias = Mapping[str, Module]


@pytest.fixture(scope="module")
def tree() -> Tree:
    return read_tree(ROOT)


@pytest.fixture(scope="module")
def graph(tree: Tree) -> Graph:
    return imports(tree)


def test_no_modules_import_each_other_in_a_circle(graph: Graph) -> None:
    assert [] == module_circles(graph)


def test_no_folders_import_each_other_in_a_circle(graph: Graph) -> None:
    assert {} == folder_circles(graph)


def test_nothing_is_imported_for_the_type_checker_alone(tree: Tree) -> None:
    assert () == type_checking(tree.values())


def test_no_two_public_classes_have_one_name(tree: Tree) -> None:
    found = same_names(tree.values())
    assert {} == {name: places for name, places in found.items() if name not in OF_A_KIND_AND_OF_THE_MODEL}


@pytest.mark.parametrize("name", sorted(OF_A_KIND_AND_OF_THE_MODEL))
def test_a_shared_name_is_that_of_a_kind_and_of_the_model(tree: Tree, name: str) -> None:
    places = {place.split(".")[1] for place in same_names(tree.values()).get(name, ())}
    assert {"api", "ir"} == places


def test_third_and_later_arguments_are_given_by_name(tree: Tree) -> None:
    found = positional(tree.values())
    assert {} == {package: places for package, places in found.items() if len(places) > BY_POSITION.get(package, 0)}


def test_no_docstring_begins_with_what(tree: Tree) -> None:
    assert () == docstrings_with_what(tree.values())
