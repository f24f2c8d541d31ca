"""One call from a template's text to its output, for the tests of this folder."""

from __future__ import annotations

from typing import Any

import pytest

from tests.inja.static_context import StaticContext
from wardgate.inja.budget import StepBudget
from wardgate.inja.errors import TemplateError
from wardgate.inja.limits import DEFAULT_LIMITS, TemplateLimits
from wardgate.inja.template import RenderedTemplate, compile_template
from wardgate.inja.values import JsonValue


def render(
    source: str,
    data: JsonValue = None,
    *,
    advanced: bool = False,
    escape: bool = False,
    limits: TemplateLimits = DEFAULT_LIMITS,
    **context: Any,
) -> str:
    """Compile and render; further keywords are parts of the context."""
    template = compile_template(source, name="t", advanced=advanced, escape=escape, limits=limits)
    return template.render(StaticContext({} if data is None else data, budget=StepBudget(limits.steps), **context))


def trace(source: str, data: JsonValue = None, *, advanced: bool = False, **context: Any) -> RenderedTemplate:
    """Compile with trace and render."""
    template = compile_template(source, name="t", advanced=advanced, trace=True)
    return template.render_traced(StaticContext({} if data is None else data, **context))


def error_of(source: str, data: JsonValue = None, **options: Any) -> tuple[str, str]:
    """Return kind and message of the error that a template must end in."""
    with pytest.raises(TemplateError) as caught:
        render(source, data, **options)
    return caught.value.kind, caught.value.message
