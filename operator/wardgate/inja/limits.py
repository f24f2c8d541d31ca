"""The limits of one template, one message, one JSON text and one regular expression.

The installation's settings can raise every number. Work is counted in *steps*, not in time, so that the same input
always has the same result (``budget``).
"""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.setting import SIZE, count, setting

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class TemplateLimits:
    """The limits of one template and of one message. Sizes are bytes of UTF-8."""

    template_bytes: int = setting(64 * KIB, SIZE)
    output_bytes: int = setting(MIB, SIZE)
    steps: int = setting(100_000, count())
    """Work on one message: parsing its body, its extractors, all its templates."""
    nesting: int = setting(64, count(highest=200))
    """Levels of parentheses, calls, statements and JSON literals in a template, each a level of Python's own stack."""
    value_depth: int = setting(256, count(highest=500))
    """Levels of the JSON values that a rendering may walk over, a request's body among them; likewise."""
    json_bytes: int = setting(4 * MIB, SIZE)
    """A JSON text that is parsed. Parsing it takes at most eight times as much memory."""
    json_values: int = setting(50_000, count())
    """Values and keys of a JSON text that is parsed."""
    regex_bytes: int = setting(8 * KIB, SIZE)
    regex_memory: int = setting(4 * MIB, SIZE)
    """The bounds of one compiled expression in RE2."""
    regex_program: int = setting(10_000, count())
    """Instructions of one expression compiled by RE2."""
    regex_work: int = setting(8 * MIB, SIZE)
    """Bytes of a value times instructions of an expression: RE2's worst case, at up to six nanoseconds each."""
    replace_work: int = setting(64 * MIB, SIZE)
    """Bytes that the searches of one REPLACE_ALL may examine, added up."""


DEFAULT_LIMITS = TemplateLimits()
