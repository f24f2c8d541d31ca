"""One transformation of one message, in the order that the spec measured (section 4.1).

1 parse the body, 2 run the extractors, 3 render the body and hold it back, 4 leave dynamic metadata, 5 set headers
(each template sees what the earlier ones did), 6 remove, 7 append, 8 only now replace the body, and drop the content
type of a message that has none. Where ``parseBodyBehavior`` is absent a body is read and parsed only if a template can
read it.

A failure is a value. Nothing that it leaves behind goes anywhere: the exchange answers in the message's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, cast

from wardgate.inja import CompiledExtractor, Environment, LimitError, Template, TemplateError, TemplateLimits
from wardgate.inja.budget import StepBudget
from wardgate.inja.context import Metadata
from wardgate.inja.errors import JsonTooComplexError, JsonTooLargeError
from wardgate.inja.json_bounds import Loaded, load
from wardgate.inja.jsontext import JsonTextError, dumps
from wardgate.inja.values import JsonValue, type_error, type_name
from wardgate.ir import MessageTemplate
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.transform.failures import Failure
from wardgate.proxy.core.transform.hollow_credentials import is_half_empty
from wardgate.proxy.core.transform.message_view import MessageView
from wardgate.proxy.core.transform.surroundings import Surroundings, header_key
from wardgate.proxy.core.transform.veil import VeiledView
from wardgate.text_codec import from_bytes, to_bytes

_CONTENT_TYPE = b"content-type"
_PATH = b":path"
_FEW_HEADERS = 64
"""So few are looked through too quickly to be charged for."""
_LONG_VALUE = 256
"""Characters. Shorter values are written too quickly to be charged for."""
_NO_METADATA: Metadata = MappingProxyType({})
_NOTHING = Loaded(None, 0)


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
    """The compiled pieces of one message template."""

    extractions: tuple[Extraction, ...]
    headers: tuple[HeaderSetting, ...]
    append: tuple[HeaderSetting, ...]
    remove: tuple[bytes, ...]
    metadata: tuple[MetadataSetting, ...]
    body: Template | None


class CompiledMessage:
    """One ``injaTemplate``. ``needs_body``: the whole body must be known before ``run``.

    ``blind``: a tenant's, which works behind the veil where there is one.
    ``longest_body``: bytes of the longest body that it takes; None: any.
    """

    __slots__ = (
        "_blind",
        "_header_steps",
        "_is_request",
        "_parse",
        "environment",
        "limits",
        "longest_body",
        "needs_body",
        "parts",
        "spec",
    )

    def __init__(
        self,
        spec: MessageTemplate,
        parts: Parts,
        *,
        environment: Environment,
        limits: TemplateLimits,
        is_request: bool,
        blind: bool,
    ) -> None:
        self.spec = spec
        self.parts = parts
        self._is_request = is_request
        self._blind = blind
        self.environment = environment
        self.limits = limits
        self._header_steps = len(parts.extractions) + len(parts.headers) + len(parts.append) + len(parts.remove)
        reads = _reads_body(spec, parts)
        passthrough = spec.body_mode == "passthrough"
        self._parse = not passthrough and (spec.parse_body == "ParseAsJson" or (spec.parse_body is None and reads))
        replaces = spec.body_mode in ("template", "merge_extractors")
        self.needs_body = not passthrough and (self._parse or reads or replaces)
        self.longest_body = limits.json_bytes if self._parse else None

    @property
    def merges(self) -> bool:
        """Whether the new body is the old one with the extractors' values."""
        return self.spec.body_mode == "merge_extractors"

    def run(self, view: MessageView, around: Surroundings) -> Failure | None:
        """Transform the message in place."""
        budget = around.budget
        if budget is None:
            budget = around.budget = StepBudget(self.limits.steps)
        veil = around.veil
        if veil is not None and self._blind:
            view = VeiledView(view, veil.request if self._is_request else veil.response)
            around = around.behind(veil)
        try:
            if view.header_count > _FEW_HEADERS:
                budget.charge(self._header_steps * view.header_count >> 2)
            loaded = self._loaded(view.body, budget)
            return _MessageRun(view, around, budget, self).run(loaded)
        except JsonTooLargeError:
            return Failure(ReplyReason.BODY_TOO_LARGE)
        except JsonTooComplexError as error:
            return Failure(ReplyReason.BODY_TOO_COMPLEX, error.message, error.sealed)
        except LimitError as error:
            return Failure(ReplyReason.TRANSFORMATION_TOO_COSTLY, error.message, error.sealed)
        except TemplateError as error:
            return Failure(ReplyReason.TRANSFORMATION_FAILED, error.message, error.sealed)
        except JsonTextError as error:
            return Failure(ReplyReason.TRANSFORMATION_FAILED, str(error), error.sealed)

    def _loaded(self, body: bytes | None, budget: StepBudget) -> Loaded:
        if not self._parse or not body:
            return _NOTHING
        try:
            return load(body, limits=self.limits, meter=budget)
        except JsonTextError:
            if self.spec.ignore_parse_error:
                return _NOTHING
            raise


class _MessageRun:
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

    def __init__(self, view: MessageView, around: Surroundings, budget: StepBudget, message: CompiledMessage) -> None:
        self._view = view
        self._around = around
        self.budget = budget
        self._parts = message.parts
        self._spec = spec = message.spec
        self._limits = message.limits
        self._body = b"" if spec.body_mode == "passthrough" else view.body or b""
        self._body_text: str | None = None
        self._extractions: dict[str, str] = {}
        self._values = 0
        self.environment = message.environment
        self.data: JsonValue = None
        self.hollow: dict[str, str] = {}
        self.dynamic_metadata = cast("Metadata", around.dynamic_metadata)
        self.host_metadata = _NO_METADATA
        self.cluster_metadata = _NO_METADATA

    def run(self, loaded: Loaded) -> Failure | None:
        """Carry out steps 2 to 8."""
        self.data, self._values = loaded
        self._extract()
        body = self._new_body()
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
                self.data = _written(self.data, extraction.path, value)

    def _new_body(self) -> bytes | None:
        """Make the body that replaces the message's; None: it stays."""
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
                self._around.leave(setting.namespace, setting.key, value)

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


@dataclass(frozen=True, slots=True, eq=False)
class CompiledTransformation:
    """One plan, ready. ``policy`` names whom to blame in a log; ``owner``: as ``ir.Route.owner``."""

    name: str
    policy: str
    owner: str
    phase: Literal["pre", "post"]
    request: CompiledMessage | None
    response: CompiledMessage | None
    recalculate: bool

    @property
    def reads_response(self) -> bool:
        """Whether the response's whole body must be known."""
        return self.response is not None and self.response.needs_body


def _reads_body(spec: MessageTemplate, parts: Parts) -> bool:
    """Whether the message's own body can show in what comes out; what an extractor defines is not the body's."""
    if spec.body_mode == "merge_extractors" or any(each.header is None for each in parts.extractions):
        return True
    defined = frozenset[str]() if spec.advanced else frozenset(each.name for each in parts.extractions)
    templates = [parts.body, *(each.template for each in (*parts.headers, *parts.append))]
    templates += [each.template for each in parts.metadata]
    return any(each is not None and each.may_read_body(defined) for each in templates)


def _written(data: JsonValue, path: tuple[str, ...], value: str) -> JsonValue:
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
