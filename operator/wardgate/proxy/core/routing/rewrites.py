"""A route's rewriting of the path, applied last, after every transformation.

A prefix rewrite replaces what the route matched. Where a transformation has written another path, which the route's
own condition no longer describes, the written path goes on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from wardgate.inja.errors import LimitError, TemplateError
from wardgate.inja.limits import TemplateLimits
from wardgate.inja.route_regex import compile_route_regex
from wardgate.ir import PrefixRewrite, RegexRewrite
from wardgate.proxy.core.grammar import is_sendable_path
from wardgate.proxy.core.routing.matching import CompiledMatch
from wardgate.text_codec import from_bytes, to_bytes

_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


PathRewrite: TypeAlias = Callable[[bytes, CompiledMatch], bytes | None]
"""Makes the upstream's path from the caller's; neither has a query. None: it would be too much work."""


def compile_rewrite(rewrite: PrefixRewrite | RegexRewrite, *, limits: TemplateLimits) -> PathRewrite | None:
    """Compile a rewrite; None: this version cannot carry it out, or what it writes could not be sent."""
    kind: object = rewrite
    if isinstance(kind, PrefixRewrite):
        replacement = to_bytes(kind.path)
        return _prefix_rewrite(replacement) if is_sendable_path(replacement) else None
    if not isinstance(kind, RegexRewrite) or not is_sendable_path(to_bytes(kind.substitution)):
        return None
    substitution = kind.substitution
    try:
        pattern = compile_route_regex(kind.pattern, limits=limits)
        pattern.check_substitution(substitution)
    except TemplateError:
        return None

    def rewritten(path: bytes, _: CompiledMatch) -> bytes | None:
        try:
            text = pattern.sub(substitution, from_bytes(path))
        except LimitError:
            return None
        return _rooted(to_bytes(text))

    return rewritten


def _prefix_rewrite(replacement: bytes) -> PathRewrite:
    def rewritten(path: bytes, match: CompiledMatch) -> bytes | None:
        if match.kind == "regex":
            return _rooted(replacement)
        matched = path[: len(match.value)]
        if matched != match.value and not (match.ignore_case and matched.lower() == match.value.lower()):
            return path
        rest = path[len(matched) :]
        if replacement.endswith(b"/") and rest.startswith(b"/"):
            rest = rest[1:]
        return _rooted(replacement + rest)

    return rewritten


def _rooted(path: bytes) -> bytes:
    """Begin with exactly one slash, since two would read as the start of another host; escape what is not ASCII."""
    if not path.isascii():
        path = _BEYOND_ASCII.sub(lambda byte: b"%%%02X" % ord(byte[0]), path)
    return b"/" + path.lstrip(b"/") if path[:1] != b"/" or path[:2] == b"//" else path
