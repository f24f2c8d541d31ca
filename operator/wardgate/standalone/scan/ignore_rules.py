"""The files of a folder that are not Wardgate's, by patterns as in a ``.gitignore``.

They stand in ``.wardgateignore`` at the top of the folder and in ``--exclude``, which comes last and so has the last
word. Paths are those below the folder, with ``/`` between their parts. As with git, what lies in a directory that is
left out cannot be brought back by a later ``!pattern``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pathspec import GitIgnoreSpec

IGNORE_FILE: Final = ".wardgateignore"
_LARGEST: Final = 1024 * 1024
"""Bytes that are read of an ignore file."""
_OF_NO_USE: Final = "Until then it leaves nothing out."
_NO_FILE: Final = "Make it a text file; until then it leaves nothing out."
_NO_PATTERN: Final = "Correct it; until then that line leaves nothing out."
_SHORTEN: Final = "Shorten it; until then this line and those behind it leave nothing out."


class IgnoreFileFault(NamedTuple):
    """A fault of an ignore file. ``line`` 0: all of it. Both texts are sentences."""

    line: int
    message: str
    remedy: str


class BadPatternError(Exception):
    """The text is no pattern; the message is a sentence that names it."""


def check_pattern(pattern: str) -> str:
    """Return the pattern if it is one. Raises ``BadPatternError``."""
    try:
        if _spec([pattern]).patterns:
            return pattern
    except ValueError as error:
        raise BadPatternError(_sentence(pattern)) from error
    raise BadPatternError(_sentence(pattern))


class IgnoreRules:
    """The patterns of one folder. ``complaint`` is what is wrong with its ignore file; None: nothing."""

    def __init__(self, folder: Path, patterns: Sequence[str]) -> None:
        self.complaint: IgnoreFileFault | None = None
        self._spec = _spec([*self._of_folder(folder), *patterns])

    def leaves_out(self, path: str, *, is_directory: bool) -> bool:
        """Whether a path below the folder is to be passed over."""
        return self._spec.match_file(f"{path}/" if is_directory else path)

    def _of_folder(self, folder: Path) -> Iterable[str]:
        try:
            lines = self._whole_lines(_read(folder / IGNORE_FILE))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except (_NoFileError, IsADirectoryError):
            self.complaint = IgnoreFileFault(0, "It is no file.", _NO_FILE)
            return ()
        except OSError as error:
            self.complaint = IgnoreFileFault(0, f"It cannot be read: {error.strerror}.", _OF_NO_USE)
            return ()
        except UnicodeDecodeError:
            self.complaint = IgnoreFileFault(0, "It is not UTF-8 text.", _OF_NO_USE)
            return ()
        return [line for number, line in enumerate(lines, start=1) if self._is_pattern(line, number)]

    def _whole_lines(self, data: bytes) -> list[str]:
        """The lines that can be read whole: half a line could leave out more than the whole line."""
        if len(data) <= _LARGEST:
            return data.decode("utf-8-sig").splitlines()
        lines = data[: data.rfind(b"\n") + 1].decode("utf-8-sig").splitlines()
        self.complaint = IgnoreFileFault(len(lines) + 1, f"The file has more than {_LARGEST // 1024} KiB.", _SHORTEN)
        return lines

    def _is_pattern(self, line: str, number: int) -> bool:
        try:
            _spec([line])
        except ValueError:
            self.complaint = self.complaint or IgnoreFileFault(number, _sentence(line), _NO_PATTERN)
            return False
        return True


class _NoFileError(Exception):
    """The path is a pipe or a device."""


def _read(path: Path) -> bytes:
    """Read up to one byte more than counts. Raises ``OSError`` and ``_NoFileError``; waits for no writer of a pipe."""
    with open(path, "rb", opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _NoFileError
        return file.read(_LARGEST + 1)


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _spec(lines: Sequence[str]) -> GitIgnoreSpec:
    """Compile the patterns. Raises ``ValueError``.

    The other backends, taken where their library is there, fail on thousands of lines.
    """
    return GitIgnoreSpec.from_lines(lines, backend="simple")


def _sentence(pattern: str) -> str:
    return f'"{pattern}" is not a pattern as in a .gitignore, for example charts/ or *.generated.yaml.'
