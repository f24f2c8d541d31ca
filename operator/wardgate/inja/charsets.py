"""Sets of bytes as 256-bit masks, and the POSIX names of some of them. Classes are ASCII only."""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Final

ANY: Final = (1 << 256) - 1


def mask_of_codes(codes: Iterable[int]) -> int:
    """Return the mask of some bytes."""
    mask = 0
    for code in codes:
        mask |= 1 << code
    return mask


def mask_of(text: str) -> int:
    """Return the mask of the bytes of an ASCII text."""
    return mask_of_codes(ord(character) for character in text)


_ALNUM: Final = string.ascii_letters + string.digits
CLASSES: Final = {
    "alnum": mask_of(_ALNUM),
    "alpha": mask_of(string.ascii_letters),
    "blank": mask_of(" \t"),
    "cntrl": mask_of_codes([*range(32), 127]),
    "digit": mask_of(string.digits),
    "graph": mask_of_codes(range(33, 127)),
    "lower": mask_of(string.ascii_lowercase),
    "print": mask_of_codes(range(32, 127)),
    "punct": mask_of(string.punctuation),
    "space": mask_of(" \t\n\v\f\r"),
    "upper": mask_of(string.ascii_uppercase),
    "xdigit": mask_of(string.hexdigits),
    "d": mask_of(string.digits),
    "s": mask_of(" \t\n\v\f\r"),
    "w": mask_of(_ALNUM + "_"),
}
DOT: Final = ANY & ~mask_of("\n\r")
CONTROL_ESCAPES: Final = {"0": "\0", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_NAMES_FROM_ZERO: Final = """
NUL SOH STX ETX EOT ENQ ACK alert backspace tab newline vertical-tab form-feed carriage-return SO SI
DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC IS4 IS3 IS2 IS1
space exclamation-mark quotation-mark number-sign dollar-sign percent-sign ampersand apostrophe
left-parenthesis right-parenthesis asterisk plus-sign comma hyphen period slash
zero one two three four five six seven eight nine
colon semicolon less-than-sign equals-sign greater-than-sign question-mark commercial-at
"""
COLLATING_NAMES: Final = {
    **{name: chr(code) for code, name in enumerate(_NAMES_FROM_ZERO.split())},
    **{letter: letter for letter in string.ascii_letters},
    "left-square-bracket": "[",
    "backslash": "\\",
    "right-square-bracket": "]",
    "circumflex": "^",
    "underscore": "_",
    "grave-accent": "`",
    "left-curly-bracket": "{",
    "vertical-line": "|",
    "right-curly-bracket": "}",
    "tilde": "~",
    "DEL": "\x7f",
}
