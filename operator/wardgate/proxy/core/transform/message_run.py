"""One transformation of one message, in the order that was measured on Gloo.

1 parse the body, 2 run the extractors, 3 render the body and hold it back, 4 leave dynamic metadata, 5 set headers
(each template sees what the earlier ones did), 6 remove, 7 append, 8 only now replace the body, and drop the content
type of a message that has none. Where ``parseBodyBehavior`` is absent a body is read and parsed only if a template can
read it.

A failure is a value. Nothing that it leaves behind goes anywhere: the exchange answers in the message's place.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import cast

from wardgate.inja.budget import StepBudget
from wardgate.inja.context import Metadata
from wardgate.inja.errors import JsonTooComplexError, JsonTooLargeError, LimitError
from wardgate.inja.json_bounds import Loaded, load
from wardgate.inja.jsontext import JsonTextError, dumps
from wardgate.inja.values import JsonValue, type_error, type_name
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.transform.failures import Failure
from wardgate.proxy.core.transform.hollow_credentials import is_half_empty
from wardgate.proxy.core.transform.message_view import MessageView
from wardgate.proxy.core.transform.parts import HeaderSetting, Parts
from wardgate.proxy.core.transform.surroundings import Surroundings, header_key
from wardgate.text_codec import from_bytes, to_bytes

_CONTENT_TYPE = b"content-type"
_PATH = b":path"
_LONG_VALUE = 256
"""Characters. Shorter values are written too quickly to be charged for."""
_NO_METADATA: Metadata = MappingProxyType({})


class MessageRun:
    """One message on its way through one transformation; to the templates it is their ``Context``."""

    __slots__ = (
        "_around",
        "_body",
        "_body_text",
        "_extractions",
        "_limits",
        "_parts",
        "_spec",
        "_values",
        "_view",
        "budget",
        "cluster_metadata",
        "data",
        "dynamic_metadata",
        "environment",
        "hollow",
        "host_metadata",
    )

    def __init__(self, parts: Parts, around: Surroundings) -> None:
        assert around.budget is not None, "Set before a transformation begins."
        self._around = around
        self.budget: StepBudget = around.budget
        self._parts = parts
        self._spec = parts.spec
        self._limits = parts.limits
        self._body_text: str | None = None
        self._extractions: dict[str, str] = {}
        self._values = 0
        self.environment = parts.environment
        self.data: JsonValue = None
        self.hollow: dict[str, str] = {}
        self.dynamic_metadata = cast("Metadata", around.dynamic_metadata)
        self.host_metadata = _NO_METADATA
        self.cluster_metadata = _NO_METADATA

    def run(self, view: MessageView, loaded: Loaded) -> Failure | None:
        """Carry out steps 2 to 8 on a message; ``loaded``: its body as step 1 has read it."""
        # Rendered before the headers, which may change what it reads, and put in place after them (step 8).
        body = self.new_body(view, loaded)
        self._leave_metadata()
        failure = self._set_headers() or self._append_headers()
        if failure is None:
            self._replace_body(body)
        return failure

    # -- what templates read

    def header(self, name: str, /) -> str:
        """See ``Context``."""
        self.budget.charge(1 + (self._view.header_count >> 3))
        return from_bytes(self._view.first(header_key(name)) or b"")

    def request_header(self, name: str, /) -> str:
        """See ``Context``."""
        self.budget.charge(self._around.request_header_steps)
        return self._around.request_header(name)

    def extraction(self, name: str, /) -> str:
        """See ``Context``."""
        return self._extractions.get(name, "")

    def body(self) -> str:
        """See ``Context``."""
        if self._body_text is None:
            self.budget.charge(len(self._body) >> 9)
            self._body_text = from_bytes(self._body)
            if not self._body_text.isascii():
                self.budget.charge_text(self._body_text)
        return self._body_text

    # -- the steps

    def _extract(self) -> None:
        for extraction in self._parts.extractions:
            header = extraction.header
            if header is None:
                value = extraction.extractor.extract_bytes(self._body, self.budget)
            else:
                given = self._view.first(header)
                value = extraction.extractor.extract_bytes(given, self.budget)
                if not given or not value:
                    self.hollow[extraction.name] = from_bytes(header)
            if self._spec.advanced:
                self._extractions[extraction.name] = value
            else:
                self.data = _written(self.data, extraction.path, value=value)

    def new_body(self, view: MessageView, loaded: Loaded) -> bytes | None:
        """Carry out steps 2 and 3: make the body that replaces the message's; None: it stays."""
        self._view = view
        self._body = b"" if self._spec.body_mode == "passthrough" else view.body or b""
        self.data, self._values = loaded
        self._extract()
        if self._parts.body is not None:
            return to_bytes(self._parts.body.render(self))
        if self._spec.body_mode == "merge_extractors":
            self.budget.charge(4 * self._values + (len(self._body) >> 7))
            return to_bytes(self.budget.charge_text(dumps(self.data, self.budget)))
        return None

    def _leave_metadata(self) -> None:
        for setting in self._parts.metadata:
            text = self.budget.charge_text(setting.template.render(self))
            if text:
                value = self._json_or_text(text) if setting.as_json else text
                self._around.leave(setting.namespace, setting.key, value=value)

    def _json_or_text(self, text: str) -> JsonValue:
        try:
            return load(to_bytes(text), limits=self._limits, meter=self.budget).value
        except (JsonTooLargeError, JsonTooComplexError) as error:
            raise LimitError(error.message, sealed=error.sealed) from error
        except JsonTextError:
            return text

    def _set_headers(self) -> Failure | None:
        for setting in self._parts.headers:
            text = self._rendered(setting)
            if text is None:
                return Failure(ReplyReason.HALF_EMPTY_CREDENTIAL)
            if not self._view.replace(setting.name, to_bytes(text)):
                return Failure(ReplyReason.UNSAFE_RENDERING)
        for name in self._parts.remove:
            self._view.remove(name)
        return None

    def _append_headers(self) -> Failure | None:
        for setting in self._parts.append:
            text = self._rendered(setting)
            if text is None:
                return Failure(ReplyReason.HALF_EMPTY_CREDENTIAL)
            if not self._view.append(setting.name, to_bytes(text)):
                return Failure(ReplyReason.UNSAFE_RENDERING)
        return None

    def _rendered(self, setting: HeaderSetting) -> str | None:
        """Render one header; None: it is a credential that would be half-empty."""
        if setting.template is None:
            return ""
        if not setting.traced:
            return self._charged(setting, setting.template.render(self))
        rendered = setting.template.render_traced(self)
        if is_half_empty(rendered.text, rendered.hollow, metadata_headers=self._around.metadata_headers):
            return None
        return self._charged(setting, rendered.text)

    def _charged(self, setting: HeaderSetting, text: str) -> str:
        if len(text) > _LONG_VALUE:
            # A path is taken apart, segment by segment and escape by escape.
            self.budget.charge(len(text) >> (2 if setting.name == _PATH else 5))
        return text

    def _replace_body(self, body: bytes | None) -> None:
        view = self._view
        if body is not None:
            view.body = body
        if self._spec.body_mode != "passthrough" and view.body is not None and not view.body:
            view.remove(_CONTENT_TYPE)


def _written(data: JsonValue, path: tuple[str, ...], *, value: str) -> JsonValue:
    """Write an extraction into the data, as the library's ``operator[]`` does on its way down."""
    root: dict[str, JsonValue] = {"": data}
    parent, last = root, ""
    for token in path:
        child = parent[last]
        if child is None:
            child = parent[last] = {}
        if not isinstance(child, dict):
            text = f"cannot use operator[] with a string argument with {type_name(child)}"
            raise type_error(305, text)
        child.setdefault(token, None)
        parent, last = child, token
    parent[last] = value
    return root[""]
