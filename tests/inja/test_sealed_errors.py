"""Errors as they may be shown where the data is secret: whatever a template does with it, the text has none of it."""

from __future__ import annotations

import pytest

from tests.inja.static_context import StaticContext
from wardgate.inja.errors import TemplateError
from wardgate.inja.jsontext import JsonTextError
from wardgate.inja.jsontext import loads as loads_json
from wardgate.inja.template import FUNCTIONS, compile_template
from wardgate.inja.values import JsonValue

SECRET = "sk-3141592"
NUMBER = 31415926
_VALUES: dict[str, JsonValue] = {
    "text": SECRET,
    "number": NUMBER,
    "list": [SECRET, NUMBER],
    "object": {SECRET: NUMBER},
    "path": f"list.{NUMBER}{NUMBER}{NUMBER}",
}
_ARITIES = range(4)


def sealed_texts(source: str) -> list[str]:
    """The sealed message of rendering a template over the secret values, if it is an error."""
    try:
        compile_template(source, name="t").render(StaticContext(data=_VALUES))
    except TemplateError as error:
        return [error.sealed]
    return []


def calls() -> list[str]:
    """Every function with every value in every place."""
    found = []
    for name, function in sorted(FUNCTIONS.items()):
        for arity in (count for count in _ARITIES if function.takes(count)):
            for places in range(len(_VALUES) ** arity):
                names = [list(_VALUES)[places // len(_VALUES) ** at % len(_VALUES)] for at in range(arity)]
                found.append(f"{{{{ {name}({', '.join(names)}) }}}}")
    return found


def test_no_functions_error_holds_the_value_that_it_is_about() -> None:
    texts = [text for source in calls() for text in sealed_texts(source)]
    assert len(texts) > 100
    assert [] == [text for text in texts if SECRET in text or "31415" in text]


@pytest.mark.parametrize(
    ("source", "message", "sealed"),
    [
        ("{{ at(object, text + text) }}", "key 'sk-3141592sk-3141592' not found", "key '<redacted>' not found"),
        ("{{ at(list, number) }}", "array index 31415926 is out of range", "array index <redacted> is out of range"),
        (
            "{{ exists(path) }}",
            "unresolved reference token '314159263141592631415926'",
            "unresolved reference token '<redacted>'",
        ),
    ],
)
def test_message_quotes_the_value_and_its_sealed_form_does_not(source: str, message: str, sealed: str) -> None:
    with pytest.raises(TemplateError) as raised:
        compile_template(source, name="t").render(StaticContext(data=_VALUES))
    assert message in raised.value.message
    assert raised.value.message.replace(message, sealed) == raised.value.sealed


@pytest.mark.parametrize("text", ["[1e999]", "NaN", "-Infinity"])
def test_json_error_is_sealed(text: str) -> None:
    with pytest.raises(JsonTextError) as raised:
        loads_json(text)
    quoted = text.strip("[]")
    assert (quoted in str(raised.value), quoted in raised.value.sealed) == (True, False)
