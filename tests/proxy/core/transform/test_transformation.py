"""Request transformations: their order, and what may not reach a wire."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.proxy.core.conversation import (
    KEY,
    TOKEN,
    Talk,
    as_dict,
    config,
    credential,
    open_route,
    post_plan,
    request,
    route,
)
from wardgate.ir import (
    AppendedHeader,
    DataSource,
    DynamicMetadataValue,
    Extractor,
    GatewayConfig,
    HeaderTemplate,
    MessageTemplate,
    TransformationPlan,
)
from wardgate.proxy.core.messages import Incoming, Outgoing, Request


def message(*headers: tuple[str, str | None], **changes: Any) -> MessageTemplate:
    return MessageTemplate(headers=tuple(HeaderTemplate(name, text) for name, text in headers), **changes)


def served(template: MessageTemplate, **changes: Any) -> GatewayConfig:
    plan = post_plan(**({"request": template} | changes))
    return config(open_route(transformations=("t",)), transformations=(plan,))


def transformed(template: MessageTemplate, arrived: Request, body: bytes | None = None) -> Outgoing:
    talk = Talk(served(template), arrived)
    return (talk if body is None else talk.body(body)).outgoing


def sent(template: MessageTemplate, *headers: tuple[str, bytes | str]) -> dict[str, str]:
    found = as_dict(transformed(template, request("GET", "/p?q", *headers)).headers)
    del found["host"]
    return found


def post(template: MessageTemplate, body: bytes, *headers: tuple[str, str]) -> Outgoing:
    return transformed(template, request("POST", "/", *headers, body=True), body)


def x_(name: str, header: str | None, regex: str = ".*", **changes: Any) -> Extractor:
    return Extractor(name, header, regex, **changes)


# -- the lab


def test_lab_flow_puts_the_token_into_authorization() -> None:
    plan = TransformationPlan(
        "t",
        "post",
        message(
            ("authorization", "Bearer {{ huggingface-api-key }}"),
            extractors=(x_("huggingface-api-key", "x-api-key"),),
        ),
    )
    lab = config(route(transformations=("t",)), transformations=(plan,))
    arrived = request(
        "POST", "/", ("authorization", "Bearer spoofed"), ("x-api-key", "spoofed"), ("api-key", KEY), body=True
    )
    talk = Talk(lab, arrived)
    assert {"host": "gw.example", "x-api-key": TOKEN, "authorization": f"Bearer {TOKEN}"} == talk.sent
    assert talk.outgoing.body is None


# -- headers


def test_data_source_gives_the_text_of_its_own_template() -> None:
    reads = '{{ data_source("a") }}|{{ data_source("b") }}'
    asking = message(("x", reads), data_sources=(DataSource("a", "é"),))
    assert sent(asking)["x"] == "é|"


def test_request_and_response_have_data_sources_of_their_own() -> None:
    reads = '{{ data_source("a") }}'
    plan = post_plan(
        request=message(("x", reads), data_sources=(DataSource("a", "1"),)),
        response=message(("x", reads), data_sources=(DataSource("a", "2"),)),
    )
    talk = Talk(config(open_route(transformations=("t",)), transformations=(plan,)), request("GET", "/"))
    assert ("1", "2") == (talk.sent["x"], as_dict(talk.exchange.finish_response(Incoming(200, [], b"")).headers)["x"])


def test_random_text_of_a_pattern_is_one_for_request_and_response() -> None:
    drawn = message(("x", '{{ replace_with_random("p", "p") }}'))
    plan = post_plan(request=drawn, response=drawn)
    talk = Talk(config(open_route(transformations=("t",)), transformations=(plan,)), request("GET", "/"))
    assert talk.sent["x"] == as_dict(talk.exchange.finish_response(Incoming(200, [], b"")).headers)["x"]


def test_setting_a_header_collapses_its_values_into_one() -> None:
    assert sent(message(("a", "x")), ("a", "1"), ("a", "2")) == {"a": "x"}


@pytest.mark.parametrize("text", [None, "", "{{ e }}"])
def test_empty_rendering_removes_the_header(text: str | None) -> None:
    assert sent(message(("a", text), extractors=(x_("e", "none"),)), ("a", "1")) == {}


def test_later_template_sees_what_earlier_ones_did() -> None:
    assert sent(message(("a", "new"), ("b", '{{ header("A") }}'))) == {"a": "new", "b": "new"}


def test_remove_comes_after_set_and_append_after_remove() -> None:
    template = message(("a", "set"), remove=("a", "b"), append=(AppendedHeader("a", '{{ header("a") }}+'),))
    assert sent(template, ("b", "1")) == {"a": "+"}


def test_append_keeps_what_is_there_and_adds_nothing_empty() -> None:
    template = message(append=(AppendedHeader("a", "2"), AppendedHeader("a", "3"), AppendedHeader("b", "")))
    assert sent(template, ("a", "1")) == {"a": "1|2|3"}


def test_append_adds_to_the_collapsed_value() -> None:
    assert sent(message(("a", "x"), append=(AppendedHeader("a", "y"),)), ("a", "1"), ("a", "2")) == {"a": "x|y"}


def test_first_of_several_values_is_read_in_any_case() -> None:
    template = message(("b", '{{ e }}{{ header("X-A") }}{{ request_header("X-a") }}'), extractors=(x_("e", "X-A"),))
    assert sent(template, ("x-a", "1"), ("x-a", "2"))["b"] == "111"


# -- pseudo-headers


def test_pseudo_headers_are_read() -> None:
    text = '{{ header(":method") }} {{ header(":path") }} {{ header(":authority") }} {{ header("host") }} {{ s }}'
    template = message(("a", text), extractors=(x_("s", ":scheme"),))
    assert sent(template)["a"] == "GET /p?q gw.example gw.example http"


def test_written_scheme_changes_nothing() -> None:
    assert sent(message((":scheme", "https"), ("a", '{{ header(":scheme") }}')))["a"] == "http"


def test_empty_header_is_not_an_absent_one() -> None:
    replaced = x_("e", "h", ".*", mode="SINGLE_REPLACE", replacement="default")
    template = message(("r", "{{ e }}"), extractors=(replaced,))
    assert sent(template, ("h", ""))["r"] == "default"
    assert "r" not in sent(template)


def test_pseudo_headers_are_written() -> None:
    out = transformed(message((":path", "/x/../y?z=1"), (":method", "PUT"), ("host", "new.example")), request())
    assert (out.method, out.target, out.headers[0][1]) == (b"PUT", b"/y?z=1", b"new.example")


def test_authority_and_host_are_one_header() -> None:
    out = transformed(message((":authority", "a.example"), ("b", '{{ header("host") }}')), request())
    assert as_dict(out.headers) == {"host": "a.example", "b": "a.example"}


def test_path_that_stays_the_same_is_not_read_anew() -> None:
    assert transformed(message((":path", '{{ header(":path") }}')), request("GET", "/p?q")).target == b"/p?q"


@pytest.mark.parametrize("name", [":path", ":method", ":authority", "host", ":scheme"])
def test_pseudo_header_is_never_removed(name: str) -> None:
    out = transformed(message((name, ""), remove=(name,)), request("GET", "/p"))
    assert (out.method, out.target, out.headers[0][1]) == (b"GET", b"/p", b"gw.example")


def test_appending_to_a_pseudo_header_replaces_it() -> None:
    assert transformed(message(append=(AppendedHeader(":path", "/z"),)), request()).target == b"/z"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a", "x\r\ny: z"),
        ("a", "x\ny"),
        ("a", "x\0y"),
        (":path", "no-slash"),
        (":path", "/a b"),
        (":path", "http://evil/"),
        (":method", "GE T"),
        (":method", "CONNECT"),
        (":method", "TRACE"),
        (":method", "delete"),
        (":authority", "a b"),
        ("host", "a/b"),
    ],
)
@pytest.mark.parametrize("appended", [False, True])
def test_value_that_can_not_be_sent_is_refused(name: str, value: str, *, appended: bool) -> None:
    text = '{{ base64_decode(header("v")) }}'
    template = message(append=(AppendedHeader(name, text),)) if appended else message((name, text))
    talk = Talk(served(template), request("GET", "/", ("v", base64.b64encode(value.encode()))))
    assert (talk.reply.status, talk.reply.reason) == (400, "unsafe_rendering")


def test_bytes_that_are_no_utf8_pass_unchanged() -> None:
    out = transformed(message(("b", '{{ header("a") }}')), request("GET", "/", ("a", b"\xff\xe4")))
    assert (b"b", b"\xff\xe4") in out.headers


# -- extractors and data


def test_extraction_overrides_a_field_of_the_body() -> None:
    template = message(("r", "{{ model }}{{ other }}"), extractors=(x_("model", "m"),))
    out = post(template, b'{"model": "body", "other": "kept"}', ("m", "header"))
    assert as_dict(out.headers)["r"] == "headerkept"


def test_dots_in_an_extractors_name_make_objects() -> None:
    template = message(("r", "{{ host.name }}{{ host.port }}"), extractors=(x_("host.name", "a"), x_("host.port", "b")))
    assert sent(template, ("a", "1"), ("b", "2"))["r"] == "12"


def test_dotted_extraction_keeps_its_siblings_in_the_body() -> None:
    template = message(("r", "{{ a.b }}{{ a.c }}"), extractors=(x_("a.b", "h"),))
    assert as_dict(post(template, b'{"a": {"b": "b", "c": "c"}}', ("h", "1")).headers)["r"] == "1c"


@pytest.mark.parametrize(
    ("body", "kind"), [(b"[1]", "array"), (b'"s"', "string"), (b"1", "number"), (b"true", "boolean")]
)
def test_extraction_into_a_body_that_is_no_object_is_a_bad_request(body: bytes, kind: str) -> None:
    template = message(("r", "{{ e }}"), extractors=(x_("e", "h"),), parse_body="ParseAsJson")
    reply = Talk(served(template), request("POST", "/", body=True)).body(body).reply
    assert reply.status == 400
    text = f"bad request: [json.exception.type_error.305] cannot use operator[] with a string argument with {kind}"
    assert text == reply.body.decode()


def test_extraction_below_a_scalar_is_a_bad_request() -> None:
    template = message(("r", "{{ a.b }}{{ z }}"), extractors=(x_("a.b", "h"),))
    assert Talk(served(template), request("POST", "/", body=True)).body(b'{"a": 1, "z": 1}').reply.status == 400


def test_null_body_becomes_an_object_for_extractions() -> None:
    template = message(("r", "{{ e }}"), extractors=(x_("e", "h"),), parse_body="ParseAsJson")
    assert as_dict(post(template, b"null", ("h", "1")).headers)["r"] == "1"


def test_array_body_is_fine_where_nothing_is_written_into_it() -> None:
    assert as_dict(post(message(("r", "{{ context() }}")), b"[1, 2]").headers)["r"] == "[1,2]"


def test_advanced_templates_read_extractions_by_function_only() -> None:
    template = message(
        ("r", '{{ extraction("e") }}{{ extraction("nobody") }}'), extractors=(x_("e", "h"),), advanced=True
    )
    assert sent(template, ("h", "1"))["r"] == "1"


def test_advanced_templates_have_no_extraction_among_the_data() -> None:
    template = message(("r", "{{ e }}"), extractors=(x_("e", "h"),), advanced=True)
    reply = Talk(served(template), request("GET", "/", ("h", "1"))).reply
    assert reply.body == b"bad request: [inja.exception.render_error] (at 1:4) variable 'e' not found"


def test_advanced_array_body_is_no_error() -> None:
    template = message(
        ("r", '{{ extraction("e") }}'), extractors=(x_("e", None, "\\[(.)\\]", subgroup=1),), advanced=True
    )
    assert as_dict(post(template, b"[7]").headers)["r"] == "7"


def test_body_extractor_reads_the_raw_text() -> None:
    template = message(("r", "{{ e }}"), extractors=(x_("e", None, '[^"]*"(\\w+)".*', subgroup=1),))
    assert as_dict(post(template, b'{"model":  1}').headers)["r"] == "model"


def test_undefined_variable_is_a_bad_request() -> None:
    talk = Talk(served(message(("a", "{{ missing }}"))), request())
    assert (talk.reply.status, talk.reply.reason) == (400, "transformation_failed")
    assert talk.reply.body == b"bad request: [inja.exception.render_error] (at 1:4) variable 'missing' not found"
    assert as_dict(talk.reply.headers) == {"content-type": "text/plain", "wardgate-error-source": "gateway"}


def test_escape_applies_to_outputs() -> None:
    assert sent(message(("r", '{{ header("h") }}'), escape=True), ("h", 'a"b'))["r"] == 'a\\"b'


# -- dynamic metadata


def test_dynamic_metadata_is_left_for_later_templates() -> None:
    template = message(
        ("r", '{{ dynamic_metadata("k") }}{{ dynamic_metadata("j:x", "ns") }}{{ dynamic_metadata("t", "ns") }}'),
        dynamic_metadata=(
            DynamicMetadataValue("io.solo.transformation", "k", "v"),
            DynamicMetadataValue("ns", "j", '{"x": "1"}', as_json=True),
            DynamicMetadataValue("ns", "t", "{no json", as_json=True),
            DynamicMetadataValue("ns", "t", ""),
        ),
    )
    assert sent(template)["r"] == "v1{no json"


def test_authentication_leaves_the_user_id() -> None:
    plan = TransformationPlan(
        "t", "post", message(("r", '{{ dynamic_metadata("userId", "envoy.filters.http.ext_authz") }}'))
    )
    lab = config(route(transformations=("t",)), transformations=(plan,))
    assert Talk(lab, request("GET", "/", ("api-key", KEY))).sent["r"] == "hf-key"


# -- order of plans


def test_plans_run_in_the_routes_order_around_authentication() -> None:
    def appending(name: str, phase: Any) -> TransformationPlan:
        text = f'{name}({{{{ header("x-api-key") }}}})'
        return TransformationPlan(name, phase, message(append=(AppendedHeader("order", text),)))

    plans = (appending("pre1", "pre"), appending("pre2", "pre"), appending("post1", "post"), appending("post2", "post"))
    lab = config(route(transformations=tuple(plan.name for plan in plans)), transformations=plans)
    order = Talk(lab, request("GET", "/", ("api-key", KEY))).sent["order"]
    assert f"pre1()|pre2()|post1({TOKEN})|post2({TOKEN})" == order


def test_preauthz_transformation_may_write_the_key() -> None:
    template = message(("api-key", "{{ k }}"), extractors=(x_("k", "authorization", "Key (.*)", subgroup=1),))
    lab = config(route(transformations=("t",)), transformations=(TransformationPlan("t", "pre", template),))
    assert Talk(lab, request("GET", "/", ("authorization", b"Key " + KEY))).sent["x-api-key"] == TOKEN
    assert Talk(lab, request("GET", "/", ("authorization", "Basic x"))).reply.status == 401


def test_preauthz_transformation_can_not_forge_what_authentication_sets() -> None:
    template = message(("x-api-key", "forged"), ("x-user-id", "root"))
    bare = config(
        route(transformations=("t",)),
        transformations=(TransformationPlan("t", "pre", template),),
        credentials=(credential(metadata={}),),
    )
    assert Talk(bare, request("GET", "/", ("api-key", KEY))).sent == {"host": "gw.example"}


def test_failed_transformation_is_blamed_on_its_policy() -> None:
    said = Talk(served(message(("a", "{{ missing }}")), policy="default/broken"), request())
    assert said.exchange.facts.policy == "default/broken"


MADE = {
    "itself": ("{}", TOKEN),
    "in another case": ("upper({})", TOKEN.upper()),
    "a part": ("substring({}, 3, 8)", "provider"),
    "encoded": ("base64_encode({})", "aGZf"),
}


@pytest.mark.parametrize("side", ["request", "response"])
@pytest.mark.parametrize("made", MADE)
def test_errors_text_never_quotes_a_token_or_what_was_made_of_it(side: str, made: str) -> None:
    pattern, shown = MADE[made]
    key = pattern.format('request_header("x-api-key")')
    quoting = message(("a", f"{{{{ at(context(), {key}) }}}}"), extractors=(x_("z", "z"),))
    held = credential(metadata={"token": TOKEN, "team": "y"})
    plan = post_plan(**{side: quoting})
    lab = config(route(transformations=("t",)), transformations=(plan,), credentials=(held,))
    said = Talk(lab, request("GET", "/", ("api-key", KEY)))
    body = said.reply.body if side == "request" else said.exchange.finish_response(Incoming(200, [], b"")).body
    assert b"key '<redacted>' not found" in (body or b"")
    assert shown.encode() not in (body or b"")


def test_errors_text_quotes_what_a_caller_sent_where_there_is_no_token() -> None:
    quoting = message(("a", '{{ at(context(), header("x")) }}'), extractors=(x_("z", "z"),))
    assert b"key 'sent' not found" in Talk(served(quoting), request("GET", "/", ("x", "sent"))).reply.body


def test_response_only_plan_leaves_the_request_alone() -> None:
    lab = served(message(), request=None, response=message(("a", "b")))
    assert Talk(lab, request()).sent == {"host": "gw.example"}
