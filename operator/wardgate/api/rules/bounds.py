"""Types with their limits: what a text, a number, a list or a map of the API may be at most.

Every list, map and text is bounded, because the API server multiplies these bounds when it estimates what a CEL rule
costs, and because nobody should be able to stall the gateway with one object. The bounds lie well above what people
write. They are part of the CRDs: lowering one breaks users.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field, Strict
from pydantic_core import PydanticCustomError

from wardgate.http_grammar import TCHAR

T = TypeVar("T")

_SEGMENT: Final = "[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?"
_HOST: Final = rf"^(\*|(\*\.)?{_SEGMENT}(\.{_SEGMENT})*)$"
_HEADER: Final = rf"^:?[{TCHAR}]*$"
_DURATION: Final = r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$"

MAX_DOCUMENT: Final = 1_048_575
"""Characters of a body or a template: the API calls for less than 1 MB."""


def null_is(default: object) -> BeforeValidator:
    """Take null for absent: the API server drops a null before it validates."""

    def replace_null(value: object) -> object:
        return default if value is None else value

    return BeforeValidator(replace_null)


def _null_is_empty_map(value: object) -> object:
    return {} if value is None else value


def _no_bare_number(value: object) -> object:
    """Quotes make a duration of no number, as they do of a text: it lacks its unit."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise PydanticCustomError("bare_duration", "A duration needs its unit.")
    return value


Items: TypeAlias = Annotated[tuple[T, ...], Strict(strict=False), null_is(())]
"""A list; it is a tuple in the models. The default ``()`` stands for absent and null."""
OptionalItems: TypeAlias = Annotated[tuple[T, ...], Strict(strict=False)] | None
"""A list whose absence means something else than an empty list."""
Table: TypeAlias = Annotated[dict[str, T], BeforeValidator(_null_is_empty_map)]
"""A map; the default ``{}`` stands for absent and null.

A null *in* a map is an error, although the API server drops it: ``labels: {route: }`` would otherwise
select every route.
"""
OptionalTable: TypeAlias = dict[str, T] | None
"""A map whose absence means something else than an empty map."""
Flag: TypeAlias = Annotated[bool, null_is(False)]

Name: TypeAlias = Annotated[str, Field(max_length=253)]
"""Name of a Kubernetes object, namespace, cluster or workspace."""
Label: TypeAlias = Annotated[str, Field(max_length=253)]
"""Value of a label. Labels of routes are no Kubernetes labels and may be longer than those."""
Host: TypeAlias = Annotated[str, Field(max_length=253, pattern=_HOST)]
"""A host name; only its left-most segment may be a wildcard."""
HeaderName: TypeAlias = Annotated[str, Field(max_length=256, pattern=_HEADER)]
Line: TypeAlias = Annotated[str, Field(max_length=8192)]
"""One line of text: a header's value, an address, an expression."""
Regex: TypeAlias = Annotated[str, Field(max_length=4096)]
Path: TypeAlias = Annotated[str, Field(max_length=8192)]
Document: TypeAlias = Annotated[str, Field(max_length=MAX_DOCUMENT)]
"""A template or a body."""
Duration: TypeAlias = Annotated[str, Field(max_length=64, pattern=_DURATION), BeforeValidator(_no_bare_number)]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
Int32: TypeAlias = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Count: TypeAlias = Annotated[int, Field(ge=0, le=2**32 - 1)]

DestinationKind: TypeAlias = Literal["SERVICE", "VIRTUAL_DESTINATION", "EXTERNAL_SERVICE"]

PATTERN_MEANINGS: Final[dict[str, str]] = {
    _HOST: "a host name such as api.openai.com, *.example.com or *",
    _HEADER: "the name of a header, without blanks",
    _DURATION: 'a duration such as "2s", "500ms" or "1m30s"',
}
"""The words for a text that breaks a pattern: the form it should have had."""
