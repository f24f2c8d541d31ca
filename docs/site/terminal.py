"""A terminal's text as an SVG picture, with fonts of the reader's machine and nothing from elsewhere."""

from __future__ import annotations

from html import escape

_WIDTH = 7.3
"""Pixels of a character at 12 pixels' size."""
_LINE = 17
_MARGIN = 16
_COLOURS = (
    ("error:", "#ff7b72"),
    ("warning:", "#e3b341"),
    ("note:", "#79c0ff"),
)
_LONGEST = 128


def picture(title: str, text: str) -> str:
    """Give the SVG of a text that a command printed. Longer lines end in an ellipsis."""
    lines = [f"$ {title}", *(_cut(line) for line in text.rstrip("\n").split("\n"))]
    width = int(max(map(len, lines)) * _WIDTH) + 2 * _MARGIN
    height = len(lines) * _LINE + 2 * _MARGIN
    rows = [_row(line, _MARGIN + _LINE * (number + 1) - 4) for number, line in enumerate(lines)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>',
            '<g font-family="ui-monospace, Menlo, monospace" font-size="12" fill="#e6edf3" xml:space="preserve">',
            *rows,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _cut(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 2]} …"


def _row(line: str, height: int) -> str:
    colour = next((colour for word, colour in _COLOURS if line.startswith(word)), "")
    style = f' fill="{colour}"' if colour else ""
    length = f' textLength="{len(line) * _WIDTH:.0f}"' if line else ""
    return f'<text x="{_MARGIN}" y="{height}"{length}{style}>{escape(line)}</text>'
