"""Refusals on routes to a known provider, as its own clients read them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.proxy.core.conversation import KEY, Talk, as_dict, config, forward, post_plan, request, route
from tests.proxy.core.transform.test_transformation import message
from wardgate.ir import Endpoint, Upstream, UpstreamTls
from wardgate.proxy.core.messages import Incoming
from wardgate.proxy.core.provider_forms import ANTHROPIC, GOOGLE, OPENAI, PLAIN, form_for
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS

SENTENCE = "The upstream took too long to answer."


def to(*hosts: str, **changes: Any) -> Any:
    """A route whose destinations are these hosts."""
    upstreams = tuple(Upstream(host, (Endpoint(host, 443),), tls=UpstreamTls(sni=host)) for host in hosts)
    return config(route(forward(*hosts, **changes)), upstreams=upstreams)


def refused(served: Any, reason: ReplyReason = ReplyReason.UPSTREAM_TIMEOUT) -> Any:
    reply = Talk(served, request("GET", "/", ("api-key", KEY))).exchange.local_reply(REFUSALS[reason])
    assert reply.status == REFUSALS[reason].status
    assert reply.headers == REFUSALS[reason].headers
    return json.loads(reply.body)


def test_openai() -> None:
    error = {"message": SENTENCE, "type": "server_error", "param": None, "code": "upstream_timeout"}
    assert {"error": error} == refused(to("api.openai.com"))


def test_anthropic() -> None:
    error = {"type": "timeout_error", "message": SENTENCE}
    assert {"type": "error", "error": error} == refused(to("api.anthropic.com"))


def test_google() -> None:
    error = refused(to("generativelanguage.googleapis.com"))["error"]
    assert (504, SENTENCE, "DEADLINE_EXCEEDED") == (error["code"], error["message"], error["status"])
    assert "UPSTREAM_TIMEOUT" == error["details"][0]["reason"]


@pytest.mark.parametrize(
    ("hosts", "form"),
    [
        (["API.OpenAI.com."], OPENAI),
        (["eu.api.openai.com"], OPENAI),
        (["team.openai.azure.com", "api.openai.com"], OPENAI),
        (["api.openai.com", "api.anthropic.com"], PLAIN),
        (["api.openai.com", "vllm.models.svc"], PLAIN),
        (["notapi.openai.com.evil.example"], PLAIN),
        (["fakeapi.anthropic.com"], PLAIN),
        (["openai.com"], PLAIN),
        (["us-east5-aiplatform.googleapis.com"], GOOGLE),
        (["aiplatform.googleapis.com"], GOOGLE),
        (["api.anthropic.com"], ANTHROPIC),
        ([], PLAIN),
    ],
)
def test_form_is_that_of_all_hosts_or_plain(hosts: list[str], form: object) -> None:
    assert form is form_for(hosts)


def test_provider_behind_a_proxy_of_the_cluster_is_known_by_the_host_that_is_written() -> None:
    assert "error" == refused(to("egress.proxy.svc", host_rewrite="api.anthropic.com"))["type"]


def test_upstream_without_tls_is_known_by_what_is_dialled() -> None:
    served = config(route(forward("a")), upstreams=(Upstream("a", (Endpoint("api.anthropic.com", 80),)),))
    assert "error" == refused(served)["type"]


def test_recorded_401_has_no_provider_form() -> None:
    reply = Talk(to("api.openai.com"), request()).reply
    assert REFUSALS[ReplyReason.KEY_MISSING] is reply


def test_failed_template_stays_in_gloos_words() -> None:
    plans = (post_plan(request=message(("a", "{{ missing }}"))),)
    served = config(
        route(forward("hf"), transformations=("t",)),
        transformations=plans,
        upstreams=(Upstream("hf", (Endpoint("api.openai.com", 443),)),),
    )
    assert Talk(served, request("GET", "/", ("api-key", KEY))).reply.body.startswith(b"bad request: ")


def test_response_that_cannot_be_sent_is_replaced_in_the_providers_form() -> None:
    served = config(
        route(forward("hf"), transformations=("t",)),
        transformations=(post_plan(response=message((":status", "99"))),),
        upstreams=(Upstream("hf", (Endpoint("api.openai.com", 443),)),),
    )
    talk = Talk(served, request("GET", "/", ("api-key", KEY)))
    back = talk.exchange.finish_response(Incoming(200, [(b"wardgate-x", b"y")], b"body"))
    assert "unsafe_response_rendering" == json.loads(back.body or b"")["error"]["code"]
    assert "gateway" == as_dict(back.headers)["wardgate-error-source"]


@pytest.mark.parametrize("form", [OPENAI, ANTHROPIC, GOOGLE])
@pytest.mark.parametrize("reply", [reply for reply in REFUSALS.values() if reply.text], ids=lambda reply: reply.reason)
def test_every_sentence_is_told_in_every_form(form: Any, reply: Any) -> None:
    formed = form.of(reply)
    assert reply.text in json.dumps(json.loads(formed.body), ensure_ascii=False)
    assert (reply.status, reply.reason, reply.headers) == (formed.status, formed.reason, formed.headers)
