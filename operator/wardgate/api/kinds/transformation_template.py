"""``injaTemplate``: extractors and templates that rewrite the headers and the body of one message.

Only what can be told without compiling is checked here; syntax of templates and patterns is checked in ``translate``.
Fields that only the newest filter has are here too, so that using one is reported instead of lost.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wardgate.api.kinds.basic_auth import Marker
from wardgate.api.rules.bounds import Count, Document, Flag, HeaderName, Items, Line, Name, Regex, Table, null_is
from wardgate.api.rules.model import ApiModel
from wardgate.api.rules.rules import Rule, at_most_one, exactly_one, given


class Extractor(ApiModel):
    """A value taken from a header or the body by a pattern that has to match the whole of it."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        exactly_one(given("header"), given("body"), message="Name one source: header, or body: {}."),
        Rule(
            "!has(self.replacementText) || self.replacementText == '' || (has(self.mode) && self.mode != 'EXTRACT')",
            "EXTRACT takes no replacementText: remove it, or set mode to SINGLE_REPLACE or REPLACE_ALL.",
            lambda model: model.mode != "EXTRACT" or not model.replacement_text,
        ),
        Rule(
            "!has(self.mode) || self.mode == 'EXTRACT' || has(self.replacementText)",
            "SINGLE_REPLACE and REPLACE_ALL need replacementText; an empty text is one.",
            lambda model: model.mode == "EXTRACT" or model.replacement_text is not None,
        ),
        Rule(
            "!has(self.mode) || self.mode != 'REPLACE_ALL' || !has(self.subgroup) || self.subgroup == 0",
            "REPLACE_ALL replaces whole matches: remove subgroup.",
            lambda model: model.mode != "REPLACE_ALL" or model.subgroup == 0,
        ),
    )

    header: HeaderName | None = Field(None, min_length=1, description="Header whose first value is read.")
    body: Marker | None = Field(None, description="Read the body; always an empty object.")
    regex: Annotated[Regex, null_is("")] = Field(
        "", description="Pattern that the whole value must match; absent matches an empty value only."
    )
    subgroup: Annotated[Count, null_is(0)] = Field(0, description="Group of the pattern to take; 0 takes everything.")
    mode: Annotated[Literal["EXTRACT", "SINGLE_REPLACE", "REPLACE_ALL"], null_is("EXTRACT")] = Field(
        "EXTRACT", description="Take the group (if absent), replace it, or replace every match of the pattern."
    )
    replacement_text: Document | None = Field(None, description="What the replacing modes put in.")


class InjaTemplate(ApiModel):
    """One template."""

    text: Annotated[Document, null_is("")] = Field("", description="The template; empty or absent renders nothing.")


class HeaderToAppend(ApiModel):
    """One header value added beside those that are there."""

    key: HeaderName = Field(min_length=1, description="Name of the header.")
    value: InjaTemplate | None = Field(None, description="Its value; nothing is added if it renders empty.")


class MergedKey(ApiModel):
    """One key of the JSON body."""

    tmpl: InjaTemplate | None = Field(None, description="The key's value, as JSON.")
    override_empty: Flag = Field(False, description="Set the key even if the template renders empty.")


class MergeJsonKeys(ApiModel):
    """Set single keys of the JSON body."""

    json_keys: Table[MergedKey] = Field({}, max_length=256, description="Key of the body to its template.")


class DynamicMetadataValue(ApiModel):
    """One value left for later steps of the same request."""

    metadata_namespace: Name | None = Field(None, description="Where it is kept; io.solo.transformation if absent.")
    key: Name = Field(min_length=1, description="Its name.")
    value: InjaTemplate | None = Field(None, description="The value; not set if it renders empty.")
    json_to_proto: Flag = Field(False, description="Read the value as JSON; as text if it is none.")


class SpanTransformer(ApiModel):
    """Name of the trace span."""

    name: InjaTemplate | None = Field(None, description="Template of the name.")


class DataSource(ApiModel):
    """One text for ``data_source()``. Sources that are not inline are here to be reported instead of lost."""

    inline_string: Document | None = Field(None, description="The text itself.")
    inline_bytes: Document | None = Field(None, description="The text in base64.")
    filename: Line | None = Field(None, description="A file; not supported, because the proxy reads no files for it.")
    environment_variable: Line | None = Field(None, description="A variable; not supported, env() reads those.")


class TransformationTemplate(ApiModel):
    """Rewrites one message: extractors first, then body, headers, metadata."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        at_most_one(
            given("body"),
            given("passthrough"),
            given("merge_extractors_to_body"),
            given("merge_json_keys"),
            message="Give at most one of body, passthrough, mergeExtractorsToBody and mergeJsonKeys.",
        ),
    )

    advanced_templates: Flag = Field(
        False, description="Variables are JSON pointers (a/b), and extractors are read with extraction()."
    )
    extractors: Table[Extractor] = Field({}, max_length=128, description="Values for the templates, by name.")
    headers: Table[InjaTemplate] = Field(
        {}, max_length=128, description="Headers to set, by name; one that renders empty is removed."
    )
    headers_to_append: Items[HeaderToAppend] = Field((), max_length=128, description="Header values to add.")
    headers_to_remove: Items[HeaderName] = Field((), max_length=128, description="Headers to remove.")
    body: InjaTemplate | None = Field(None, description="Template of the new body.")
    passthrough: Marker | None = Field(None, description="Leave the body alone and do not wait for it: {}.")
    merge_extractors_to_body: Marker | None = Field(None, description="Write the extracted values into the body: {}.")
    merge_json_keys: MergeJsonKeys | None = Field(None, description="Set single keys of the JSON body.")
    parse_body_behavior: Literal["ParseAsJson", "DontParse"] | None = Field(
        None,
        description=(
            "Whether the body is parsed as JSON. Absent parses only if a template can read it; ParseAsJson refuses "
            "every body that is not JSON."
        ),
    )
    ignore_error_on_parse: Flag = Field(False, description="Go on without data if the body is not JSON.")
    dynamic_metadata_values: Items[DynamicMetadataValue] = Field(
        (), max_length=128, description="Values left for later steps of the same request."
    )
    escape_characters: Flag = Field(False, description="Escape texts as JSON does when a template prints them.")
    string_delimiter: Line | None = Field(None, description="Separates the parts of a metadata key.")
    span_transformer: SpanTransformer | None = Field(None, description="Names the trace span.")
    data_sources: Table[DataSource] = Field({}, max_length=64, description="Texts for data_source(), by name.")
    data_source_max_size: Count | None = Field(None, description="Largest data source in bytes; 4096 if absent.")
