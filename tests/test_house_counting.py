"""The rulers of ``benchmarks.house`` measure what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.house.circles import folder_circles, module_circles
from benchmarks.house.conventions import (
    BY_NAME,
    comments_per_hundred_lines,
    docstrings_with_what,
    positional,
    same_names,
    setting_places,
    type_checking,
)
from benchmarks.house.passages import Passage, passage
from benchmarks.house.probing import Probes
from benchmarks.house.tree import Module, files_per_folder, imports, read_tree

SECONDS = 30.0


def module(text: str, name: str = "wardgate.kube.lease") -> Module:
    return Module(name, Path(f"operator/{name.replace('.', '/')}.py"), text)


def write(checkout: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = checkout / "operator" / "wardgate" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_circle_of_modules_is_told_whole() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set[str]()}
    assert [("a", "b", "c")] == module_circles(graph)


def test_folders_of_one_package_are_in_a_circle_where_no_modules_are() -> None:
    graph = {"w.kube.watch.a": {"w.kube.api.a"}, "w.kube.api.a": set[str](), "w.kube.api.b": {"w.kube.watch.a"}}
    assert [] == module_circles(graph)
    assert {"w.kube": [("api", "watch")]} == folder_circles(graph)


def test_imports_for_types_and_within_functions_count(tmp_path: Path) -> None:
    write(
        tmp_path,
        __init__="",
        store="if TYPE_CHECKING:\n    from wardgate import snapshot\n",
        snapshot="def later():\n    from wardgate.ir.config import Config\n",
        **{"ir/config": "import wardgate.store\n"},
    )
    graph = imports(read_tree(tmp_path))
    assert [("wardgate.ir.config", "wardgate.snapshot", "wardgate.store")] == module_circles(graph)


def test_files_are_counted_in_their_own_folder() -> None:
    modules = [module("", "wardgate.store"), module("", "wardgate.ir.auth"), module("", "wardgate.ir.config")]
    assert {"wardgate.ir": 2, "wardgate": 1} == files_per_folder(modules)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("def f(a, b, c): ...", 1),
        ("def f(a, b, *, c): ...", 0),
        ("def f(a, b, c, /): ...", 1),
        ("class A:\n    def f(self, a, b): ...", 0),
        ("class A:\n    async def f(self, a, b, c=0): ...", 1),
        ("class A:\n    @staticmethod\n    def f(a, b, c): ...", 1),
        ("class A:\n    def __init__(self, a, b, c): ...", 1),
        ("class A:\n    def __exit__(self, kind, error, trace): ...", 0),
        ("def f():\n    def g(a, b, c): ...", 1),
    ],
)
def test_a_third_parameter_is_found_where_it_has_a_position(text: str, count: int) -> None:
    assert count == sum(map(len, positional([module(text)]).values()))


def test_only_public_classes_of_modules_count_as_named_alike() -> None:
    one = module("class Lease: ...\nclass _Own: ...\nclass Term: ...", "wardgate.kube.lease")
    other = module("class Lease: ...\nclass _Own: ...\ndef f():\n    class Term: ...", "wardgate.ir.lease")
    assert {"Lease": ("wardgate.kube.lease", "wardgate.ir.lease")} == same_names([one, other])


def test_a_docstring_of_anything_may_begin_with_what() -> None:
    text = '"""What it is."""\nA = 1\n"""What A is."""\ndef f():\n    """Whatever."""\n'
    assert ("wardgate/kube/lease.py:1", "wardgate/kube/lease.py:3") == docstrings_with_what([module(text)])


def test_imports_for_the_type_checker_are_found() -> None:
    assert ("wardgate.kube.lease",) == type_checking([module("if TYPE_CHECKING:\n    import x\n"), module("A = 1")])


def test_comments_are_counted_against_lines_of_code_alone() -> None:
    text = '"""Text.\n\n# not a comment\n"""\n\n# why\nA = 1\nB = [\n    1,  # noqa: E501\n]\n'
    assert 25.0 == comments_per_hundred_lines([module(text)])


def test_neighbouring_lines_spell_a_setting_out_in_one_place(tmp_path: Path) -> None:
    name = BY_NAME[0]
    write(tmp_path, a=f"{name} = 1\nx = {name}\n\n\n\n\n\n--{name.replace('_', '-')}\n", b=f"{name}s = 1\n")
    assert ("wardgate/a.py:1", "wardgate/a.py:8") == setting_places(tmp_path)[name]


def test_a_passage_counts_calls_files_and_changes_of_file() -> None:
    assert Passage(calls=6, files=3, changes=2) == passage(["a", "a", "b", "a"], ["c", "c"])


def test_a_process_tells_what_it_has_loaded_and_called(tmp_path: Path) -> None:
    script = "import sys\nfrom wardgate.printable import printable\nprint('up', flush=True)\n"
    script += "for line in sys.stdin:\n    printable('text'); print('done', flush=True)\n"
    probes = Probes(tmp_path)
    with probes.injected():
        process = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert "up\n" == process.stdout.readline()
            assert 2 == probes.at_rest(process.pid).own_modules
            probes.record([process.pid])
            process.stdin.write("\n")
            assert "done\n" == process.stdout.readline()
            assert {"printable.py"} == set(probes.calls(process.pid, until=float("inf")))
        finally:
            process.stdin.close()
            process.wait(SECONDS)
