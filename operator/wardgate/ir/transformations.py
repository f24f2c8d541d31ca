"""Transformations of a request and of its response. Templates are source text here: each plane compiles its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Extractor:
    """``header`` None reads the body's raw text. ``subgroup`` 0 is the whole match."""

    name: str
    header: str | None
    regex: str
    mode: Literal["EXTRACT", "SINGLE_REPLACE", "REPLACE_ALL"] = "EXTRACT"
    subgroup: int = 0
    replacement: str | None = None


@dataclass(frozen=True, slots=True)
class HeaderTemplate:
    """Set ``name`` (lower case, pseudo-headers too) to the rendering; an empty one, or no ``text``, removes it."""

    name: str
    text: str | None


@dataclass(frozen=True, slots=True)
class AppendedHeader:
    """Add one more value, if the rendering is not empty."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class DynamicMetadataValue:
    """Leave a value for later templates. ``as_json``: parse the rendering, falling back to text."""

    namespace: str
    key: str
    text: str
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class DataSource:
    """The text that ``data_source(name)`` returns."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """One ``injaTemplate``. ``parse_body`` None: parse the body only if some template can read it."""

    extractors: tuple[Extractor, ...] = ()
    headers: tuple[HeaderTemplate, ...] = ()
    append: tuple[AppendedHeader, ...] = ()
    remove: tuple[str, ...] = ()
    body_mode: Literal["keep", "template", "passthrough", "merge_extractors"] = "keep"
    body: str = ""
    dynamic_metadata: tuple[DynamicMetadataValue, ...] = ()
    parse_body: Literal["ParseAsJson", "DontParse"] | None = None
    ignore_parse_error: bool = False
    advanced: bool = False
    escape: bool = False
    data_sources: tuple[DataSource, ...] = ()


@dataclass(frozen=True, slots=True)
class TransformationPlan:
    """``recalculate`` routes the request anew after the transformation.

    ``credential_headers`` (lower case) add to those of invariant 4. ``policy`` is the policy to name in a log.
    ``owner``: as ``Route.owner``.
    """

    name: str
    phase: Literal["pre", "post"]
    request: MessageTemplate | None = None
    response: MessageTemplate | None = None
    recalculate: bool = False
    credential_headers: tuple[str, ...] = ()
    policy: str = ""
    owner: str = ""
