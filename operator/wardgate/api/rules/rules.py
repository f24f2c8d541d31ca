"""Rules that join several fields of one object, each written once for both places that enforce it.

A ``Rule`` holds a CEL expression for the API server and the same test as a Python function for folders and for CRDs
that somebody else installed. The constructors below make both from one description, so that the two cannot drift
apart; only rules about several lists are written out by hand.

*Given* means that a field is present and not null: the API server drops nulls before its rules see them, and the
models hold None for both. *Filled* means given and not empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

_CEL_KEYWORDS: Final = frozenset(
    {
        "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
        "namespace", "null", "package", "return", "true", "var", "void", "while",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """``message`` is a sentence that says what to do. ``holds`` takes the model that the rule stands at."""

    cel: str
    message: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Predicate:
    """A yes-or-no question about one field, in both languages."""

    cel: str
    test: Callable[[Any], bool]


def json_name(attribute: str) -> str:
    """``k8s_secret_refs`` is written ``k8sSecretRefs`` in a manifest."""
    first, *rest = attribute.rstrip("_").split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def cel_path(attribute: str) -> str:
    """How a CEL rule names a field of ``self``; words that CEL reserves are escaped."""
    name = json_name(attribute)
    return f"self.__{name}__" if name in _CEL_KEYWORDS else f"self.{name}"


def given(attribute: str) -> Predicate:
    """The field is present and not null."""
    return Predicate(f"has({cel_path(attribute)})", lambda model: getattr(model, attribute) is not None)


def filled(attribute: str) -> Predicate:
    """The list, map or text is present and holds something."""
    path = cel_path(attribute)
    return Predicate(f"(has({path}) && size({path}) > 0)", lambda model: bool(getattr(model, attribute)))


def is_true(attribute: str) -> Predicate:
    """The flag is present and true."""
    path = cel_path(attribute)
    return Predicate(f"(has({path}) && {path})", lambda model: getattr(model, attribute) is True)


def at_most_one(*terms: Predicate, message: str) -> Rule:
    """No two of the terms hold."""
    return Rule(f"{_count(terms)} <= 1", message, lambda model: sum(term.test(model) for term in terms) <= 1)


def exactly_one(*terms: Predicate, message: str) -> Rule:
    """One of the terms holds."""
    return Rule(f"{_count(terms)} == 1", message, lambda model: sum(term.test(model) for term in terms) == 1)


def at_least_one(*terms: Predicate, message: str) -> Rule:
    """One of the terms, or several, hold."""
    cel = " || ".join(term.cel for term in terms)
    return Rule(cel, message, lambda model: any(term.test(model) for term in terms))


def implies(condition: Predicate, *consequences: Predicate, message: str) -> Rule:
    """Where the condition holds, all the consequences do."""
    cel = f"!{condition.cel} || ({' && '.join(term.cel for term in consequences)})"
    return Rule(cel, message, lambda model: not condition.test(model) or all(term.test(model) for term in consequences))


def excludes(condition: Predicate, *excluded: Predicate, message: str) -> Rule:
    """Where the condition holds, none of the excluded does."""
    cel = f"!({condition.cel} && ({' || '.join(term.cel for term in excluded)}))"
    return Rule(cel, message, lambda model: not (condition.test(model) and any(term.test(model) for term in excluded)))


def _count(terms: tuple[Predicate, ...]) -> str:
    return " + ".join(f"({term.cel} ? 1 : 0)" for term in terms)
