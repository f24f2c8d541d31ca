"""``wardgate check``: the diagnostics of ``run``, for CI and pre-commit."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from wardgate.cli.console import Printer
from wardgate.cli.errors import USAGE, CommandError
from wardgate.cli.expired_keys import expired_keys
from wardgate.cli.explain import explain
from wardgate.cli.options import assignments
from wardgate.cli.options.excluding import ExcludeOption
from wardgate.cli.options.option_groups import grouped
from wardgate.cli.options.proxy_options import RootOptions
from wardgate.cli.options.set_option import TranslationSetOption
from wardgate.cli.options.translation_options import TranslationOptions
from wardgate.printable import printable_json
from wardgate.settings import Settings
from wardgate.standalone.findings.diagnostics import SEVERITIES, Diagnostic, plural
from wardgate.standalone.rounds.engine import Engine
from wardgate.standalone.scan.folder import Folder, Scan

_STDIN = "<stdin>"


@grouped
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH", help="Files and folders; - is standard input.")
    ] = None,
    *,
    explain_code: Annotated[
        str | None,
        typer.Option("--explain", metavar="CODE", help="Print the page of a finding's code, or the list of all."),
    ] = None,
    exclude: ExcludeOption = None,
    output: Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="Format of the report.")] = "text",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List what follows from a finding too, and each place of it.")
    ] = False,
    translation: TranslationOptions = TranslationOptions(),
    roots: RootOptions = RootOptions(),
    assign: TranslationSetOption = None,
) -> None:
    """Say what is wrong with manifests, with file, line, field and remedy. Exit status 1 if something is an error.

    All paths are read as one set, so give a whole folder: a policy and the routes it selects belong together.
    Warnings are unknown fields and annotations, policies that select nothing, keys that no policy uses, and the like.
    Notes ask for nothing: they say what is read and has no effect. Consequences of a finding are counted with it.

    \b
    Examples:
      $ wardgate check examples/huggingface
      $ helm template ./chart | wardgate check -
      $ wardgate check manifests --set cluster_name=prod --set template_limits.steps=1000000
      $ wardgate check --explain NoRoutes
      $ wardgate check --output json manifests/ | jq '.diagnostics[].message'

    \b
    As a pre-commit hook:
      - repo: local
        hooks:
          - id: wardgate
            name: wardgate check
            language: system
            entry: wardgate check manifests
            pass_filenames: false
    """
    if explain_code is not None:
        explain(explain_code)
        return
    if not paths:
        msg = "Give a PATH to check, or --explain CODE."
        raise CommandError(msg, status=USAGE)
    settings = assignments.to_the_translation(translation.settings(roots), assign or ())
    scan, diagnostics = diagnose(paths, settings, exclude=exclude or ())
    if output == "json":
        _report_json(scan, diagnostics)
    else:
        _report_text(scan, diagnostics, verbose=verbose)
    if any(one.severity == "error" for one in diagnostics):
        raise typer.Exit(1)


def diagnose(
    paths: Sequence[Path], settings: Settings, *, exclude: Sequence[str] = ()
) -> tuple[Scan, tuple[Diagnostic, ...]]:
    """Read and translate everything once."""
    given = {_STDIN: sys.stdin.buffer.read()} if Path("-") in paths else {}
    roots = [path for path in paths if path != Path("-")]
    for root in roots:
        if not root.exists():
            raise CommandError(
                f"{root} does not exist. Give files or folders that do, or - for standard input.", status=USAGE
            )
    scan = Folder(roots, given=given, exclude=exclude).scan()
    if not scan.files and not scan.diagnostics:
        msg = f"No manifest (*.yaml, *.yml, *.json) in {', '.join(map(str, paths))}."
        raise CommandError(msg, status=USAGE)
    outcome = Engine(settings).take(scan)
    expired = expired_keys(outcome.config, scan, now=time.time())
    return scan, tuple(sorted((*outcome.diagnostics, *expired), key=lambda one: one.order))


def _report_text(scan: Scan, diagnostics: Sequence[Diagnostic], *, verbose: bool) -> None:
    printer = Printer()
    for one in diagnostics:
        printer.diagnostic(one, verbose=verbose)
    count = Counter(one.severity for one in diagnostics)
    found = [plural(count[severity], severity) for severity in SEVERITIES if count[severity]]
    if not count["error"] and not count["warning"]:
        found.insert(0, "No problems")
    colour = "red" if count["error"] else "yellow" if count["warning"] else "green"
    where = f"in {plural(scan.files, 'file')} ({plural(scan.count, 'object')}"
    others = f", {plural(scan.foreign, 'other')} left alone" if scan.foreign else ""
    printer.line(f"{_listed(found)} {where}{others}).", colour=colour)


def _report_json(scan: Scan, diagnostics: Sequence[Diagnostic]) -> None:
    count = Counter(one.severity for one in diagnostics)
    report = {
        "version": 1,
        "summary": {
            "errors": count["error"],
            "warnings": count["warning"],
            "notes": count["note"],
            "files": scan.files,
            "objects": scan.count,
            "foreign": scan.foreign,
        },
        "diagnostics": [asdict(one) for one in diagnostics],
    }
    typer.echo(printable_json(report))


def _listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
