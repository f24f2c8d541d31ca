"""Does what README.md tells a newcomer to do for the lab, word for word, in the folder where it is started.

``python3 -m tests.install.newcomer`` needs no package. It runs the first ``console`` block of the README, waits until
the gateway serves, runs the second block's commands, and compares what they print with what the README shows. Exit
status 1: a command failed, or printed something else.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.documents.blocks import ROOT, Command, blocks_of, commands_in, is_as_shown

SERVES = "The gateway serves."
START_SECONDS = 900.0
"""Installing is most of it, on a slow network too."""
TRY_SECONDS = 60.0


def main() -> int:
    """Follow the README; say what differs."""
    start, tries, *_ = blocks_of(ROOT / "README.md", "console")
    (command,) = [each.text for each in commands_in(start)]
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as output:
        print(f"$ {command}", flush=True)
        lab = subprocess.Popen(command, shell=True, stdout=output, stderr=output, start_new_session=True)
        try:
            wait_until_it_serves(lab, Path(output.name))
            failures = [failure for each in commands_in(tries) if (failure := compare(each))]
        except TimeoutError as error:
            failures = [str(error)]
        finally:
            os.killpg(lab.pid, signal.SIGINT)  # as Ctrl-C in a terminal does, to make and to all that it started
            lab.wait(TRY_SECONDS)
    print("\n".join(failures) or "README.md: the lab does what it says.", flush=True)
    return 1 if failures else 0


def wait_until_it_serves(lab: subprocess.Popen[bytes], output: Path) -> None:
    """Raise ``TimeoutError`` with the lab's own words if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while SERVES not in output.read_text(encoding="utf-8"):
        if lab.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError(f"The lab does not serve; it said:\n{output.read_text(encoding='utf-8')}")
        time.sleep(0.5)
    print(output.read_text(encoding="utf-8"), flush=True)


def compare(command: Command) -> str:
    """Run a command; return what is wrong with its output, or nothing."""
    print(f"$ {command.text}", flush=True)
    ended = subprocess.run(command.text, shell=True, capture_output=True, text=True, timeout=TRY_SECONDS, check=False)
    if ended.returncode == 0 and is_as_shown(command.shown, ended.stdout):
        return ""
    return (
        f"README.md shows for {command.text}\n{command.shown}\n"
        f"It printed (status {ended.returncode}):\n{ended.stdout}\n{ended.stderr}"
    )


if __name__ == "__main__":
    sys.exit(main())
