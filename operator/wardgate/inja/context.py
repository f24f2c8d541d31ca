"""The inputs of a rendering: one message, and the installation's environment.

The proxy passes its own object with the shape of ``Context``. Nothing here reads the process environment, files or a
clock.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from wardgate.inja.budget import StepBudget
from wardgate.inja.values import JsonValue
from wardgate.text_codec import to_bytes

Metadata = Mapping[str, JsonValue]
"""Filter namespace -> JSON, as Envoy's metadata."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Values that all renderings of one configuration share.

    ``random_bytes`` is called once for 16 bytes. ``replace_with_random`` has to give one pattern one value for the life
    of the configuration; deriving the values from that one secret needs no store, which requests could make grow.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    """The variables that the setting ``templateEnv`` lists."""
    data_sources: Mapping[str, str] = field(default_factory=dict)
    """Inline data sources by name."""
    random_bytes: Callable[[], bytes] = lambda: bytes(16)
    _secret: list[bytes] = field(default_factory=list, init=False, repr=False, compare=False)

    def random_value(self, pattern: str) -> str:
        """Return 128 bits for a pattern, as 22 characters of base64."""
        if not self._secret:
            self._secret.append(self.random_bytes())
        content = to_bytes(pattern)
        digest = blake2b(content, key=self._secret[0], digest_size=16).digest()
        return base64.b64encode(digest).decode().rstrip("=")


class Context(Protocol):
    """One message, as a template sees it.

    Strings hold UTF-8 decoded as ``text_codec`` does. Header names arrive as the template spells them;
    comparing them without regard to case, and taking the first of several values, is the context's business.
    ``""`` means absent.
    """

    @property
    def budget(self) -> StepBudget:
        """The work that all templates of this message may still do."""

    @property
    def data(self) -> JsonValue:
        """The parsed body with the extractors' values; anything but an object counts as an empty one."""

    @property
    def environment(self) -> Environment:
        """Values that the configuration's renderings share."""

    @property
    def hollow(self) -> Mapping[str, str]:
        """Extractors whose value came out empty from a header: name -> header name in lower case."""

    @property
    def dynamic_metadata(self) -> Metadata:
        """Metadata that earlier filters left behind."""

    @property
    def host_metadata(self) -> Metadata:
        """Metadata of the endpoint."""

    @property
    def cluster_metadata(self) -> Metadata:
        """Metadata of the upstream."""

    def header(self, name: str, /) -> str:
        """First value of a header of the message being transformed."""

    def request_header(self, name: str, /) -> str:
        """First value of a request header."""

    def extraction(self, name: str, /) -> str:
        """Value of an extractor under ``advancedTemplates``."""

    def body(self) -> str:
        """The raw body."""
