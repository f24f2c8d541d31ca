"""The command line of ``make bench``: measure the cases, print a block of Markdown for docs/performance.md.

    python -m benchmarks.gateways [--case get --case post] [--rounds 9] [--compiled VENV] [--servers wardgate,envoy]

Progress goes to standard error. A case that fails is told in the report, and the others are measured all the same.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.gateways import machine, report
from benchmarks.gateways.cases.all import CASES
from benchmarks.gateways.cases.case import Case
from benchmarks.gateways.load.caller import CallerError
from benchmarks.gateways.load.wrk import LoadError
from benchmarks.gateways.outcome import Outcome
from benchmarks.gateways.process import ServerError
from benchmarks.gateways.rounds import say
from benchmarks.gateways.stage import PEERS, Stage, certified
from benchmarks.gateways.tools import ToolError, Tools

FAILURES = (ServerError, LoadError, CallerError, OSError, subprocess.SubprocessError)
"""They end a case, and no other one."""
FORMS_SAID = {"wardgate": "plain Python", "compiled": "compiled"}
"""The end of what ``wardgate version`` says, by columns."""
ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Read the command line, measure, print; return 1 where a case was not measured, 2 where none can be."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # servers are ended, and what is done is reported
    environments = {"wardgate": Path(sys.prefix)}
    if options.compiled:
        environments["compiled"] = options.compiled
    cases = [case for case in CASES if not options.case or case.name in options.case]
    chosen = [server for server in options.servers if server in PEERS or server in environments]
    tools = Tools(ROOT / ".cache" / "bench")
    needed = _needed(cases, chosen) | ({"py-spy"} if options.profile else set())
    try:
        tools.provide(needed)
        versions = {**_wardgates(environments, chosen), **tools.versions(needed)}
        check_forms(versions)
    except ToolError as error:
        say(f"error: {error}")
        return 2
    others = machine.Others()
    with tempfile.TemporaryDirectory(prefix="wardgate-bench-") as folder:
        stage = Stage(
            environments=environments,
            chosen=chosen,
            tools=tools,
            folder=Path(folder),
            cores=machine.cores(),
            rounds=options.rounds,
            seconds=options.seconds,
            requests=options.requests,
            certificate=certified(Path(folder)),
            chance=random.Random(options.seed),
            profile=options.profile,
        )
        outcomes = measured(cases, stage)
    described = machine.described(versions, others.share())
    print(report.markdown(outcomes, described))
    if options.json:
        options.json.write_text(report.to_json(outcomes, described) + "\n")
    return 1 if len(outcomes) < len(cases) or any(outcome.failure for outcome in outcomes) else 0


def measured(cases: Sequence[Case], stage: Stage) -> list[Outcome]:
    """Measure the cases; an interrupt ends with those that are done."""
    outcomes = []
    for number, case in enumerate(cases):
        say(f"==> {case.name} ({number + 1} of {len(cases)}): {case.title}")
        began = time.monotonic()
        try:
            outcome = case.run(stage)
        except FAILURES as error:
            say(f"    failed: {error}")
            outcome = Outcome(case.name, case.title, failure=shortened(str(error)))
        except KeyboardInterrupt:
            say("    interrupted")
            break
        outcomes.append(outcome)
        say(report.markdown([outcome], []) + f"\n    {time.monotonic() - began:.0f} s")
    return outcomes


def shortened(text: str) -> str:
    """Put a message into one line of a table: its beginning, and its end, where a traceback says what happened."""
    words = " ".join(text.split()).replace("|", "/")
    return words if len(words) <= 240 else f"{words[:80]} ... {words[-160:]}"


def check_forms(versions: Mapping[str, str]) -> None:
    """See that each column of Wardgate is the form that it is called. Raises ``ToolError``."""
    for column, form in FORMS_SAID.items():
        if column in versions and not versions[column].endswith(f"{form})"):
            msg = f"The Wardgate of the column {column} is not in this form: {form}. It says: {versions[column]}."
            raise ToolError(msg)


def _needed(cases: Sequence[Case], chosen: Sequence[str]) -> set[str]:
    """Return the programs that the cases take, servers included."""
    peers = {server for case in cases for server in case.servers if server in chosen and server in PEERS}
    return peers.union(*(case.tools for case in cases))


def _wardgates(environments: dict[str, Path], chosen: Sequence[str]) -> dict[str, str]:
    """Return what each Wardgate says of itself, and the commit of this checkout."""
    return {"commit": machine.commit(ROOT)} | {
        name: machine.first_line([str(path / "bin" / "wardgate"), "version"]).removeprefix("wardgate ")
        for name, path in environments.items()
        if name in chosen
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gateways", description="Wardgate beside other gateways."
    )
    names = [case.name for case in CASES]
    servers = ",".join(("wardgate", "compiled", *PEERS))
    parser.add_argument("--case", action="append", choices=names, help="measure only this; may be repeated")
    parser.add_argument("--servers", type=_words, default=servers.split(","), help=f"default {servers}")
    parser.add_argument("--compiled", type=_environment, metavar="VENV", help="an environment with a compiled Wardgate")
    parser.add_argument("--rounds", type=_positive, default=5, help="of each case, of some at most 3 (default 5)")
    parser.add_argument("--seconds", type=_positive, default=1, help="of a burst (default 1)")
    parser.add_argument("--requests", type=_positive, default=1_000_000, help="of the case million (default 1000000)")
    parser.add_argument("--seed", type=int, help="of the order within rounds")
    parser.add_argument("--profile", action="store_true", help="tell where the time of plain Wardgate goes that misses")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    return parser


def _words(text: str) -> list[str]:
    words = text.split(",")
    if unknown := set(words) - {"wardgate", "compiled", *PEERS}:
        raise argparse.ArgumentTypeError(f"unknown server: {', '.join(sorted(unknown))}")
    return words


def _environment(text: str) -> Path:
    path = Path(text).absolute()
    if not (path / "bin" / "wardgate").exists():
        raise argparse.ArgumentTypeError(f"{text} is no virtual environment with a wardgate in its bin")
    return path


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a number from 1 on")
    return number


if __name__ == "__main__":
    sys.exit(main())
