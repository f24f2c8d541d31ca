"""Routes on which what a key's Secret gives is put in its places as it is, so that nothing depends on what it says.

Rule 1: no plan does anything to a request before its key is known: what it writes may hold the key of one caller and
        not that of another.
Rule 2: a template that prints any of it prints it as it is, or it prints an extractor's value that is all of it.
Rule 3: nothing of it becomes dynamic metadata.
"""

from __future__ import annotations

from wardgate import ir
from wardgate.inja.template import Template
from wardgate.proxy.core.fields.folded import fold
from wardgate.proxy.core.routing.plans import CompiledRoute
from wardgate.proxy.core.transform.parts import Parts
from wardgate.proxy.core.transform.surroundings import header_key

_WHOLE = {".*": 0, "(.*)": 1}
"""Expressions that match every ordinary value, with their groups."""


def only_copies(route: CompiledRoute, given: frozenset[bytes]) -> bool:
    """Whether it is so for the headers that are ``given`` (folded names) on a plain route without a new body."""
    if any(plan.request is not None for plan in route.pre):
        return False
    return all(plan.request is None or _copies(plan.request.parts, given) for plan in route.post)


def _copies(parts: Parts, given: frozenset[bytes]) -> bool:
    if parts.body is not None or parts.metadata:
        return False
    read = [spec for spec in parts.spec.extractors if fold(header_key(spec.header or "")) in given]
    if not all(map(_takes_all, read)):
        return False
    templates = [each.template for each in (*parts.headers, *parts.append)]
    return all(each is None or each.only_copies or _reads_none(each, given) for each in templates)


def _takes_all(spec: ir.Extractor) -> bool:
    groups = _WHOLE.get(spec.regex)
    return groups is not None and spec.mode == "EXTRACT" and spec.subgroup <= groups


def _reads_none(template: Template, given: frozenset[bytes]) -> bool:
    """Whether a template reads nothing that is given, and nothing that may have been taken from it."""
    reads = template.reads()
    if reads.data or reads.metadata or reads.headers is None or reads.request_headers is None:
        return False
    return given.isdisjoint(fold(header_key(name)) for name in reads.headers | reads.request_headers)
