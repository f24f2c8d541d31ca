"""No body and no template keeps a worker from its other callers: what is refused, how, and that nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.proxy.core.conversation import Talk, as_dict, config, open_route, request
from tests.proxy.core.transform.test_transformation import message, post, x_
from wardgate.inja.limits import DEFAULT_LIMITS, TemplateLimits
from wardgate.ir import AppendedHeader, DynamicMetadataValue, HeaderTemplate, MessageTemplate, TransformationPlan
from wardgate.proxy.core.messages import Incoming, NeedBody, Outgoing, Reply

_PARSING = message(("a", "x"), parse_body="ParseAsJson")
_MANY = b"[" + b"1," * 60_000 + b"1]"
_DEEP = b"[" * 300 + b"]" * 300
_LARGE = b'"' + b"a" * 5_000_000 + b'"'
_LOOKING = '{% if upper(t) == "" %}{% endif %}x'
_TEXT = json.dumps({"t": "a" * 1_000_000}).encode()


def _plan(number: int = 0, **changes: MessageTemplate | None) -> TransformationPlan:
    return TransformationPlan(f"t{number}", "post", changes.get("request"), changes.get("response"))


def _talk(*plans: TransformationPlan, limits: TemplateLimits = DEFAULT_LIMITS) -> Talk:
    served = config(open_route(transformations=tuple(plan.name for plan in plans)), transformations=plans)
    return Talk(replace(served, template_limits=limits), request("POST", "/", body=True))


def _reply(template: MessageTemplate, body: bytes) -> Reply:
    return _talk(_plan(request=template)).body(body).reply


def _finished(template: MessageTemplate, body: bytes) -> tuple[Incoming, str]:
    talk = _talk(_plan(response=template))
    back = talk.exchange.finish_response(Incoming(200, [(b"content-type", b"application/json")], body))
    return back, talk.exchange.facts.reason


def _headers(text: str, count: int = 128) -> MessageTemplate:
    return message(*((f"x-{number}", text) for number in range(count)))


# -- bodies


@pytest.mark.parametrize("body", [_MANY, _DEEP])
def test_body_of_too_many_values_or_levels_is_a_bad_request(body: bytes) -> None:
    reply = _reply(_PARSING, body)
    assert (400, "body_too_complex") == (reply.status, reply.reason)
    assert reply.body.startswith(b"bad request: The JSON ")


def test_body_that_is_too_large_to_be_parsed_is_a_413() -> None:
    reply = _reply(_PARSING, _LARGE)
    assert (413, "body_too_large") == (reply.status, reply.reason)


def test_collecting_is_told_how_much_a_parsing_plan_takes() -> None:
    assert _talk(_plan(request=_PARSING)).step == NeedBody(DEFAULT_LIMITS.json_bytes)
    assert _talk(_plan(request=message(("a", "{{ body() }}"), parse_body="DontParse"))).step == NeedBody(None)


@pytest.mark.parametrize("body", [_MANY, _DEEP, _LARGE])
def test_limit_is_no_parse_error_to_be_ignored(body: bytes) -> None:
    assert _reply(message(("a", "x"), parse_body="ParseAsJson", ignore_parse_error=True), body).status in (400, 413)


def test_body_that_is_read_as_text_may_be_larger() -> None:
    template = message(("a", "{{ length(body()) }}"), parse_body="DontParse")
    assert as_dict(post(template, b"[" * 10_000_000).headers)["a"] == "10000000"


def test_response_that_is_too_large_to_be_parsed_is_a_502() -> None:
    back, reason = _finished(_PARSING, _LARGE)
    assert (502, "response_too_large") == (back.status, reason)


def test_response_of_too_many_values_is_answered_as_one_that_fails() -> None:
    back, reason = _finished(_PARSING, _MANY)
    assert (400, "body_too_complex") == (back.status, reason)


def test_limits_of_parsing_are_settings() -> None:
    talk = _talk(_plan(request=_PARSING), limits=TemplateLimits(json_values=100_000, steps=1_000_000))
    assert isinstance(talk.body(_MANY).step, Outgoing)


def test_json_of_a_template_is_bounded_as_well() -> None:
    leaving = DynamicMetadataValue("n", "k", "{{ t }}", as_json=True)
    reply = _reply(message(dynamic_metadata=(leaving,)), json.dumps({"t": "[" * 1000}).encode())
    assert (400, "transformation_too_costly") == (reply.status, reply.reason)


# -- templates


@pytest.mark.parametrize(
    "template",
    [
        _headers("{% for i in range(9) %}{{ exists(t) }}{% endfor %}"),
        _headers("{{ t }}"),
        _headers("{{ t }}{{ 1 }}"),
        _headers("{{ upper(t) }}"),
        _headers("{{ context() }}"),
        message(append=tuple(AppendedHeader(f"x-{number}", "{{ t }}") for number in range(128))),
        message(dynamic_metadata=tuple(DynamicMetadataValue("n", f"k{n}", "{{ upper(t) }}") for n in range(128))),
        message(("a", "{{ e1 }}"), extractors=tuple(x_(f"e{number}", None, r"[\s\S]*") for number in range(128))),
        message(("a", "{{ e }}"), extractors=(x_("e", None, "a", mode="REPLACE_ALL", replacement="b"),)),
    ],
)
def test_templates_of_a_message_have_one_budget(template: MessageTemplate) -> None:
    reply = _reply(template, _TEXT)
    assert (400, "transformation_too_costly") == (reply.status, reply.reason)
    assert reply.body == b"bad request: The templates did more than 100000 steps of work."


def test_body_that_a_pattern_might_take_too_long_for_is_a_bad_request() -> None:
    reply = _reply(message(("a", "{{ e }}"), extractors=(x_("e", None, "(a|b)*(.*)"),)), _TEXT)
    assert (400, "transformation_too_costly") == (reply.status, reply.reason)


def test_plans_of_a_request_have_one_budget() -> None:
    once = _headers(_LOOKING, count=10)
    assert isinstance(_talk(_plan(request=once)).body(_TEXT).step, Outgoing)
    talk = _talk(*(_plan(number, request=once) for number in range(4))).body(_TEXT)
    assert talk.reply.reason == "transformation_too_costly"


def test_response_has_a_budget_of_its_own_and_fails_as_before() -> None:
    back, reason = _finished(_headers("{{ upper(t) }}"), _TEXT)
    assert (400, "transformation_too_costly") == (back.status, reason)
    assert back.body == b"bad request: The templates did more than 100000 steps of work."
    half = _headers(_LOOKING, count=16)
    talk = _talk(_plan(request=half, response=half)).body(_TEXT)
    assert isinstance(talk.step, Outgoing)
    assert talk.exchange.finish_response(Incoming(200, [], _TEXT)).status == 200


def test_answer_of_the_gateways_own_is_made_of_what_the_request_has_left() -> None:
    saying = message(("x-said", '{% for i in range(9) %}{{ length(request_header("x")) }}{% endfor %}'))
    assert "x-said" in as_dict(_talk(_plan(response=saying), _plan(1, request=_PARSING)).body(b"[").reply.headers)
    talk = _talk(_plan(response=saying), _plan(1, request=_headers("{{ upper(t) }}"))).body(_TEXT)
    assert (400, "transformation_too_costly") == (talk.reply.status, talk.reply.reason)
    assert "x-said" not in as_dict(talk.reply.headers)


def test_ordinary_message_spends_next_to_nothing() -> None:
    chat = {"model": "m", "messages": [{"role": "user", "content": "Hello, world: " * 50} for _ in range(20)]}
    template = message(
        ("x-model", "{{ model }}"),
        ("x-count", "{{ length(messages) }}"),
        ("x-roles", "{% for m in messages %}{{ upper(m.role) }} {% endfor %}"),
    )
    talk = _talk(_plan(request=template)).body(json.dumps(chat).encode())
    budget = talk.exchange.around.budget
    assert isinstance(talk.step, Outgoing)
    assert budget is not None
    assert budget.spent < DEFAULT_LIMITS.steps // 30


def test_headers_without_end_are_charged_for() -> None:
    template = MessageTemplate(headers=tuple(HeaderTemplate(f"x-{number}", "v") for number in range(128)))
    talk = _talk(_plan(response=template))
    back = talk.exchange.finish_response(Incoming(200, [(b"a%d" % number, b"b") for number in range(16_000)], b""))
    assert (400, "transformation_too_costly") == (back.status, talk.exchange.facts.reason)


def test_long_header_is_charged_for_each_time_it_is_read() -> None:
    plan = _plan(request=message(("a", '{% for i in range(2000) %}{% set x = header("b") %}{% endfor %}')))
    served = config(open_route(transformations=("t0",)), transformations=(plan,))
    talk = Talk(served, request("GET", "/", ("b", "\u00e9" * 30_000)))
    assert talk.reply.reason == "transformation_too_costly"


def test_long_path_is_charged_for_what_taking_it_apart_costs() -> None:
    plan = _plan(request=message((":path", "{{ t }}")))
    assert isinstance(_talk(plan).body(json.dumps({"t": "/%61" * 2_000}).encode()).step, Outgoing)
    reply = _talk(plan).body(json.dumps({"t": "/%61" * 150_000}).encode()).reply
    assert (400, "transformation_too_costly") == (reply.status, reply.reason)
