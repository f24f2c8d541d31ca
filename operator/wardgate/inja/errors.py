"""Errors of templates and extractors, by who must act.

A ``ParseError`` or ``ConfigError`` is for the policy's author and appears in a status. A ``RenderError`` is caused by
one request and answers it. A ``LimitError`` is a ``RenderError`` whose remedy is a larger limit. The ``message`` is
worded as the original library words it, so that a user finds it in the library's documentation; ``str()`` adds the
template's name.
"""

from __future__ import annotations

from typing import ClassVar, Final


class TemplateError(Exception):
    """Base of all errors that this package raises on user input.

    ``line`` and ``column`` count from 1, in bytes; both are ``None`` if no position in a template is to blame.
    ``sealed`` is the message without quotations of data: only this may be shown where the data may be secret.
    """

    kind: ClassVar[str] = "render"

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
        template: str = "",
        sealed: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.sealed = message if sealed is None else sealed
        self.line = line
        self.column = column
        self.template = template

    def __str__(self) -> str:
        return f"Template '{self.template}': {self.message}" if self.template else self.message


REDACTED: Final = "<redacted>"
"""Replaces, in a sealed message, the data that the message quotes."""


class ParseError(TemplateError):
    """The template's text is wrong: found when the template is compiled."""

    kind = "parse"


class RenderError(TemplateError):
    """The template met data that it cannot work with."""


class LimitError(RenderError):
    """A rendering or an extraction would cost more than the limits allow."""


class JsonTooLargeError(LimitError):
    """A JSON text has more bytes than the limits allow."""


class JsonTooComplexError(LimitError):
    """A JSON text has more values or levels than the limits allow."""


class ConfigError(TemplateError):
    """An extractor's or a route's regular expression, or its mode, is wrong."""

    kind = "config"


def parse_error_at(message: str, position: tuple[int, int]) -> ParseError:
    """Word a syntax error as the library does, with its position."""
    line, column = position
    text = f"[inja.exception.parser_error] (at {line}:{column}) {message}"
    return ParseError(text, line=line, column=column)


def render_error_at(message: str, position: tuple[int, int]) -> RenderError:
    """Word a rendering error as the library does, with its position."""
    line, column = position
    text = f"[inja.exception.render_error] (at {line}:{column}) {message}"
    return RenderError(text, line=line, column=column)


def quoting(message: str, quoted: object) -> RenderError:
    """Make an error whose message quotes data in the place of its ``{}``."""
    return RenderError(message.format(quoted), sealed=message.format(REDACTED))
