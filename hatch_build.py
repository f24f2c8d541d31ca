"""Compiles the modules of the data plane with mypyc, for ``make wheel`` and the image (decision 53).

Hatchling calls this only where ``HATCH_BUILD_HOOKS_ENABLE`` is set: any other build needs no compiler and is plain
Python. The compiled modules lie in the wheel beside their sources, which tracebacks show. ``pyproject.toml`` names the
modules. Nothing is written to the source tree.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GROUP = "wardgate"
"""Names the extension ``wardgate__mypyc``, which holds the code of all modules; each module's own only points there."""
SLICE = "Py_ssize_t slice_len = endn - startn;"
SLICE_OF_NO_LESS_THAN_NOTHING = "Py_ssize_t slice_len = endn > startn ? endn - startn : 0;"


class CompilingHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the extensions to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless the install is editable: an extension would hide every later change of its source."""
        if version == "editable":
            return
        self._require_compiler()
        modules = modules_to_compile(Path(self.root, "operator"), self.config)
        self.app.display_info(f"Compiling {len(modules)} modules with mypyc (two minutes on an idle core)")
        # Until the process ends: the wheel is written after this returned.
        self.scratch = tempfile.TemporaryDirectory(prefix="wardgate-wheel-")
        folder = Path(self.scratch.name)
        shutil.copytree(Path(self.root, "operator", "wardgate"), folder / "wardgate", ignore=_LEAVE)
        with contextlib.chdir(folder):
            built = compile_modules(modules)
        build_data["force_include"].update({str(folder / "built" / path): path for path in built})
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        self.app.display_info(f"Compiled {len(built) - 1} modules")

    def _require_compiler(self) -> None:
        command = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
        header = Path(sysconfig.get_paths()["include"], "Python.h")
        if shutil.which(command) is None:
            self.app.abort(
                f"No C compiler: {command} is not installed (on Debian and Ubuntu: apt install gcc libc6-dev)."
            )
        if not header.is_file():
            self.app.abort(
                f"Python's headers are missing: no {header} (on Debian and Ubuntu: apt install python3-dev)."
            )


_LEAVE = shutil.ignore_patterns("__pycache__", "*.so", "*.pyc")


def modules_to_compile(root: Path, config: dict[str, Any]) -> list[str]:
    """Give the files below ``root`` that the patterns of ``compiled`` match and those of ``interpreted`` do not.

    Raises ``ValueError`` for a pattern that matches no file: the module has gone, or has another name.
    """
    compiled, interpreted = (_matched(root, config[name]) for name in ("compiled", "interpreted"))
    return sorted(str(path.relative_to(root)) for path in compiled - interpreted if path.name != "__init__.py")


def _matched(root: Path, patterns: list[str]) -> set[Path]:
    found = {pattern: set(root.glob(pattern)) for pattern in patterns}
    if missing := [pattern for pattern, paths in found.items() if not paths]:
        msg = f"pyproject.toml names modules that are not there: {', '.join(missing)}"
        raise ValueError(msg)
    return set().union(*found.values())


def compile_modules(modules: list[str]) -> list[str]:
    """Compile modules of this folder; return the extensions, as paths below ``built``.

    Other packages' types are not looked at, so that the same source gives the same code whatever is installed.
    """
    from mypyc.build import mypycify  # noqa: PLC0415 - a plain build has no mypy
    from setuptools import Distribution  # noqa: PLC0415

    Path("mypy.ini").write_text("[mypy]\nignore_missing_imports = true\nno_site_packages = true\n")
    extensions = mypycify(
        ["--config-file=mypy.ini", *modules],
        group_name=GROUP,
        # The name that mypy's own build reads. A test that runs little of it builds in two thirds of the time.
        opt_level=os.environ.get("MYPYC_OPT_LEVEL", "3"),
        debug_level="0",
        target_dir="c",
    )
    mended = mend_slices()
    for each in extensions:
        each.include_dirs.insert(0, mended)
    command: Any = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib, command.build_temp, command.parallel = "built", "objects", os.cpu_count()
    command.ensure_finalized()
    command.run()
    return sorted(str(path.relative_to("built")) for path in Path("built").rglob("*.so"))


def mend_slices() -> str:
    """Write mypyc's operations on bytes with one line changed; return the folder, which the compiler searches first.

    ``data[5:-4]`` of a shorter ``data`` is empty in Python and a ``SystemError`` in mypyc (seen in 2.4.1). Attackers
    choose the lengths here. Raises ``ValueError`` if the line is not there: read what mypyc does now.
    """
    import mypyc  # noqa: PLC0415

    source = Path(mypyc.__file__).with_name("lib-rt") / "bytes_ops.c"
    text = source.read_text()
    if text.count(SLICE) != 1:
        msg = f"{source} has changed: does a slice of bytes whose end lies before its start give b'' now?"
        raise ValueError(msg)
    folder = Path("mended")
    folder.mkdir()
    (folder / source.name).write_text(text.replace(SLICE, SLICE_OF_NO_LESS_THAN_NOTHING))
    return str(folder)
