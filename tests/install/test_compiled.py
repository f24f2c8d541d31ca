"""The compiled form: what is compiled stands in pyproject.toml, and the sources keep to what mypyc cannot tell."""

from __future__ import annotations

import ast
import os
import runpy
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest

from wardgate.cli.version import is_compiled

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "operator"
HOOK = runpy.run_path(str(ROOT / "hatch_build.py"))


def settings() -> dict[str, Any]:
    """What pyproject.toml says of the hook."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    found: dict[str, Any] = wheel["hooks"]["custom"]
    return found


MODULES: list[str] = HOOK["modules_to_compile"](SOURCES, settings())


def functions_of(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_pattern_that_matches_nothing_is_told() -> None:
    with pytest.raises(ValueError, match=r"modules that are not there: wardgate/gone\.py"):
        HOOK["modules_to_compile"](SOURCES, {"compiled": ["wardgate/gone.py"], "interpreted": []})


def test_the_form_of_this_run_is_the_one_that_was_asked_for() -> None:
    assert ("compiled" == os.environ.get("TESTED_FORM")) == is_compiled()


def test_no_extension_hides_a_source() -> None:
    """An extension beside its source would be imported in its place, whatever the source says by now."""
    assert [] == [str(path) for path in SOURCES.rglob("*.so")]


@pytest.mark.parametrize("module", MODULES)
def test_errors_of_two_types_have_two_names_in_a_function(module: str) -> None:
    """mypyc gives a name one type in a whole function: the second handler raises TypeError, once it runs."""
    twice = []
    for function in functions_of(SOURCES / module):
        handlers = [node for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.name]
        types = {node.name: ast.dump(node.type) for node in handlers if node.type is not None}
        twice += [function.name for node in handlers if node.type and types[node.name] != ast.dump(node.type)]

    assert [] == twice


@pytest.mark.parametrize("module", MODULES)
def test_what_was_set_is_asked_for_through_a_method(module: str) -> None:
    """``self.x = y``, a call, ``self.x is y``: mypyc takes ``self.x`` for unchanged; if it is None, TypeError."""
    found = []
    for function in functions_of(SOURCES / module):
        nodes = list(ast.walk(function))
        targets = [target for node in nodes if isinstance(node, ast.Assign) for target in node.targets]
        set_here = {ast.unparse(target): target.lineno for target in targets if isinstance(target, ast.Attribute)}
        for node in nodes:
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot):
                name, other = ast.unparse(node.left), node.comparators[0]
                is_later = node.lineno > set_here.get(name, node.lineno)
                if is_later and not (isinstance(other, ast.Constant) or ast.unparse(other).isupper()):
                    found.append(f"line {node.lineno}: {ast.unparse(node)}")

    assert [] == found


def imports_of(tree: ast.Module) -> dict[str, str]:
    """Each name that is imported, with the file that it comes from."""
    froms = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    return {each.name: f"{str(node.module).replace('.', '/')}.py" for node in froms for each in node.names}


@pytest.mark.parametrize("tree", ["operator/wardgate", "tests"])
def test_no_interpreted_class_has_a_compiled_base(tree: str) -> None:
    """Python could not make an object of it: TypeError, where the first one is made."""
    found = []
    for path in sorted((ROOT / tree).rglob("*.py")):
        if str(path.relative_to(ROOT)).removeprefix("operator/") in MODULES:
            continue
        parsed = ast.parse(path.read_text())
        imported = imports_of(parsed)
        classes = [node for node in ast.walk(parsed) if isinstance(node, ast.ClassDef)]
        bases = [(each.name, base.id) for each in classes for base in each.bases if isinstance(base, ast.Name)]
        found += [f"{path.name}: {name}({base})" for name, base in bases if imported.get(base) in MODULES]

    assert [] == found


@pytest.mark.parametrize("module", MODULES)
def test_no_attribute_is_a_word_of_c(module: str) -> None:
    tree = ast.parse((SOURCES / module).read_text())

    assert [] == [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "_thread"]


def build(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Build a wheel on a machine without a C compiler."""
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        env={**os.environ, "CC": "no-such-compiler", **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_plain_wheel_needs_no_compiler(tmp_path: Path) -> None:
    ended = build(tmp_path)

    assert (0, ["py3-none-any.whl"]) == (ended.returncode, [path.name.split("-", 2)[2] for path in tmp_path.iterdir()])


def test_without_a_compiler_a_compiled_wheel_is_refused_with_the_remedy(tmp_path: Path) -> None:
    ended = build(tmp_path, HATCH_BUILD_HOOKS_ENABLE="true")

    assert 0 != ended.returncode
    assert "No C compiler: no-such-compiler is not installed (on Debian and Ubuntu: apt install gcc" in ended.stderr
    assert [] == [*tmp_path.iterdir()]


def test_every_listed_module_is_compiled_where_one_is() -> None:
    site = Path(sysconfig.get_path("purelib"))
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    missing = [module for module in MODULES if not (site / module).with_suffix(suffix).is_file()]

    assert (missing == []) is is_compiled()
