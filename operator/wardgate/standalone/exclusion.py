"""Which files of a folder are none of Wardgate's: patterns as in a ``.gitignore``.

They stand in ``.wardgateignore`` at the top of the folder and in ``--exclude``, which comes last and so has the last
word. Paths are those below the folder, with ``/`` between their parts. As with git, what lies in a directory that is
left out cannot be brought back by a later ``!pattern``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

IGNORE_FILE: Final = ".wardgateignore"
_LARGEST: Final = 1024 * 1024
"""Bytes of an ignore file; a larger one is something else."""


class BadPatternError(Exception):
    """No pattern; the text is a sentence that names it."""


def check_pattern(pattern: str) -> str:
    """Return what is a pattern. Raises ``BadPatternError``."""
    try:
        if _spec([pattern]).patterns:
            return pattern
    except ValueError as error:
        raise BadPatternError(_sentence(pattern)) from error
    raise BadPatternError(_sentence(pattern))


class Exclusion:
    """The patterns of one folder. ``complaint`` is what is wrong with its ignore file, with the line; None: nothing."""

    def __init__(self, folder: Path, patterns: Sequence[str]) -> None:
        self.complaint: tuple[int, str] | None = None
        self._spec = _spec([*self._of_folder(folder), *patterns])

    def leaves_out(self, path: str, *, is_directory: bool) -> bool:
        """Whether a path below the folder is to be passed over."""
        return self._spec.match_file(f"{path}/" if is_directory else path)

    def _of_folder(self, folder: Path) -> Iterable[str]:
        try:
            with (folder / IGNORE_FILE).open("rb") as file:
                lines = file.read(_LARGEST).decode("utf-8-sig").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            self.complaint = (0, f"It cannot be read: {error.strerror}.")
            return ()
        except UnicodeDecodeError:
            self.complaint = (0, "It is not UTF-8 text.")
            return ()
        return [line for number, line in enumerate(lines, start=1) if self._is_pattern(line, number)]

    def _is_pattern(self, line: str, number: int) -> bool:
        try:
            _spec([line])
        except ValueError:
            self.complaint = self.complaint or (number, _sentence(line))
            return False
        return True


def _spec(lines: Sequence[str]) -> GitIgnoreSpec:
    """Raises ``ValueError``. The other backends, taken where their library is there, fail on thousands of lines."""
    return GitIgnoreSpec.from_lines(lines, backend="simple")


def _sentence(pattern: str) -> str:
    return f'"{pattern}" is not a pattern as in a .gitignore, for example charts/ or *.generated.yaml.'
