"""Responses and the gateway's own answers on their way back: the phases in reverse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.core.conversation import KEY, TOKEN, Talk, as_dict, config, open_route, post_plan, request, route
from tests.proxy.core.transform.test_transformation import message, x_
from wardgate.ir import AppendedHeader, DirectResponse, HeaderTemplate, MessageTemplate, Refuse, TransformationPlan
from wardgate.proxy.core.messages import Incoming, Reply
from wardgate.proxy.core.reasons import ANSWERS, ReplyReason
from wardgate.proxy.core.replies import REFUSALS

OK = ("api-key", KEY)


def plan(phase: str, response: MessageTemplate, name: str = "", **changes: Any) -> TransformationPlan:
    return post_plan(name=name or phase, phase=phase, response=response, **changes)


def talk(*plans: TransformationPlan, headers: tuple[tuple[str, bytes], ...] = (OK,), **changes: Any) -> Talk:
    served = config(route(transformations=tuple(each.name for each in plans), **changes), transformations=plans)
    return Talk(served, request("GET", "/p", *headers))


def finished(said: Talk, status: int = 200, body: bytes | None = None, *headers: tuple[bytes, bytes]) -> Incoming:
    return said.exchange.finish_response(Incoming(status, list(headers), body))


# -- responses of an upstream


def test_phases_run_in_reverse_and_the_later_sees_the_earlier() -> None:
    def appending(name: str, phase: str) -> TransformationPlan:
        return plan(phase, message(append=(AppendedHeader("order", name),)), name)

    said = talk(*(appending(name, name[:-1]) for name in ("pre1", "pre2", "post1", "post2")))
    assert as_dict(finished(said).headers)["order"] == "post2|post1|pre2|pre1"


def test_earlier_phase_sees_the_later_ones_output() -> None:
    first = plan("post", message(("a", "from-post"), body_mode="template", body="new body"))
    second = plan("pre", message(("b", '{{ header("a") }} {{ body() }}'), parse_body="DontParse"))
    assert as_dict(finished(talk(second, first), 200, b"old").headers)["b"] == "from-post new body"


def test_response_reads_the_request_as_it_went_upstream() -> None:
    text = '{{ request_header(":path") }} {{ request_header("X-API-Key") }} {{ request_header("api-key") }}'
    assert f"/p {TOKEN} " == as_dict(finished(talk(plan("post", message(("r", text))))).headers)["r"]


def test_status_is_read_and_written() -> None:
    template = message((":status", "404"), ("was", '{{ header(":status") }}'), remove=(":status",))
    back = finished(talk(plan("post", template)), 200)
    assert (back.status, as_dict(back.headers)) == (404, {"was": "404"})


def test_empty_status_keeps_the_status() -> None:
    assert finished(talk(plan("post", message((":status", "")))), 201).status == 201


def test_appended_status_replaces() -> None:
    assert finished(talk(plan("post", message(append=(AppendedHeader(":status", "202"),)))), 200).status == 202


def test_host_of_a_response_is_nothing() -> None:
    assert finished(talk(plan("post", message(("host", "x"), append=(AppendedHeader(":path", "/"),))))).headers == []


def test_dynamic_metadata_of_the_request_is_known() -> None:
    text = '{{ dynamic_metadata("userId", "envoy.filters.http.ext_authz") }}'
    assert as_dict(finished(talk(plan("post", message(("u", text))))).headers)["u"] == "hf-key"


@pytest.mark.parametrize(
    ("template", "needs"),
    [
        (message(("a", "x")), False),
        (message(("a", "{{ body() }}"), body_mode="passthrough"), False),
        (message(("a", "{{ body() }}")), True),
        (message(("a", "x"), parse_body="ParseAsJson"), True),
        (message(body_mode="template", body="x"), True),
    ],
)
def test_body_is_asked_for_only_if_a_template_reads_it(template: MessageTemplate, *, needs: bool) -> None:
    said = talk(plan("post", template))
    assert needs is said.exchange.response_needs_body(200)
    assert not said.exchange.response_needs_body(204)


def test_head_response_has_no_body_to_ask_for() -> None:
    plans = (plan("post", message(("a", "{{ body() }}"))),)
    said = Talk(config(open_route(transformations=("post",)), transformations=plans), request("HEAD"))
    assert not said.exchange.response_needs_body(200)


def test_request_template_asks_for_no_response_body() -> None:
    said = talk(post_plan(request=message(("a", "x"))))
    assert not said.exchange.response_needs_body(200)


def test_json_response_is_rewritten() -> None:
    template = message(("m", "{{ model }}"), body_mode="template", body='{"was":"{{ model }}"}')
    back = finished(talk(plan("post", template)), 200, b'{"model": "gpt"}', (b"content-type", b"application/json"))
    assert (back.body, as_dict(back.headers)["m"]) == (b'{"was":"gpt"}', "gpt")


@pytest.mark.parametrize(("body", "kept"), [(b"", False), (None, True), (b"x", True)])
def test_content_type_goes_with_an_empty_body(body: bytes | None, *, kept: bool) -> None:
    back = finished(talk(plan("post", message(("a", "x")))), 200, body, (b"content-type", b"text/plain"))
    assert kept is ("content-type" in as_dict(back.headers))


def test_failed_response_becomes_a_400_without_content_type() -> None:
    said = talk(plan("post", message(("a", "x"), parse_body="ParseAsJson")))
    back = finished(said, 200, b"<html>", (b"content-type", b"text/html"), (b"x", b"y"))
    assert (back.status, as_dict(back.headers)) == (400, {"x": "y", "wardgate-error-source": "gateway"})
    assert (back.body or b"").startswith(b"bad request: [json.exception.parse_error")
    assert said.exchange.facts.reason == "transformation_failed"


def test_html_page_passes_a_header_only_policy() -> None:
    back = finished(talk(plan("post", message(("a", "x")))), 200, None, (b"content-type", b"text/html"))
    assert (back.status, back.body, as_dict(back.headers)["a"]) == (200, None, "x")


@pytest.mark.parametrize(
    ("name", "value"),
    [("a", "x\\r\\ny: z"), (":status", "99"), (":status", "101"), (":status", "ok"), (":status", "600")],
)
def test_response_value_that_can_not_be_sent_is_a_502(name: str, value: str) -> None:
    said = talk(plan("post", message((name, '{{ "' + value + '" }}'))))
    back = finished(said, 200, b"secret", (b"content-type", b"text/html"))
    assert back.status == 502
    assert as_dict(back.headers) == {"content-type": "application/json", "wardgate-error-source": "gateway"}
    assert b"secret" not in (back.body or b"")
    assert said.exchange.facts.reason == "unsafe_response_rendering"


# -- the gateway's own answers


def marked(phase: str) -> TransformationPlan:
    return plan(phase, message((f"x-{phase}", '{{ header(":status") }}')))


def test_refusal_of_authentication_is_seen_by_preauthz_only() -> None:
    reply = talk(marked("pre"), marked("post"), headers=()).reply
    assert (
        reply.status,
        as_dict(reply.headers).get("x-pre"),
        as_dict(reply.headers).get("x-post"),
    ) == (401, "401", None)
    assert as_dict(reply.headers)["www-authenticate"] == "API key is missing or invalid"
    assert reply.reason == "key_missing"


def test_preauthz_may_set_the_status_of_a_refusal() -> None:
    reply = talk(plan("pre", message((":status", "404"))), headers=()).reply
    assert (reply.status, reply.reason) == (404, "key_missing")


def test_preauthz_may_write_the_body_of_a_refusal() -> None:
    template = message(body_mode="template", body='{"code":{{ header(":status") }}}')
    assert talk(plan("pre", template), headers=()).reply.body == b'{"code":401}'


@pytest.mark.parametrize(
    "reason", [ReplyReason.BODY_TOO_LARGE, ReplyReason.UPSTREAM_UNREACHABLE, ReplyReason.UPSTREAM_TIMEOUT]
)
def test_answer_of_the_io_passes_both_phases(reason: ReplyReason) -> None:
    said = talk(marked("pre"), plan("post", message(("text", "{{ body() }}"))))
    reply = said.exchange.local_reply(REFUSALS[reason])
    assert ANSWERS[reason][0] == reply.status
    assert str(reply.status) == as_dict(reply.headers)["x-pre"]
    assert REFUSALS[reason].body.decode() == as_dict(reply.headers)["text"]
    assert reason == said.exchange.facts.reason


def test_413_before_postauthz_is_seen_by_preauthz_only() -> None:
    buffering = post_plan(name="b", phase="pre", request=message(("a", "{{ body() }}")), response=message(("x-b", "1")))
    served = config(route(transformations=("b", "post")), transformations=(buffering, marked("post")))
    said = Talk(served, request("POST", "/", OK, body=True))
    reply = said.exchange.local_reply(REFUSALS[ReplyReason.BODY_TOO_LARGE])
    assert (reply.status, as_dict(reply.headers)["x-b"], as_dict(reply.headers).get("x-post")) == (413, "1", None)


def test_bad_request_of_a_phase_is_seen_by_that_phase() -> None:
    failing = plan("post", message(("seen", "yes")), request=message(("a", "{{ missing }}")))
    reply = talk(failing).reply
    assert (reply.status, as_dict(reply.headers)["seen"]) == (400, "yes")


def test_answer_that_has_passed_is_not_transformed_again() -> None:
    template = message(append=(AppendedHeader("n", "1"),))
    said = talk(plan("pre", template), headers=())
    assert said.reply is said.exchange.local_reply(said.reply)
    assert as_dict(said.reply.headers)["n"] == "1"


def test_answers_without_transformations_are_the_prepared_ones() -> None:
    assert REFUSALS[ReplyReason.KEY_MISSING] is talk(headers=()).reply
    assert REFUSALS[ReplyReason.UPSTREAM_BROKEN] is talk().exchange.local_reply(REFUSALS[ReplyReason.UPSTREAM_BROKEN])


def test_direct_response_passes_both_phases() -> None:
    reply = talk(marked("pre"), marked("post"), action=DirectResponse(200, "hi")).reply
    assert as_dict(reply.headers) == {"content-type": "text/plain", "x-pre": "200", "x-post": "200"}


def test_closed_route_is_seen_by_no_phase() -> None:
    reply = talk(marked("pre"), action=Refuse(500, "invalid")).reply
    assert as_dict(reply.headers) == {"content-type": "application/json", "wardgate-error-source": "gateway"}


def test_404_is_seen_by_no_phase() -> None:
    assert REFUSALS[ReplyReason.NO_ROUTE] is Talk(config(), request()).reply


def test_emptied_answer_has_an_empty_body() -> None:
    template = MessageTemplate(headers=(HeaderTemplate("a", "x"),), body_mode="template", body="")
    reply = talk(plan("pre", template), headers=()).reply
    assert isinstance(reply, Reply)
    assert (reply.body, as_dict(reply.headers).get("content-type")) == (b"", None)


def test_extractor_reads_the_response() -> None:
    template = message(("t", "{{ e }}"), extractors=(x_("e", "content-type", "text/(.*)", subgroup=1),))
    back = finished(talk(plan("post", template)), 200, None, (b"content-type", b"text/html"))
    assert as_dict(back.headers)["t"] == "html"


def test_every_reason_has_one_answer() -> None:
    made_for_the_request = {
        ReplyReason.REDIRECT,
        ReplyReason.DIRECT_RESPONSE,
        ReplyReason.MAX_FORWARDS,
        ReplyReason.PASSWORD_MISSING,
        ReplyReason.PASSWORD_WRONG,
        ReplyReason.TRANSFORMATION_FAILED,
        ReplyReason.TRANSFORMATION_TOO_COSTLY,
        ReplyReason.BODY_TOO_COMPLEX,
    }
    unanswered = {
        ReplyReason.CALLER_GONE,
        ReplyReason.CALLER_TOO_SLOW,
        ReplyReason.KEY_REVOKED,
        ReplyReason.IDLE_TIMEOUT,
        ReplyReason.PROXY_HEADER,
        ReplyReason.PROXY_UNTRUSTED,
    }
    assert set(ReplyReason) - made_for_the_request - unanswered == set(REFUSALS)
    assert all(reply.reason == reason and 400 <= reply.status < 600 for reason, reply in REFUSALS.items())


def test_plans_without_a_response_are_passed_over() -> None:
    said = talk(post_plan(name="silent", request=message(("a", "x"))), marked("post"))
    assert as_dict(finished(said).headers) == {"x-post": "200"}


def test_first_failure_keeps_the_blame() -> None:
    failing = plan("pre", message(("a", "{{ missing }}")), policy="default/broken")
    said = talk(failing, headers=())
    assert (said.reply.status, said.exchange.facts.reason) == (400, "key_missing")
    assert said.exchange.facts.policy == "gloo-mesh/hf-policy"
