"""One TransformationPolicy to one plan: fields, names of headers, templates and extractors that cannot be compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.translate.policies.objects import scope_of, stored
from wardgate.api.kinds.transformation_policy import TransformationPolicy
from wardgate.inja.limits import TemplateLimits
from wardgate.ir import (
    AppendedHeader,
    DataSource,
    DynamicMetadataValue,
    Extractor,
    HeaderTemplate,
    MessageTemplate,
    TransformationPlan,
)
from wardgate.problems import FieldPath, ObjectRef, ProblemKind, Reason
from wardgate.settings import Settings
from wardgate.translate.contract import ParsedObject, Scope, TransformationOutcome
from wardgate.translate.policies.transformations import translate_transformation

POLICY = ObjectRef("TransformationPolicy", "ns", "t")
REQUEST: FieldPath = ("spec", "config", "request", "injaTemplate")
CREDENTIALS = "wardgate.dev/credential-headers"
IN_REQUEST = "TransformationPolicy ns/t: Failed to parse request template: "


def policy(
    config: Mapping[str, object], annotations: Mapping[str, str] | None = None, *, version: int = 1
) -> ParsedObject[TransformationPolicy]:
    manifest = {
        "apiVersion": "trafficcontrol.policy.gloo.solo.io/v2",
        "kind": "TransformationPolicy",
        "metadata": {"name": "t", "namespace": "ns", "annotations": annotations or {}},
        "spec": {"config": config},
    }
    return ParsedObject(
        stored(manifest, kind="TransformationPolicy", namespace="ns", name="t", version=version),
        TransformationPolicy.model_validate(manifest),
    )


def translate(
    config: Mapping[str, object], annotations: Mapping[str, str] | None = None, scope: Scope | None = None
) -> TransformationOutcome:
    return translate_transformation(policy(config, annotations), scope or scope_of())


def request(**template: object) -> TransformationOutcome:
    return translate({"request": {"injaTemplate": template}})


def plan(outcome: TransformationOutcome) -> TransformationPlan:
    assert outcome.plan is not None, outcome.problems
    return outcome.plan


def template(outcome: TransformationOutcome) -> MessageTemplate:
    message_template = plan(outcome).request
    assert message_template is not None
    return message_template


def found(outcome: TransformationOutcome) -> list[tuple[Reason, FieldPath]]:
    assert all(problem.ref == POLICY for problem in outcome.problems)
    return [(problem.reason, problem.field) for problem in outcome.problems]


def errors(outcome: TransformationOutcome) -> list[tuple[Reason, FieldPath]]:
    assert outcome.plan is None
    assert all(problem.kind is ProblemKind.ERROR for problem in outcome.problems)
    return found(outcome)


def warnings(outcome: TransformationOutcome) -> list[tuple[Reason, FieldPath]]:
    plan(outcome)
    return found(outcome)


def message(outcome: TransformationOutcome) -> str:
    (problem,) = outcome.problems
    return problem.message


def test_policy_of_the_lab_becomes_a_plan() -> None:
    outcome = request(
        headers={"Authorization": {"text": "Bearer {{ huggingface-api-key }}"}},
        extractors={"huggingface-api-key": {"header": "x-api-key", "regex": ".*"}},
    )
    expected = TransformationPlan(
        name="ns/t",
        phase="post",
        request=MessageTemplate(
            extractors=(Extractor(name="huggingface-api-key", header="x-api-key", regex=".*"),),
            headers=(HeaderTemplate(name="authorization", text="Bearer {{ huggingface-api-key }}"),),
        ),
        policy="TransformationPolicy ns/t",
    )
    assert TransformationOutcome(expected, credentials_read=frozenset({"x-api-key"})) == outcome


class TestConfig:
    @pytest.mark.parametrize(
        ("phase", "name", "priority"),
        [
            (None, "post", 0),
            ({}, "post", 0),
            ({"postAuthz": {}}, "post", 0),
            ({"postAuthz": {"priority": -3}}, "post", -3),
            ({"preAuthz": {"priority": 7}}, "pre", 7),
        ],
    )
    def test_phase_and_priority(self, phase: Mapping[str, object] | None, name: str, priority: int) -> None:
        outcome = translate({"phase": phase, "request": {"injaTemplate": {}}})
        assert (name, priority) == (plan(outcome).phase, outcome.priority)

    def test_response_template_is_read(self) -> None:
        outcome = translate({"response": {"injaTemplate": {"headersToRemove": ["Server"]}}})
        assert (None, MessageTemplate(remove=("server",))) == (plan(outcome).request, plan(outcome).response)

    def test_routing_may_be_recalculated(self) -> None:
        assert plan(translate({"request": {"recalculateRoutingDestination": True}})).recalculate

    @pytest.mark.parametrize("side", ["request", "response"])
    def test_xslt_is_unsupported(self, side: str) -> None:
        outcome = translate({side: {"xsltTransformation": {}}})
        assert [(Reason.UNSUPPORTED, ("spec", "config", side, "xsltTransformation"))] == errors(outcome)

    def test_policy_that_rewrites_nothing_is_a_warning(self) -> None:
        assert warnings(translate({})) == [(Reason.NO_EFFECT, ("spec", "config"))]

    def test_credential_headers_are_read(self) -> None:
        outcome = translate({"request": {}}, {CREDENTIALS: "X-Token, x-a,x-token"})
        assert plan(outcome).credential_headers == ("x-a", "x-token")

    def test_credential_header_without_a_legal_name_is_an_error(self) -> None:
        outcome = translate({"request": {}}, {CREDENTIALS: "x-a, x b"})
        assert errors(outcome) == [(Reason.INVALID, ("metadata", "annotations", CREDENTIALS))]


class TestFields:
    def test_flags(self) -> None:
        read = template(request(advancedTemplates=True, escapeCharacters=True, ignoreErrorOnParse=True))
        assert (read.advanced, read.escape, read.ignore_parse_error) == (True, True, True)

    @pytest.mark.parametrize("behaviour", [None, "ParseAsJson", "DontParse"])
    def test_absent_parse_behaviour_stays_absent(self, behaviour: str | None) -> None:
        assert behaviour == template(request(parseBodyBehavior=behaviour)).parse_body

    @pytest.mark.parametrize(
        ("fields", "mode", "body"),
        [
            ({}, "keep", ""),
            ({"body": {"text": "{{ a }}"}}, "template", "{{ a }}"),
            ({"body": {}}, "template", ""),
            ({"passthrough": {}}, "passthrough", ""),
            ({"mergeExtractorsToBody": {}}, "merge_extractors", ""),
        ],
    )
    def test_body_modes(self, fields: Mapping[str, Any], mode: str, body: str) -> None:
        read = template(request(**fields))
        assert (mode, body) == (read.body_mode, read.body)

    def test_dynamic_metadata(self) -> None:
        values = [
            {"metadataNamespace": "a", "key": "b", "value": {"text": "c"}, "jsonToProto": True},
            {"key": "d", "value": {"text": "e"}},
        ]
        expected = (
            DynamicMetadataValue("a", "b", "c", as_json=True),
            DynamicMetadataValue("io.solo.transformation", "d", "e"),
        )
        assert expected == template(request(dynamicMetadataValues=values)).dynamic_metadata

    @pytest.mark.parametrize("value", [None, {}, {"text": ""}])
    def test_dynamic_metadata_without_text_is_left_out(self, value: object) -> None:
        assert template(request(dynamicMetadataValues=[{"key": "a", "value": value}])).dynamic_metadata == ()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("mergeJsonKeys", {"jsonKeys": {}}),
            ("stringDelimiter", ";"),
        ],
    )
    def test_field_of_the_newest_filter_is_unsupported(self, name: str, value: object) -> None:
        assert [(Reason.UNSUPPORTED, (*REQUEST, name))] == errors(request(**{name: value}))

    def test_inline_data_sources_are_handed_on_by_name(self) -> None:
        sources = {"b": {"inlineString": "é"}, "a": {"inlineBytes": "/3g="}}
        expected = (DataSource("a", "\udcffx"), DataSource("b", "é"))
        assert expected == template(request(dataSources=sources)).data_sources

    @pytest.mark.parametrize(
        "source",
        [{"filename": "/etc/passwd"}, {"environmentVariable": "HOME"}, {}, {"inlineString": "a", "filename": "/f"}],
    )
    def test_data_source_outside_the_manifest_is_unsupported(self, source: Mapping[str, str]) -> None:
        outcome = request(dataSources={"a": source})
        assert [(Reason.UNSUPPORTED, (*REQUEST, "dataSources", "a"))] == errors(outcome)

    def test_message_about_a_file_tells_what_to_write_instead(self) -> None:
        expected = (
            "TransformationPolicy ns/t has the data source 'a', which does not stand in the manifest itself. "
            "Give it inlineString alone."
        )
        assert expected == message(request(dataSources={"a": {"filename": "/f"}}))

    def test_data_source_that_is_not_base64_is_invalid(self) -> None:
        outcome = request(dataSources={"a": {"inlineBytes": "%"}})
        assert [(Reason.INVALID, (*REQUEST, "dataSources", "a"))] == errors(outcome)

    @pytest.mark.parametrize(("limit", "text"), [(None, "ü" * 2048), (4, "üü"), (5000, "x" * 5000), (0, "")])
    def test_data_source_at_its_limit_is_used(self, limit: int | None, text: str) -> None:
        outcome = request(dataSources={"a": {"inlineString": text}}, dataSourceMaxSize=limit)
        assert (DataSource("a", text),) == template(outcome).data_sources

    @pytest.mark.parametrize(("limit", "text"), [(None, "ü" * 2048 + "x"), (3, "üü"), (0, "x")])
    def test_data_source_above_its_limit_is_an_error(self, limit: int | None, text: str) -> None:
        outcome = request(dataSources={"a": {"inlineString": text}}, dataSourceMaxSize=limit)
        assert [(Reason.TOO_LARGE, (*REQUEST, "dataSources", "a"))] == errors(outcome)

    def test_size_of_data_sources_that_are_there_is_no_warning(self) -> None:
        assert warnings(request(dataSources={"a": {"inlineString": "b"}}, dataSourceMaxSize=1)) == []

    @pytest.mark.parametrize(("name", "value"), [("spanTransformer", {}), ("dataSourceMaxSize", 1)])
    def test_field_that_changes_no_message_is_a_warning(self, name: str, value: object) -> None:
        assert [(Reason.NO_EFFECT, (*REQUEST, name))] == warnings(request(**{name: value}))


class TestHeaders:
    def test_headers_are_lower_case_and_sorted(self) -> None:
        outcome = request(headers={"X-B": {"text": "b"}, "x-a": {"text": "a"}})
        assert (HeaderTemplate("x-a", "a"), HeaderTemplate("x-b", "b")) == template(outcome).headers

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("delete", [(Reason.INVALID, (*REQUEST, "headers", ":method", "text"))]), ("DELETE", []), ("{{ m }}", [])],
    )
    def test_method_in_lower_case_is_a_warning(self, text: str, expected: object) -> None:
        assert expected == warnings(request(headers={":method": {"text": text}}))

    @pytest.mark.parametrize("value", [{}, {"text": ""}])
    def test_header_without_text_is_removed(self, value: object) -> None:
        assert (HeaderTemplate("x-a", None),) == template(request(headers={"x-a": value})).headers

    @pytest.mark.parametrize("name", [":path", ":method", ":authority", ":status", "Host"])
    def test_pseudo_headers_can_be_set(self, name: str) -> None:
        assert (HeaderTemplate(name.lower(), "a"),) == template(request(headers={name: {"text": "a"}})).headers

    @pytest.mark.parametrize(
        ("first", "second"), [("X-A", "x-a"), ("x-a", "x_a"), (":authority", "host"), (":authority", "Host")]
    )
    def test_same_header_twice_is_an_error(self, first: str, second: str) -> None:
        outcome = request(headers={first: {"text": "1"}, second: {"text": "2"}})
        assert [(Reason.INVALID, (*REQUEST, "headers", second))] == errors(outcome)

    @pytest.mark.parametrize("name", ["", "a b", "a\nb", "ä", ":scheme", ":", "a:b", "x" * 257])
    def test_illegal_name_is_an_error(self, name: str) -> None:
        assert [(Reason.INVALID, (*REQUEST, "headers", name))] == errors(request(headers={name: {"text": "a"}}))

    def test_message_about_a_pseudo_header_tells_which_there_are(self) -> None:
        expected = (
            "TransformationPolicy ns/t cannot change header ':x': that is no name of a header; of the pseudo-headers "
            ":authority, :method, :path, :status can be set. Correct it."
        )
        assert expected == message(request(headers={":x": {"text": "a"}}))

    @pytest.mark.parametrize(
        "name", ["Content-Length", "transfer-encoding", "Connection", "transfer_encoding", "Expect"]
    )
    def test_header_that_the_proxy_writes_is_left_out_with_a_warning(self, name: str) -> None:
        outcome = request(headers={name: {"text": "1"}})
        assert ((), [(Reason.NO_EFFECT, (*REQUEST, "headers", name))]) == (template(outcome).headers, warnings(outcome))

    def test_appended_headers_keep_their_order(self) -> None:
        values = [{"key": "X-B", "value": {"text": "1"}}, {"key": "x-a", "value": {"text": "2"}}]
        expected = (AppendedHeader("x-b", "1"), AppendedHeader("x-a", "2"))
        assert expected == template(request(headersToAppend=values)).append

    @pytest.mark.parametrize("value", [None, {}])
    def test_appended_header_without_text_is_left_out(self, value: object) -> None:
        assert template(request(headersToAppend=[{"key": "a", "value": value}])).append == ()

    def test_pseudo_header_cannot_be_appended(self) -> None:
        outcome = request(headersToAppend=[{"key": ":path", "value": {"text": "a"}}])
        assert [(Reason.INVALID, (*REQUEST, "headersToAppend", 0, "key"))] == errors(outcome)

    def test_removed_headers_are_lower_case_and_single(self) -> None:
        assert template(request(headersToRemove=["X-B", "a", "x-b"])).remove == ("x-b", "a")

    @pytest.mark.parametrize("name", ["", ":path"])
    def test_illegal_name_cannot_be_removed(self, name: str) -> None:
        assert [(Reason.INVALID, (*REQUEST, "headersToRemove", 0))] == errors(request(headersToRemove=[name]))

    def test_header_that_the_proxy_writes_cannot_be_removed(self) -> None:
        outcome = request(headersToRemove=["Content-Length", "a"])
        assert (("a",), [(Reason.NO_EFFECT, (*REQUEST, "headersToRemove", 0))]) == (
            template(outcome).remove,
            warnings(outcome),
        )


class TestExtractors:
    def test_every_field_is_kept(self) -> None:
        extractors = {
            "b": {"body": {}, "regex": "(a)(b)", "subgroup": 2, "mode": "SINGLE_REPLACE", "replacementText": ""},
            "a": {"header": "X-A", "regex": "a", "mode": "REPLACE_ALL", "replacementText": "$&"},
            "c": {"header": ":scheme"},
        }
        expected = (
            Extractor("a", "x-a", "a", mode="REPLACE_ALL", replacement="$&"),
            Extractor("b", None, "(a)(b)", mode="SINGLE_REPLACE", subgroup=2, replacement=""),
            Extractor("c", ":scheme", ""),
        )
        assert expected == template(request(extractors=extractors)).extractors

    def test_empty_replacement_means_nothing_to_extract(self) -> None:
        outcome = request(extractors={"a": {"header": "x", "regex": ".*", "replacementText": ""}})
        assert (Extractor("a", "x", ".*"),) == template(outcome).extractors

    def test_header_that_cannot_exist_is_an_error(self) -> None:
        outcome = request(extractors={"a": {"header": ":x", "regex": ".*"}})
        assert [(Reason.INVALID, (*REQUEST, "extractors", "a"))] == errors(outcome)

    @pytest.mark.parametrize("regex", ["(", "(a)\\1", "a(?=b)", "[[:nope:]]"])
    def test_regex_that_cannot_be_used_is_an_error(self, regex: str) -> None:
        outcome = request(extractors={"a": {"header": "x", "regex": regex}})
        begin = f"{IN_REQUEST}Failed to parse extractor 'a': Invalid regex '{regex}': "
        assert ([(Reason.REGEX_ERROR, (*REQUEST, "extractors", "a"))], True) == (
            errors(outcome),
            message(outcome).startswith(begin),
        )

    def test_subgroup_beyond_the_groups_is_an_error(self) -> None:
        outcome = request(extractors={"a": {"header": "x", "regex": "(a)", "subgroup": 123}})
        expected = f"{IN_REQUEST}Failed to parse extractor 'a': group 123 requested for regex with only 1 sub groups"
        assert expected == message(outcome)

    def test_replacement_missing_is_an_error(self) -> None:
        outcome = request(extractors={"a": {"header": "x", "regex": "a", "mode": "SINGLE_REPLACE"}})
        expected = (
            f"{IN_REQUEST}Failed to parse extractor 'a': SINGLE_REPLACE mode set but no replacement text provided"
        )
        assert expected == message(outcome)


UNKNOWN_FUNCTION = "{{ nosuch(1) }}"
ERROR = "[inja.exception.parser_error] (at 1:12) unknown function nosuch"


class TestTemplateErrors:
    def test_header_template(self) -> None:
        outcome = request(headers={"X-A": {"text": UNKNOWN_FUNCTION}})
        expected = f"{IN_REQUEST}Failed to parse header template 'X-A': {ERROR}"
        assert (expected, [(Reason.TEMPLATE_ERROR, (*REQUEST, "headers", "X-A", "text"))]) == (
            message(outcome),
            errors(outcome),
        )

    def test_appended_header_template(self) -> None:
        outcome = request(headersToAppend=[{"key": "X-A", "value": {"text": UNKNOWN_FUNCTION}}])
        field = (*REQUEST, "headersToAppend", 0, "value", "text")
        assert (f"{IN_REQUEST}Failed to parse header template 'X-A': {ERROR}", [(Reason.TEMPLATE_ERROR, field)]) == (
            message(outcome),
            errors(outcome),
        )

    def test_body_template(self) -> None:
        outcome = request(body={"text": UNKNOWN_FUNCTION})
        expected = f"{IN_REQUEST}Failed to parse body template {ERROR}"
        assert (expected, [(Reason.TEMPLATE_ERROR, (*REQUEST, "body", "text"))]) == (message(outcome), errors(outcome))

    def test_dynamic_metadata_template(self) -> None:
        outcome = request(dynamicMetadataValues=[{"key": "k", "value": {"text": UNKNOWN_FUNCTION}}])
        assert f"{IN_REQUEST}Failed to parse dynamic metadata template 'k': {ERROR}" == message(outcome)

    @pytest.mark.parametrize(
        ("text", "hint"),
        [
            ("{{ trimm(a) }}", "unknown function trimm. Did you mean trim?"),
            ("{{ Header(a) }}", "unknown function Header. Did you mean header?"),
            ("{{ isstring(a) }}", "unknown function isstring. Did you mean isString?"),
            ("{{ trim(a, b) }}", "unknown function trim. Check the number of arguments that trim is given."),
            ("{{ header('a') }}", "expected right parenthesis, got Q. Put texts in double quotes."),
            ("ü\n\n{{ 'a' }}", "expected expression close, got Q. Put texts in double quotes."),
            ("{% if a == 'b' %}{% endif %}", "too few arguments. Put texts in double quotes."),
            ("it's {{ a ", "expected expression close, got '<eof>'"),
            ("{{ zzzzzz(a) }}", "unknown function zzzzzz"),
        ],
    )
    def test_common_mistakes_come_with_a_remedy(self, text: str, hint: str) -> None:
        said = message(request(headers={"X-A": {"text": text}}))
        assert said.endswith(hint.replace("Q", "'" * 3))

    def test_response_template_is_named(self) -> None:
        outcome = translate({"response": {"injaTemplate": {"body": {"text": UNKNOWN_FUNCTION}}}})
        begin = "TransformationPolicy ns/t: Failed to parse response template: Failed to parse body template "
        assert f"{begin}{ERROR}" == message(outcome)

    def test_all_templates_are_checked_at_once(self) -> None:
        outcome = request(headers={"a": {"text": "{{"}, "b": {"text": "{% if %}"}}, extractors={"c": {"regex": "("}})
        assert [reason for reason, _ in errors(outcome)] == [
            Reason.REGEX_ERROR,
            Reason.TEMPLATE_ERROR,
            Reason.TEMPLATE_ERROR,
        ]

    def test_template_above_the_installations_limit_is_an_error(self) -> None:
        limited = scope_of(settings=Settings(template_limits=TemplateLimits(template_bytes=3)))
        config = {"request": {"injaTemplate": {"body": {"text": "1234"}}}}
        assert [(Reason.TEMPLATE_ERROR, (*REQUEST, "body", "text"))] == errors(translate(config, scope=limited))

    @pytest.mark.parametrize("text", ["{{ a/b }}", "{{ a.b }}", "{{ a~1b }}"])
    def test_advanced_templates_are_compiled_as_such(self, text: str) -> None:
        assert request(advancedTemplates=True, headers={"x": {"text": text}}).plan is not None

    def test_identifier_of_advanced_templates_is_wrong_elsewhere(self) -> None:
        assert request(headers={"x": {"text": "{{ a~1b }}"}}).plan is None
