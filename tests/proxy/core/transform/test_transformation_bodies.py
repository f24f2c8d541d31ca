"""When a body is read, parsed, replaced: rules 3, 9, 10 of 4.1 and the bullets of 4.1a."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from tests.proxy.core.conversation import KEY, Talk, as_dict, config, request, route
from tests.proxy.core.transform.test_transformation import message, post, served, transformed, x_
from wardgate.ir import DynamicMetadataValue, MessageTemplate, TransformationPlan
from wardgate.proxy.core.messages import NeedBody, Outgoing, Reply

JSON = ("content-type", "application/json")


@pytest.mark.parametrize(
    "template",
    [
        message(("a", "text")),
        message(("a", "{{ e }}"), extractors=(x_("e", "h"),)),
        message(("a", '{{ header("h") }}')),
        message(("a", "{{ body() }}"), body_mode="passthrough"),
        message(("a", "x"), body_mode="passthrough", parse_body="ParseAsJson"),
        message(("a", '{{ extraction("e") }}'), advanced=True, extractors=(x_("e", "h"),)),
        message(remove=("a",)),
        message(("a", "x"), parse_body="DontParse"),
    ],
)
def test_body_that_no_template_reads_is_streamed_past(template: MessageTemplate) -> None:
    step = Talk(served(template), request("POST", "/", ("h", "1"), body=True)).step
    assert isinstance(step, Outgoing)
    assert step.body is None


@pytest.mark.parametrize(
    "template",
    [
        message(("a", "{{ body() }}")),
        message(("a", "{{ context() }}")),
        message(("a", '{{ default(model, "") }}')),
        message(("a", '{% if exists("model") %}x{% endif %}')),
        message(("a", "x"), parse_body="ParseAsJson"),
        message(extractors=(x_("e", None),)),
        message(body_mode="template", body="x"),
        message(body_mode="merge_extractors"),
        message(dynamic_metadata=(DynamicMetadataValue("n", "k", "{{ body() }}"),)),
    ],
)
def test_body_that_a_template_reads_is_asked_for(template: MessageTemplate) -> None:
    assert isinstance(Talk(served(template), request("POST", "/", body=True)).step, NeedBody)
    assert not isinstance(Talk(served(template), request("GET", "/")).step, NeedBody)


def test_body_that_was_read_goes_on_as_it_was() -> None:
    out = post(message(("a", "{{ model }}")), b'{"model":  "gpt2"}')
    assert (out.body, as_dict(out.headers)["a"]) == (b'{"model":  "gpt2"}', "gpt2")


def test_body_is_asked_for_once() -> None:
    template = message(("a", "{{ body() }}"))
    plans = tuple(TransformationPlan(name, "post", template) for name in "ab")
    lab = config(route(transformations=("a", "b")), transformations=plans)
    talk = Talk(lab, request("POST", "/", ("api-key", KEY), body=True))
    assert isinstance(talk.body(b"{}").step, Outgoing)


def test_authentication_comes_before_buffering_for_postauthz() -> None:
    def lab(phase: Literal["pre", "post"]) -> Talk:
        plans = (TransformationPlan("t", phase, message(("a", "{{ body() }}"))),)
        return Talk(config(route(transformations=("t",)), transformations=plans), request("POST", "/", body=True))

    assert isinstance(lab("post").step, Reply)
    assert isinstance(lab("pre").step, NeedBody)
    assert lab("pre").body(b"{}").reply.status == 401


# -- parsing


@pytest.mark.parametrize("body", [b"a=b", b"<html>", b'{"a": }', b"\xff", b"[" * 5000])
def test_body_that_is_no_json_is_a_bad_request_where_it_is_parsed(body: bytes) -> None:
    for template in (message(("a", "x"), parse_body="ParseAsJson"), message(("a", "{{ body() }}"))):
        reply = Talk(served(template), request("POST", "/", body=True)).body(body).reply
        assert reply.status == 400
        assert reply.body.startswith(b"bad request: ")


def test_error_on_parse_can_be_ignored() -> None:
    template = message(("a", "{{ body() }}"), ignore_parse_error=True)
    assert as_dict(post(template, b"a=b").headers)["a"] == "a=b"


def test_extractors_work_after_an_ignored_error() -> None:
    template = message(("a", "{{ e }}"), extractors=(x_("e", None),), ignore_parse_error=True)
    assert as_dict(post(template, b"a=b").headers)["a"] == "a=b"


def test_dont_parse_still_reads_the_raw_body() -> None:
    template = message(("a", "{{ body() }}"), parse_body="DontParse")
    assert as_dict(post(template, b"a=b").headers)["a"] == "a=b"


def test_empty_body_is_not_parsed() -> None:
    assert post(message(("a", "x"), parse_body="ParseAsJson"), b"").body == b""


# -- replacing


def test_body_template_replaces_the_body_after_the_headers_saw_the_old_one() -> None:
    template = message(("a", "{{ body() }}"), body_mode="template", body='{"m":"{{ m }}"}')
    out = post(template, b'{"m": "x"}', JSON)
    assert out.body == b'{"m":"x"}'
    assert as_dict(out.headers) == {"host": "gw.example", "content-type": "application/json", "a": '{"m": "x"}'}


def test_constant_body_does_not_parse_what_it_replaces() -> None:
    assert post(message(body_mode="template", body="new"), b"<no json>").body == b"new"


def test_extractors_are_merged_into_the_body() -> None:
    template = message(extractors=(x_("a.b", "h"),), body_mode="merge_extractors")
    assert post(template, b'{"z": 2}', ("h", "1")).body == b'{"a":{"b":"1"},"z":2}'


def test_request_without_body_gains_one() -> None:
    out = transformed(message(body_mode="template", body="made"), request("GET", "/", JSON))
    assert out.body == b"made"
    assert as_dict(out.headers)["content-type"] == "application/json"


def test_merging_nothing_makes_a_null_body() -> None:
    assert transformed(message(body_mode="merge_extractors"), request()).body == b"null"


def test_empty_template_removes_body_and_content_type() -> None:
    out = post(message(body_mode="template", body=""), b"{}", JSON)
    assert (out.body, as_dict(out.headers)) == (b"", {"host": "gw.example"})


@pytest.mark.parametrize("mode", ["keep", "passthrough"])
def test_content_type_of_a_request_without_body_goes_unless_passthrough(mode: Any) -> None:
    out = transformed(message(("a", "x"), body_mode=mode), request("GET", "/", JSON))
    assert ("content-type" in as_dict(out.headers)) is (mode == "passthrough")
    assert out.body is None


def test_content_type_of_a_streamed_body_stays() -> None:
    out = transformed(message(("a", "x")), request("POST", "/", JSON, body=True))
    assert as_dict(out.headers)["content-type"] == "application/json"


def test_passthrough_shows_no_body_even_if_it_is_known() -> None:
    plans = (
        TransformationPlan("a", "post", message(("a", "{{ body() }}"))),
        TransformationPlan("b", "post", message(("b", "[{{ body() }}]"), body_mode="passthrough")),
    )
    lab = config(route(transformations=("a", "b")), transformations=plans)
    out = Talk(lab, request("POST", "/", ("api-key", KEY), body=True)).body(b"{}").outgoing
    assert (as_dict(out.headers)["a"], as_dict(out.headers)["b"], out.body) == ("{}", "[]", b"{}")


def test_later_plan_sees_the_new_body() -> None:
    plans = (
        TransformationPlan("a", "pre", message(body_mode="template", body='{"m":1}')),
        TransformationPlan("b", "post", message(("m", "{{ m }}"))),
    )
    lab = config(route(transformations=("a", "b")), transformations=plans)
    out = Talk(lab, request("GET", "/", ("api-key", KEY))).outgoing
    assert (out.body, as_dict(out.headers)["m"]) == (b'{"m":1}', "1")


def test_body_is_read_as_often_as_a_template_likes() -> None:
    assert as_dict(post(message(("a", "{{ body() }}{{ body() }}")), b"{}").headers)["a"] == "{}{}"
