"""The names in a template that nothing gives a value, and the headers that credentials are made of.

A variable that no extractor defines is looked for in the JSON body, so it may be meant. It is a mistake for certain
where the body is not parsed, and in all likelihood where the name is nearly that of an extractor, or where the text is
to be a credential: callers do not send the provider's token in a body.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Literal

from wardgate.api.kinds.transformation_template import TransformationTemplate
from wardgate.field_names import fold
from wardgate.inja.needs import Needs


def unknown_names(
    needs: Needs, model: TransformationTemplate, *, side: Literal["request", "response"], credential: bool
) -> Iterator[str]:
    """A complaint about each, which continues the sentence "The policy, in such a field, "."""
    extracted = [] if model.advanced_templates else [tuple(name.split(".")) for name in model.extractors]
    is_parsed = model.passthrough is None and model.parse_body_behavior != "DontParse"
    for path in sorted(needs.variables):
        name = ".".join(path)
        near = difflib.get_close_matches(name, list(model.extractors), n=1)
        if any(path[: len(one)] == one or one[: len(path)] == path for one in extracted):
            continue
        if not is_parsed:
            cost = f"the body is not parsed, so every {side} fails with it"
        elif near or credential:
            cost = f"it is looked for in the JSON body, and a {side} whose body lacks it fails"
        else:
            continue
        remedy = _remedy(name, near, advanced=model.advanced_templates)
        yield f"reads {name!a}, and no extractor has that name: {cost}. {remedy}"
    for name in sorted(needs.extractions):
        if name not in model.extractors or not model.advanced_templates:
            why = "no extractor has that name" if model.advanced_templates else "advancedTemplates is not set"
            yield f"prints extraction({name!a}), which is always empty, because {why}. Correct it."


def printed_headers(needs: Needs, model: TransformationTemplate) -> frozenset[str]:
    """The folded names of the headers whose values the template prints, by itself or through extractors."""
    names = needs.extractions if model.advanced_templates else {".".join(path) for path in needs.printed}
    extracted = (one.header for name, one in model.extractors.items() if name in names and one.header)
    return frozenset(map(fold, (*needs.headers, *extracted)))


def _remedy(name: str, near: list[str], *, advanced: bool) -> str:
    if near and advanced:
        return f'Write extraction("{near[0]}").'
    return f"Did you mean {near[0]}?" if near else f"Add an extractor {name!a}, or correct the name."
