"""The functions that Gloo's transformation filter adds: headers, bodies, metadata, encodings, byte strings.

They read from the ``Context`` alone. A function that reads a header and finds it empty records that in the rendering's
state (``taint``): so a half-empty credential is recognised (invariant 4).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final

from wardgate.inja.budget import search_steps
from wardgate.inja.context import Metadata
from wardgate.inja.functions import Function
from wardgate.inja.jsontext import dump_within, quote
from wardgate.inja.state import RenderState
from wardgate.inja.values import JsonValue, to_int32, to_text_ref, wrap_int64
from wardgate.text_codec import from_bytes, to_bytes

_SOLO: Final = "io.solo.transformation"
_ASCII_SPACE: Final = " \t\n\v\f\r"
_RANDOM_LENGTH: Final = 22
_WORDS_AND_BLANKS: Final = bytes(ord(" " if chr(byte) in _ASCII_SPACE else "w") for byte in range(256))


def header(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """First value of a header of this message."""
    name = _header_name(state, arguments)
    return _noted(state, state.context.header(name), name)


def request_header(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """First value of a request header."""
    name = _header_name(state, arguments)
    return _noted(state, state.context.request_header(name), name)


def extraction(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Value of an extractor; only ``advancedTemplates`` fills these."""
    name = to_text_ref(arguments[0])
    value = state.context.extraction(name)
    if not value and name in state.context.hollow:
        state.taint.add(state.context.hollow[name])
    return value


def body(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """The raw body."""
    return state.context.body()


def context(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """All data, whatever its type; extractors' values are part of it."""
    state.taint.update(state.context.hollow.values())
    return state.context.data


def env(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """An environment variable that the installation lists."""
    return state.context.environment.env.get(to_text_ref(arguments[0]), "")


def data_source(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """An inline data source."""
    return state.context.environment.data_sources.get(to_text_ref(arguments[0]), "")


def cluster_metadata(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Metadata of the upstream."""
    return _metadata(state, state.context.cluster_metadata, arguments=arguments)


def dynamic_metadata(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Metadata that earlier filters left."""
    return _metadata(state, state.context.dynamic_metadata, arguments=arguments)


def host_metadata(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Metadata of the endpoint."""
    return _metadata(state, state.context.host_metadata, arguments=arguments)


def cluster_metadata_flat(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """The old ``clusterMetadata``: one key, lists with commas, objects empty."""
    value = _member(state.context.cluster_metadata.get(_SOLO), [to_text_ref(arguments[0])])
    if isinstance(value, list):
        state.charge(2 * len(value))
        return ",".join(_list_item(item) for item in value)
    return "" if isinstance(value, dict) else _scalar(value)


def base64_encode(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Standard alphabet, padded."""
    return base64.b64encode(_bytes(state, arguments[0])).decode()


def base64url_encode(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """URL-safe alphabet, not padded."""
    return base64.urlsafe_b64encode(_bytes(state, arguments[0])).decode().rstrip("=")


def base64_decode(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Decode canonical, padded base64; any other text decodes to the empty one."""
    return _decoded(state, _bytes(state, arguments[0]), alphabet=b"+/")


def base64url_decode(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Decode canonical, unpadded URL-safe base64; any other text decodes to the empty one."""
    text = _bytes(state, arguments[0])
    if b"=" in text:
        return ""
    return _decoded(state, text + b"=" * (-len(text) % 4), alphabet=b"-_")


def substring(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Bytes from ``start``; up to the end if the length is missing, not positive or too long."""
    text = _bytes(state, arguments[0])
    if any(type(argument) is not int for argument in arguments[1:]):
        return ""
    start = to_int32(arguments[1])
    count = wrap_int64(arguments[2]) if len(arguments) == 3 and type(arguments[2]) is int else -1
    if not 0 <= start < len(text):
        return ""
    end = len(text) if count <= 0 else start + count
    return from_bytes(text[start:end])


def replace_with_random(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Replace every occurrence of a pattern by the random value that belongs to it."""
    source, pattern = to_text_ref(arguments[0]), to_text_ref(arguments[1])
    if not pattern:
        return source
    state.charge(3 * search_steps(source, pattern))
    state.charge(source.count(pattern) * _RANDOM_LENGTH >> 7)
    return source.replace(pattern, state.context.environment.random_value(pattern))


def raw_string(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """A string as it stands between the quotes of a JSON string."""
    text = to_text_ref(arguments[0])
    state.charge(len(text) >> 5)
    return quote(text)[1:-1]


def word_count(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Words between white space, throughout a value; keys count, a number or boolean is one word."""
    return _words(state, arguments[0])


def trim(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """The text without ASCII white space at both ends."""
    text = to_text_ref(arguments[0])
    state.charge(len(text) >> 8)
    return text.strip(_ASCII_SPACE)


def _header_name(state: RenderState, arguments: list[JsonValue]) -> str:
    name = to_text_ref(arguments[0])
    state.charge(len(name) >> 6)
    return name


def _noted(state: RenderState, value: str, name: str) -> str:
    if not value:
        state.taint.add(name.lower())
    return state.charge_text(value)


def _bytes(state: RenderState, value: JsonValue) -> bytes:
    return to_bytes(to_text_ref(value))


def _decoded(state: RenderState, text: bytes, *, alphabet: bytes) -> str:
    state.charge(len(text) >> 6)
    try:
        content = base64.b64decode(text, altchars=alphabet, validate=True)
    except binascii.Error:
        return ""
    return from_bytes(content) if base64.b64encode(content, alphabet) == text else ""


def _metadata(state: RenderState, metadata: Metadata, *, arguments: list[JsonValue]) -> JsonValue:
    """Look up ``key[, filter[, delimiter]]``."""
    key, *rest = [to_text_ref(argument) for argument in arguments]
    namespace = rest[0] if rest else _SOLO
    delimiter = rest[1] if len(rest) > 1 and rest[1] else ":"
    state.charge(search_steps(key, delimiter) + key.count(delimiter))
    value = _member(metadata.get(namespace), key.split(delimiter))
    if isinstance(value, list | dict):
        return dump_within(_whole_numbers(state, value), state, max_bytes=state.limits.output_bytes)
    return _scalar(value)


def _member(value: JsonValue, keys: list[str]) -> JsonValue:
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value


def _scalar(value: JsonValue) -> JsonValue:
    """Numbers of Envoy's metadata are doubles; booleans become words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return float(value)
    return "" if value is None else value


def _list_item(value: JsonValue) -> str:
    scalar = "" if isinstance(value, list | dict) else _scalar(value)
    return f"{scalar:g}" if isinstance(scalar, float) else str(scalar)


def _whole_numbers(state: RenderState, value: JsonValue) -> JsonValue:
    """Protobuf writes doubles without a fraction as integers."""
    if isinstance(value, list):
        state.charge(1 + len(value))
        return [_whole_numbers(state, item) for item in value]
    if isinstance(value, dict):
        state.charge(1 + len(value))
        return {key: _whole_numbers(state, item) for key, item in value.items()}
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def _words(state: RenderState, value: JsonValue) -> int:
    if isinstance(value, str):
        state.charge_text(value)
        state.charge(len(value) >> 7)
        words = to_bytes(value).translate(_WORDS_AND_BLANKS)
        return words.startswith(b"w") + words.count(b" w")
    if isinstance(value, list):
        state.charge(1 + len(value))
        return sum(_words(state, item) for item in value)
    if isinstance(value, dict):
        state.charge(1 + 2 * len(value))
        return sum(_words(state, key) + _words(state, item) for key, item in value.items())
    return 0 if value is None else 1


_TWO: Final = frozenset({2})
_NONE: Final = frozenset({0})

GLOO_FUNCTIONS: Final[Mapping[str, Function]] = {
    "base64_decode": Function(base64_decode),
    "base64_encode": Function(base64_encode),
    "base64url_decode": Function(base64url_decode),
    "base64url_encode": Function(base64url_encode),
    "body": Function(body, _NONE),
    "clusterMetadata": Function(cluster_metadata_flat),
    "cluster_metadata": Function(cluster_metadata, frozenset(), variadic=True),
    "context": Function(context, _NONE),
    "data_source": Function(data_source),
    "dynamic_metadata": Function(dynamic_metadata, frozenset(), variadic=True),
    "env": Function(env),
    "extraction": Function(extraction),
    "header": Function(header),
    "host_metadata": Function(host_metadata, frozenset(), variadic=True),
    "raw_string": Function(raw_string),
    "replace_with_random": Function(replace_with_random, _TWO),
    "request_header": Function(request_header),
    "substring": Function(substring, frozenset({2, 3})),
    "trim": Function(trim),
    "word_count": Function(word_count),
}
