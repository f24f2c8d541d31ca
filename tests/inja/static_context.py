"""A message whose parts are all at hand, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wardgate.inja.budget import StepBudget
from wardgate.inja.context import Environment, Metadata
from wardgate.inja.limits import DEFAULT_LIMITS
from wardgate.inja.values import JsonValue


@dataclass(slots=True)
class StaticContext:
    """A context whose parts are all at hand. Header names are given in lower case."""

    data: JsonValue = None
    headers: Mapping[str, str] = field(default_factory=dict)
    request_headers: Mapping[str, str] = field(default_factory=dict)
    extractions: Mapping[str, str] = field(default_factory=dict)
    raw_body: str = ""
    environment: Environment = field(default_factory=Environment)
    hollow: Mapping[str, str] = field(default_factory=dict)
    dynamic_metadata: Metadata = field(default_factory=dict)
    host_metadata: Metadata = field(default_factory=dict)
    cluster_metadata: Metadata = field(default_factory=dict)
    budget: StepBudget = field(default_factory=lambda: StepBudget(DEFAULT_LIMITS.steps))

    def header(self, name: str, /) -> str:
        """First value of a header of the message being transformed."""
        return self.headers.get(name.lower(), "")

    def request_header(self, name: str, /) -> str:
        """First value of a request header."""
        return self.request_headers.get(name.lower(), "")

    def extraction(self, name: str, /) -> str:
        """Value of an extractor under ``advancedTemplates``."""
        return self.extractions.get(name, "")

    def body(self) -> str:
        """The raw body."""
        return self.raw_body
