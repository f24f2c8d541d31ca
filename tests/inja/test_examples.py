"""The measured examples of the original library, all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.inja.rendering import render
from tests.inja.static_context import StaticContext
from wardgate.inja.errors import TemplateError
from wardgate.inja.extractors import compile_extractor
from wardgate.inja.template import compile_template

_LINES: Final[list[dict[str, Any]]] = [
    json.loads(line) for line in (Path(__file__).parent / "inja_examples.jsonl").read_text().splitlines()
]
_DEFAULT: Final = _LINES[0]["data"]
_EXAMPLES: Final = list(enumerate(_LINES[1:], start=2))
_NOT_LINEAR: Final = {"(?=a)abc": "look-ahead '(?='", r"(a)\1": r"back-reference '\1'"}
"""Expressions that the library matches and that cannot be matched in linear time: refused, with the construct named."""


def _name(numbered: tuple[int, dict[str, Any]]) -> str:
    return f"line{numbered[0]}"


def _templates() -> list[tuple[int, dict[str, Any]]]:
    return [(line, each) for line, each in _EXAMPLES if "template" in each and "quirk" not in each]


def _extractors() -> list[tuple[int, dict[str, Any]]]:
    return [(line, each) for line, each in _EXAMPLES if "regex" in each and each["regex"] not in _NOT_LINEAR]


def _expected(example: dict[str, Any]) -> dict[str, Any]:
    """Wording is ours only for errors of JSON and number conversion, and for reasons why a regex is bad."""
    if "error" not in example:
        return {"output": example["output"]}
    message = example.get("message", "")
    words_count = message.startswith(("[inja.exception", "group "))
    return {"error": example["error"], "message": message if words_count else None}


def _outcome(error: TemplateError, expected: dict[str, Any]) -> dict[str, Any]:
    return {"error": error.kind, "message": error.message if expected.get("message") else None}


@pytest.mark.parametrize("numbered", _templates(), ids=_name)
def test_template_has_the_librarys_result(numbered: tuple[int, dict[str, Any]]) -> None:
    _, example = numbered
    expected = _expected(example)
    data = _DEFAULT if example["data"] == "default" else example["data"]
    options = {"advanced": example.get("advanced", False), "escape": example.get("escape", False)}
    try:
        actual: dict[str, Any] = {"output": render(example["template"], data, **options)}
    except TemplateError as error:
        actual = _outcome(error, expected)
    assert expected == actual


@pytest.mark.parametrize("numbered", [each for each in _templates() if "output" in each[1]], ids=_name)
def test_tracing_changes_no_output(numbered: tuple[int, dict[str, Any]]) -> None:
    _, example = numbered
    data = _DEFAULT if example["data"] == "default" else example["data"]
    template = compile_template(
        example["template"],
        name="t",
        advanced=example.get("advanced", False),
        escape=example.get("escape", False),
        trace=True,
    )
    context = StaticContext(data, hollow={"unrelated": "x-unrelated"})
    assert example["output"] == template.render_traced(context).text


@pytest.mark.parametrize("numbered", _extractors(), ids=_name)
def test_extractor_has_the_librarys_result(numbered: tuple[int, dict[str, Any]]) -> None:
    _, example = numbered
    expected = _expected(example)
    try:
        extractor = compile_extractor(
            regex=example["regex"],
            mode=example["mode"],
            subgroup=example.get("subgroup", 0),
            replacement=example.get("replacementText"),
        )
        actual: dict[str, Any] = {"output": extractor.extract(example["value"])}
    except TemplateError as error:
        actual = _outcome(error, expected)
    assert expected == actual


@pytest.mark.parametrize(("regex", "construct"), _NOT_LINEAR.items())
def test_expression_that_is_not_linear_is_refused_by_name(regex: str, construct: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_extractor(regex=regex)
    assert caught.value.kind == "config"
    assert construct in caught.value.message


def test_every_line_of_the_file_is_an_example() -> None:
    assert len(_LINES) > 1100
    assert all("template" in each or "regex" in each for each in _LINES[1:])
