"""Reads one ``injaTemplate`` into one ``MessageTemplate``: names checked, templates and extractors compiled on trial.

Maps come out sorted by name, because a map of the API has no order. Rules that join several fields of the model (one
body mode, the modes of an extractor) are enforced when a manifest is parsed, and not repeated.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from wardgate.api.kinds.transformation_template import DataSource as DataSourceModel
from wardgate.api.kinds.transformation_template import Extractor as ExtractorModel
from wardgate.api.kinds.transformation_template import InjaTemplate, TransformationTemplate
from wardgate.api.reading.removal import removal_sentence
from wardgate.field_names import CREDENTIAL_HEADERS, fold
from wardgate.inja.errors import TemplateError
from wardgate.inja.extractors import compile_extractor
from wardgate.inja.limits import TemplateLimits
from wardgate.inja.template import Template, compile_template
from wardgate.ir import AppendedHeader, DataSource, DynamicMetadataValue, Extractor, HeaderTemplate, MessageTemplate
from wardgate.problems import Cause, FieldPath, ObjectRef, Reason, format_path
from wardgate.text_codec import from_bytes, to_bytes
from wardgate.translate.findings import Findings
from wardgate.translate.policies.header_names import PSEUDO, READABLE_PSEUDO, is_proxy_written, is_token
from wardgate.translate.policies.replacement_texts import misread_group
from wardgate.translate.policies.template_hints import template_hint
from wardgate.translate.policies.template_names import printed_headers, unknown_names

T = TypeVar("T")

DEFAULT_METADATA_NAMESPACE: Final = "io.solo.transformation"

_UNSUPPORTED: Final = (
    ("merge_json_keys", "mergeJsonKeys"),
    ("string_delimiter", "stringDelimiter"),
)
_FOREIGN: Final = frozenset({"merge_json_keys", "string_delimiter", "span_transformer", "data_source_max_size"})
_CONSTANT_IN_LOWER_CASE: Final = re.compile(r"(?=[^a-z]*[a-z])[A-Za-z-]{1,32}")
"""A text without a placeholder that would be a method but for its case."""
_DATA_SOURCE_BYTES: Final = 4096
"""The size limit of a data source if ``dataSourceMaxSize`` is absent."""


@dataclass(frozen=True, slots=True)
class TemplateReader:
    """Reads the template of one side of ``policy``; problems go to ``findings``.

    ``credentials``: the folded names of headers that are credentials; ``credentials_read``: the headers whose values
    are printed into them.
    """

    policy: ObjectRef
    side: Literal["request", "response"]
    limits: TemplateLimits
    findings: Findings
    credentials: frozenset[str] = frozenset()
    credentials_read: set[str] = field(default_factory=set)

    def read(self, model: TransformationTemplate) -> MessageTemplate:
        """The template; incomplete if there was an error."""
        self._report_foreign_fields(model)
        mode, body = self._body(model)
        return MessageTemplate(
            extractors=tuple(self._extractor(name, one) for name, one in sorted(model.extractors.items())),
            headers=tuple(self._headers(model)),
            append=tuple(self._appended(model)),
            remove=tuple(self._removed(model.headers_to_remove)),
            body_mode=mode,
            body=body,
            dynamic_metadata=tuple(self._metadata(model)),
            parse_body=model.parse_body_behavior,
            ignore_parse_error=model.ignore_error_on_parse,
            advanced=model.advanced_templates,
            escape=model.escape_characters,
            data_sources=tuple(self._data_sources(model)),
        )

    def _report_foreign_fields(self, model: TransformationTemplate) -> None:
        for attribute, name in _UNSUPPORTED:
            if getattr(model, attribute):
                message = f"{self.policy} uses {name}, which Wardgate does not implement. {self._removal(model, name)}"
                self.findings.error(self.policy, Reason.UNSUPPORTED, message=message, field=self._field(name))
        for name, set_in_vain in (
            ("spanTransformer", model.span_transformer is not None),
            ("dataSourceMaxSize", model.data_source_max_size is not None and not model.data_sources),
        ):
            if set_in_vain:
                message = f"{self.policy} sets {name}, which has no effect here."
                self.findings.note(
                    self.policy, Reason.NO_EFFECT, message=message, field=self._field(name), cause=Cause(name)
                )

    def _removal(self, model: TransformationTemplate, name: str) -> str:
        return removal_sentence(self._field(name), alone=model.model_fields_set <= _FOREIGN)

    def _extractor(self, name: str, model: ExtractorModel) -> Extractor:
        replacement = None if model.mode == "EXTRACT" else model.replacement_text
        field = self._field("extractors", name)
        header = None if model.header is None else model.header.lower()
        if header is not None and not is_token(header) and header not in READABLE_PSEUDO:
            self._error(f"{self.policy} cannot read header {header!a}: there is none of that name. Correct it.", field)
        self._try(
            lambda: compile_extractor(
                regex=model.regex, mode=model.mode, subgroup=model.subgroup, replacement=replacement, limits=self.limits
            ),
            f"Failed to parse extractor '{name}': ",
            field=field,
        )
        misread = misread_group(model.mode, replacement or "")
        if misread is not None:
            message = f"replacementText of extractor {name!a} of {self.policy} {misread}"
            self.findings.warning(self.policy, Reason.REGEX_ERROR, message=message, field=(*field, "replacementText"))
        return Extractor(
            name=name,
            header=header,
            regex=model.regex,
            mode=model.mode,
            subgroup=model.subgroup,
            replacement=replacement,
        )

    def _headers(self, model: TransformationTemplate) -> Iterator[HeaderTemplate]:
        seen: set[str] = set()
        for written, template in sorted(model.headers.items(), key=lambda entry: (entry[0].lower(), entry[0])):
            field = self._field("headers", written)
            name = self._header_name(written, field)
            if name is None:
                continue
            same = "host" if name == ":authority" else fold(name)
            if same in seen:
                message = f"{self.policy} sets header {name!a} twice, in two spellings. Remove one of the two."
                self._error(message, field)
            seen.add(same)
            self._try_header(written, template, model=model, field=(*field, "text"))
            if name == ":method" and _CONSTANT_IN_LOWER_CASE.fullmatch(template.text):
                self._warn_of_method(template.text, (*field, "text"))
            yield HeaderTemplate(name=name, text=template.text or None)

    def _appended(self, model: TransformationTemplate) -> Iterator[AppendedHeader]:
        for number, entry in enumerate(model.headers_to_append):
            field = self._field("headersToAppend", number)
            name = self._header_name(entry.key, (*field, "key"), pseudo=False)
            if name is not None and entry.value is not None and entry.value.text:
                self._try_header(entry.key, entry.value, model=model, field=(*field, "value", "text"))
                yield AppendedHeader(name=name, text=entry.value.text)

    def _removed(self, names: Sequence[str]) -> Iterator[str]:
        lower = [
            self._header_name(name, self._field("headersToRemove", number), pseudo=False)
            for number, name in enumerate(names)
        ]
        yield from dict.fromkeys(name for name in lower if name is not None)

    def _header_name(self, name: str, field: FieldPath, *, pseudo: bool = True) -> str | None:
        """The name in lower case; None if the policy may not change this header."""
        lower = name.lower()
        if is_proxy_written(lower):
            message = f"{self.policy} changes header {lower!a}, which the proxy alone writes: no effect. Remove it."
            self.findings.warning(self.policy, Reason.NO_EFFECT, message=message, field=field)
            return None
        if is_token(lower) or (pseudo and lower in PSEUDO):
            return lower
        known = f"; of the pseudo-headers {', '.join(sorted(PSEUDO))} can be set" if lower.startswith(":") else ""
        self._error(
            f"{self.policy} cannot change header {name!a}: that is no name of a header{known}. Correct it.", field
        )
        return None

    def _body(
        self, model: TransformationTemplate
    ) -> tuple[Literal["keep", "template", "passthrough", "merge_extractors"], str]:
        if model.passthrough is not None:
            return "passthrough", ""
        if model.merge_extractors_to_body is not None:
            return "merge_extractors", ""
        if model.body is None:
            return "keep", ""
        self._try_template(model.body, model, what="Failed to parse body template ", field=self._field("body", "text"))
        return "template", model.body.text

    def _metadata(self, model: TransformationTemplate) -> Iterator[DynamicMetadataValue]:
        for number, entry in enumerate(model.dynamic_metadata_values):
            if entry.value is None or not entry.value.text:
                continue
            field = self._field("dynamicMetadataValues", number, "value", "text")
            self._try_template(
                entry.value, model, what=f"Failed to parse dynamic metadata template '{entry.key}': ", field=field
            )
            yield DynamicMetadataValue(
                namespace=entry.metadata_namespace or DEFAULT_METADATA_NAMESPACE,
                key=entry.key,
                text=entry.value.text,
                as_json=entry.json_to_proto,
            )

    def _data_sources(self, model: TransformationTemplate) -> Iterator[DataSource]:
        limit = _DATA_SOURCE_BYTES if model.data_source_max_size is None else model.data_source_max_size
        for name, source in sorted(model.data_sources.items()):
            field = self._field("dataSources", name)
            content = _inline(source)
            if isinstance(content, _NotInline):
                message = f"{self.policy} has the data source {name!a}, {content.complaint}"
                self.findings.error(self.policy, content.reason, message=message, field=field)
            elif len(content) > limit:
                message = (
                    f"{self.policy} has the data source {name!a} of {len(content)} bytes, and dataSourceMaxSize allows "
                    f"{limit}. Shorten it, or raise dataSourceMaxSize."
                )
                self.findings.error(self.policy, Reason.TOO_LARGE, message=message, field=field)
            else:
                yield DataSource(name, from_bytes(content))

    def _try_header(
        self, written: str, template: InjaTemplate, *, model: TransformationTemplate, field: FieldPath
    ) -> None:
        is_credential = fold(written) in self.credentials
        what = f"Failed to parse header template '{written}': "
        self._try_template(template, model, what=what, field=field, is_credential=is_credential)

    def _try_template(
        self,
        template: InjaTemplate,
        model: TransformationTemplate,
        *,
        what: str,
        field: FieldPath,
        is_credential: bool = False,
    ) -> None:
        def compile_it() -> Template:
            return compile_template(
                template.text,
                name="",
                advanced=model.advanced_templates,
                escape=model.escape_characters,
                limits=self.limits,
            )

        compiled = self._try(compile_it, what, field=field, text=template.text)
        if compiled is None:
            return
        needs = compiled.needs()
        for complaint in unknown_names(needs, model, side=self.side, credential=is_credential):
            message = f"{self.policy} {complaint} It stands in {format_path(field)}."
            self.findings.warning(self.policy, Reason.TEMPLATE_ERROR, message=message, field=field)
        if is_credential:
            self.credentials_read.update(printed_headers(needs, model))

    def _try(self, compile_it: Callable[[], T], what: str, *, field: FieldPath, text: str | None = None) -> T | None:
        """The result; None where an error was reported. ``text``: the template; None for an extractor."""
        try:
            return compile_it()
        except TemplateError as error:
            message = f"{self.policy}: Failed to parse {self.side} template: {what}{error.message}"
            reason, hint = Reason.REGEX_ERROR, ""
            if text is not None:
                reason, hint = Reason.TEMPLATE_ERROR, template_hint(error, text)
            self.findings.error(self.policy, reason, message=f"{message}. {hint}" if hint else message, field=field)
            return None

    def _warn_of_method(self, method: str, field: FieldPath) -> None:
        message = (
            f"{self.policy} sets :method to {method}, and a method with a lower-case letter is refused. "
            f"Write {method.upper()}."
        )
        self.findings.warning(self.policy, Reason.INVALID, message=message, field=field)

    def _error(self, message: str, field: FieldPath) -> None:
        self.findings.error(self.policy, Reason.INVALID, message=message, field=field)

    def _field(self, *path: str | int) -> FieldPath:
        return ("spec", "config", self.side, "injaTemplate", *path)


def credential_names(further: Sequence[str]) -> frozenset[str]:
    """The folded names of credential headers: those that are so everywhere, and those that a policy adds."""
    return CREDENTIAL_HEADERS | set(map(fold, further))


@dataclass(frozen=True, slots=True)
class _NotInline:
    """``complaint`` continues the sentence "Policy x/y has the data source z, "."""

    reason: Reason
    complaint: str


def _inline(source: DataSourceModel) -> bytes | _NotInline:
    """The content that stands in the manifest itself."""
    given = {name for name in type(source).model_fields if getattr(source, name) is not None}
    if given == {"inline_string"} and source.inline_string is not None:
        return to_bytes(source.inline_string)
    if given == {"inline_bytes"} and source.inline_bytes is not None:
        try:
            return base64.b64decode(source.inline_bytes, validate=True)
        except (binascii.Error, ValueError):
            return _NotInline(Reason.INVALID, "whose inlineBytes is not base64. Correct it.")
    complaint = "which does not stand in the manifest itself. Give it inlineString alone."
    return _NotInline(Reason.UNSUPPORTED, complaint)
