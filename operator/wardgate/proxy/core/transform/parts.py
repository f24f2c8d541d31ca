"""The pieces of one message template, each made ready once per config."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.inja.context import Environment
from wardgate.inja.extractors import CompiledExtractor
from wardgate.inja.limits import TemplateLimits
from wardgate.inja.template import Template
from wardgate.ir import MessageTemplate


@dataclass(frozen=True, slots=True)
class Extraction:
    """One extractor. ``path``: where in the data its result is written; ``header`` None reads the body."""

    name: str
    path: tuple[str, ...]
    header: bytes | None
    extractor: CompiledExtractor


@dataclass(frozen=True, slots=True)
class HeaderSetting:
    """One header template. ``traced``: it is a credential, whose hollow parts must be known."""

    name: bytes
    template: Template | None
    traced: bool


@dataclass(frozen=True, slots=True)
class MetadataSetting:
    """One value for dynamic metadata."""

    namespace: str
    key: str
    template: Template
    as_json: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """The compiled pieces of one message template, ``spec``."""

    spec: MessageTemplate
    environment: Environment
    limits: TemplateLimits
    extractions: tuple[Extraction, ...]
    headers: tuple[HeaderSetting, ...]
    append: tuple[HeaderSetting, ...]
    remove: tuple[bytes, ...]
    metadata: tuple[MetadataSetting, ...]
    body: Template | None
