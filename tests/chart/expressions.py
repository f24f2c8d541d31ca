"""PromQL as far as the alerts and the dashboard use it: which labels an expression asks of which metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SELECTOR = re.compile(r"\b(wardgate_\w+?)(?:_bucket|_sum|_count)?(?:\{([^}]*)\})?(?=[ \[)*]|$)")
_MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPED = re.compile(r"\bby \(([^)]*)\)")


def metrics(expression: str) -> set[str]:
    """Give the metrics, histograms by their own names."""
    return {name for name, _ in _SELECTOR.findall(expression)}


def asked_labels(expression: str) -> Iterator[tuple[str, str]]:
    """Give each metric with each label that it is chosen or grouped by."""
    for name, matchers in _SELECTOR.findall(expression):
        for label in _MATCHED.findall(matchers.replace("$scope", "")):
            yield name, label
    for group in _GROUPED.finditer(expression):
        for name in metrics(_argument(expression, group.end())):
            for label in re.findall(r"\w+", group[1]):
                yield name, label


def _argument(expression: str, start: int) -> str:
    """Give what stands in the parentheses that open at or after ``start``."""
    opened = expression.index("(", start)
    depth = 0
    for place in range(opened, len(expression)):
        depth += {"(": 1, ")": -1}.get(expression[place], 0)
        if depth == 0:
            return expression[opened : place + 1]
    raise ValueError(expression)
