"""``pip install`` with news: how many of a lock's packages are here, and everything that pip said if it fails.

``python locks/pip_install.py OPTION... -r LOCK`` hands its arguments to the ``pip`` of the Python that runs it. It
reads pip's own words for each package, and of the lock only how many packages it lists.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

NEWS_SECONDS = 2.0
PACKAGE = re.compile(r"[A-Za-z0-9][\w.-]*==")
"""How a line that pins a package begins; the lines with its hashes are indented."""
SEEN = re.compile(r"(?:Collecting|Requirement already satisfied:|Ignoring) ([\w.-]+)")


def main(arguments: list[str]) -> int:
    """Install; return pip's exit status."""
    total = sum(count_packages(Path(lock)) for lock in locks_among(arguments))
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        said = follow(pip.stdout, total=total, say=_say, clock=time.monotonic)
    if pip.returncode:
        _say("".join(said).rstrip())
        _say(f"error: pip could not install {' '.join(locks_among(arguments))}; its own words are above.")
    return pip.returncode


def locks_among(arguments: list[str]) -> list[str]:
    """Return the files that pip is given with ``-r``."""
    return [value for option, value in itertools.pairwise(arguments) if option == "-r"]


def count_packages(lock: Path) -> int:
    """Count the packages that a lock pins, those for other platforms included."""
    return sum(PACKAGE.match(line) is not None for line in lock.read_text(encoding="utf-8").splitlines())


def follow(lines: Iterable[str], *, total: int, say: Callable[[str], None], clock: Callable[[], float]) -> list[str]:
    """Tell of pip's progress at most every two seconds; return every line it said."""
    said: list[str] = []
    packages: set[str] = set()
    told = clock()
    for line in lines:
        said.append(line)
        if line.startswith("Installing collected packages:"):
            say(f"  {total} of {total}: unpacking what was fetched")
        elif (seen := SEEN.match(line)) is not None:
            packages.add(seen[1])
            if clock() - told >= NEWS_SECONDS:
                told = clock()
                say(f"  {len(packages)} of {total}: {seen[1]}")
    return said


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
