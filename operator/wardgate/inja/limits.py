"""The limits of one template, one message, one JSON text and one regular expression.

The installation's settings can raise every number. Work is counted in *steps*, not in time, so that the same input
always has the same result (``budget``).
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class TemplateLimits:
    """The limits of one template and of one message. Sizes are bytes of UTF-8."""

    template_bytes: int = 64 * KIB
    output_bytes: int = MIB
    steps: int = 100_000
    """Work on one message: parsing its body, its extractors, all its templates."""
    nesting: int = 64
    """Levels of parentheses, calls, statements and JSON literals in a template."""
    value_depth: int = 256
    """Levels of the JSON values that a rendering may walk over, a request's body among them."""
    json_bytes: int = 4 * MIB
    """A JSON text that is parsed. Parsing it takes at most eight times as much memory."""
    json_values: int = 50_000
    """Values and keys of a JSON text that is parsed."""
    regex_bytes: int = 8 * KIB
    regex_memory: int = 4 * MIB
    """The bounds of one compiled expression in RE2."""
    regex_program: int = 10_000
    """Instructions of one expression compiled by RE2."""
    regex_work: int = 8 * MIB
    """Bytes of a value times instructions of an expression: RE2's worst case, at up to six nanoseconds each."""
    replace_work: int = 64 * MIB
    """Bytes that the searches of one REPLACE_ALL may examine, added up."""


DEFAULT_LIMITS = TemplateLimits()
