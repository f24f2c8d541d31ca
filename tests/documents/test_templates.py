"""``docs/templates.md`` against the template language."""

from __future__ import annotations

import re

import pytest

from tests.documents.blocks import ROOT
from tests.inja.rendering import error_of, render
from wardgate.inja.functions import CORE_FUNCTIONS
from wardgate.inja.gloo_functions import GLOO_FUNCTIONS
from wardgate.inja.values import JsonValue

PAGE = (ROOT / "docs" / "templates.md").read_text()
CHAT: JsonValue = {
    "model": "m",
    "user": {"name": "n"},
    "list": ["first"],
    "messages": [{"role": "user"}],
    "huggingface-api-key": "k",
}


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_function_is_documented() -> None:
    text = section("Functions")
    of_the_language, _, of_the_gateway = text.partition("Of the gateway:")
    (names,) = re.findall(r"`([^`]+)`", of_the_language)
    calls = re.findall(r"(\w+)\(", "".join(row.split("|")[1] for row in of_the_gateway.splitlines() if row[:2] == "| "))

    # default is a form of its own: its first argument may be absent.
    assert {*CORE_FUNCTIONS, "default"} == set(names.split())
    assert set(GLOO_FUNCTIONS) == set(calls)


@pytest.mark.parametrize("template", re.findall(r"`(\{\{[^`]+\}\})`", section("Values")))
def test_a_value_of_the_table_can_be_had(template: str) -> None:
    assert render(template, CHAT, headers={}) is not None


@pytest.mark.parametrize(
    ("template", "printed"),
    [
        ("{{ 3 }} {{ 2.0 }} {{ 1e20 }}", "3 2.0 1e+20"),
        ("{{ 8 / 2 }}", "4.0"),
        ("{{ user }}", '{"name":"n"}'),
        ('{{ default(absent, "none") }}', "none"),
        ('{% if "" %}true{% else %}false{% endif %}', "true"),
        ("{% if 0 %}true{% else %}false{% endif %}", "false"),
    ],
)
def test_what_the_page_says_of_values_holds(template: str, printed: str) -> None:
    assert printed == render(template, CHAT)


def test_the_statements_print_what_their_words_say() -> None:
    (block,) = re.findall(r"```\n(.*?)```", section("Statements"), re.DOTALL)
    if_else, loop, counted, comment = block.splitlines()

    assert "whole" == render(if_else, CHAT)
    assert "1:user " == render(loop, CHAT)
    assert "1 messages" == render(counted, CHAT)
    assert "" == render(comment, CHAT)


def test_the_error_that_is_shown_is_the_error_that_is_told() -> None:
    (shown,) = re.findall(r"`(\[inja\.exception[^`]+)`", PAGE)

    assert ("parse", shown) == error_of("x{{ nosuch() }}")
