"""``python -m tests.chart.judges --tools DIR [--promtool FILE]``: ends with 1 if a judge finds fault.

``DIR`` has the programs ``checkov`` and ``kubernetes-validate``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chart.helm import Helm
from tests.chart.judges.alerts import judge_alerts
from tests.chart.judges.checks import judge_checks
from tests.chart.judges.queries import judge_queries
from tests.chart.judges.recorded import judge_recording
from tests.chart.judges.schemas import judge_schemas
from tests.chart.judges.sheets import write_sheets
from tests.cluster.binaries import helm_binary, to_stderr


def main(arguments: list[str]) -> int:
    """Let every judge speak, and return the exit status."""
    parser = argparse.ArgumentParser(prog="tests.chart.judges")
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("--promtool", default=shutil.which("promtool"))
    given = parser.parse_args(arguments)
    if not given.promtool:
        parser.error("There is no promtool in the PATH. Install Debian's prometheus, or name it with --promtool.")
    helm = Helm(helm_binary(say=to_stderr))
    with tempfile.TemporaryDirectory() as scratch:
        sheets = write_sheets(helm, Path(scratch, "sheets"))
        judgements = {
            f"schemas of Kubernetes, {len(sheets)} combinations of values": judge_schemas(given.tools, sheets),
            "checkov": judge_checks(given.tools, sheets),
            "promtool, rules and their tests": judge_alerts(given.promtool, helm, Path(scratch)),
            "promtool, the rules on recorded faults": judge_recording(given.promtool, helm, Path(scratch)),
            "promtool, queries of the dashboard": judge_queries(given.promtool, Path(scratch)),
        }
    for title, faults in judgements.items():
        print(f"{'FAULT' if faults else 'good '} {title}")
        print("".join(f"      {fault}\n" for fault in faults), end="")
    return 1 if any(judgements.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
