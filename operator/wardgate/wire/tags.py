"""Names on the wire of the kinds of a tagged union. A name is for ever; the Python class may be renamed.

Only kinds that share their place with another kind, or with plain text, need a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from wardgate import ir
from wardgate.wire.codec import Codec

TAGS: Final[Mapping[type, str]] = MappingProxyType(
    {
        ir.ApiKeyStep: "api_key",
        ir.BasicAuthStep: "basic",
        ir.Digest: "digest",
        ir.Hmac: "hmac",
        ir.BoolStep: "step",
        ir.BoolNot: "not",
        ir.BoolAnd: "and",
        ir.BoolOr: "or",
        ir.Forward: "forward",
        ir.Redirect: "redirect",
        ir.DirectResponse: "respond",
        ir.Refuse: "refuse",
        ir.PrefixRewrite: "prefix",
        ir.RegexRewrite: "regex",
        ir.FileRef: "file",
    }
)

CODEC: Final = Codec(TAGS)
"""The coders of the whole model."""
