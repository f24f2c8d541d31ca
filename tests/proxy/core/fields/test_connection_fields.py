"""Templates and matchers see the fields of the connection as they came; nothing of them reaches a wire again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proxy.core.conversation import (
    KEY,
    Talk,
    as_dict,
    auth_plan,
    config,
    credential,
    forward,
    key_step,
    open_route,
    post_plan,
    route,
)
from tests.proxy.core.transform.test_transformation import message, x_
from wardgate.ir import (
    AppendedHeader,
    DirectResponse,
    HeaderMatch,
    HeaderTemplate,
    MessageTemplate,
    MetadataHeader,
    PathMatch,
    Route,
    RouteMatch,
    TransformationPlan,
)
from wardgate.proxy.core.auth.compiler import compile_auth
from wardgate.proxy.core.grammar import PROXY_WRITTEN
from wardgate.proxy.core.http1.arrival import arrived
from wardgate.proxy.core.http1.framing import write_request_head, write_response_head
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.http1.server_connection import ServerConnection
from wardgate.proxy.core.http1.server_states import ServerState
from wardgate.proxy.core.messages import Header, Incoming, Reply, Request

K = KEY.decode()
FIELDS = (
    ("content-length", "2"),
    ("connection", "te, upgrade, close"),
    ("te", "trailers"),
    ("upgrade", "h2c"),
    ("expect", "100-continue"),
    ("keep-alive", "timeout=5"),
    ("proxy-connection", "keep-alive"),
    ("trailer", "x-sum"),
    ("http2-settings", "AAMAAABk"),
)
CHUNKED = (("transfer-encoding", "chunked"),)


def parsed(*headers: tuple[str, str], path: str = "/", key: bool = False) -> Request:
    """A request that the proxy's own reader took from the wire."""
    given = (*headers, ("api-key", K)) if key else headers
    lines = [f"POST {path} HTTP/1.1", "Host: gw.example", *(f"{name}: {value}" for name, value in given), "", ""]
    head = parse_request_head("\r\n".join(lines).encode(), max_headers=100)
    assert isinstance(head, RequestHead), head
    found = arrived(head)
    assert found is not None
    return found


def served(template: MessageTemplate, **changes: Any) -> Any:
    return config(open_route(transformations=("t",)), transformations=(post_plan(**({"request": template} | changes)),))


def sent(template: MessageTemplate, arriving: Request) -> dict[str, str]:
    talk = Talk(served(template), arriving)
    return {name: value for name, value in talk.sent.items() if name != "host"}


# -- what is read


@pytest.mark.parametrize("reader", ['{{ header("%s") }}', '{{ request_header("%s") }}'])
@pytest.mark.parametrize(("name", "value"), [*FIELDS, *CHUNKED, ("host", "gw.example"), ("TE", "trailers")])
def test_template_reads_the_field_as_it_came(name: str, value: str, reader: str) -> None:
    arriving = parsed(*(CHUNKED if name == "transfer-encoding" else FIELDS))
    assert {"x": value} == sent(message(("x", reader % name)), arriving)


@pytest.mark.parametrize(("name", "value"), [*FIELDS, *CHUNKED])
def test_extractor_reads_the_field_as_it_came(name: str, value: str) -> None:
    arriving = parsed(*(CHUNKED if name == "transfer-encoding" else FIELDS))
    assert {"x": value} == sent(message(("x", "{{ e }}"), extractors=(x_("e", name),)), arriving)


def test_first_of_several_values_is_read() -> None:
    assert {"x": "a"} == sent(message(("x", '{{ header("upgrade") }}')), parsed(("Upgrade", "a"), ("upgrade", "b")))


def test_absent_field_is_empty() -> None:
    assert {"x": "[]"} == sent(message(("x", '[{{ header("te") }}]')), parsed())


def test_misspelt_field_is_read_in_its_own_spelling_and_stays_here() -> None:
    template = message(("x", '{{ header("transfer_encoding") }}[{{ header("transfer-encoding") }}]'))
    assert {"x": "chunked[]"} == sent(template, parsed(("Transfer_Encoding", "chunked")))


def test_what_marks_the_way_of_a_request_is_not_read() -> None:
    template = message(("x", '[{{ header("cdn-loop") }}{{ header("proxy") }}]'))
    assert {"x": "[]"} == sent(template, parsed(("CDN-Loop", "other"), ("Proxy", "http://evil")))


def test_response_template_reads_the_fields_of_the_request() -> None:
    template = message(("x", '{{ request_header("te") }} {{ request_header("content-length") }}'))
    talk = Talk(served(template, request=None, response=template), parsed(*FIELDS))
    assert "trailers 2" == as_dict(talk.exchange.finish_response(Incoming(200, [], b"")).headers)["x"]


# -- responses

UPSTREAMS: tuple[Header, ...] = (
    (b"content-length", b"7"),
    (b"connection", b"keep-alive"),
    (b"keep-alive", b"timeout=5"),
    (b"transfer-encoding", b"gzip, chunked"),
    (b"upgrade", b"h2"),
)


def answered(template: MessageTemplate, **changes: Any) -> dict[str, str]:
    talk = Talk(served(template, request=None, response=template, **changes), parsed())
    return as_dict(talk.exchange.finish_response(Incoming(200, [], b"1234567", UPSTREAMS)).headers)


@pytest.mark.parametrize(("name", "value"), UPSTREAMS)
def test_response_template_reads_the_field_as_it_came(name: bytes, value: bytes) -> None:
    assert {"x": value.decode()} == answered(message(("x", f'{{{{ header("{name.decode()}") }}}}')))


def test_response_template_sets_no_field_of_the_connection() -> None:
    everything = tuple(HeaderTemplate(name.decode(), "9") for name in sorted(PROXY_WRITTEN))
    assert {} == answered(MessageTemplate(headers=everything, parse_body="DontParse"))


def test_answer_of_the_gateways_own_has_the_length_of_its_body() -> None:
    template = message(("x", '[{{ header("content-length") }}]'))
    plans = (post_plan(response=template),)
    for body, length in (("12345", "[5]"), ("", "[]")):
        answering = config(open_route(DirectResponse(200, body), transformations=("t",)), transformations=plans)
        assert length == as_dict(Talk(answering, parsed()).reply.headers)["x"]


def test_answer_in_a_broken_responses_place_has_its_own_length() -> None:
    failing = post_plan(name="post", response=message(("x", "{{ nosuch }}")))
    reading = post_plan(name="pre", phase="pre", response=message(("x", '{{ header("content-length") }}')))
    both = config(open_route(transformations=("pre", "post")), transformations=(reading, failing))
    back = Talk(both, parsed()).exchange.finish_response(Incoming(200, [], b"{}", UPSTREAMS))
    assert str(len(back.body or b"")) == as_dict(back.headers)["x"]


# -- what is set


@pytest.mark.parametrize("name", sorted(PROXY_WRITTEN))
def test_template_sets_appends_and_removes_no_field_of_the_connection(name: bytes) -> None:
    text = name.decode()
    reading = HeaderTemplate("x", '[{{ header("connection") }}]')
    changing = MessageTemplate(
        headers=(HeaderTemplate(text, "evil"), reading), append=(AppendedHeader(text, "evil"),), remove=(text,)
    )
    assert {"x": "[close]"} == sent(changing, parsed(("Connection", "close")))


def test_metadata_of_a_key_may_be_no_field_of_the_connection() -> None:
    for name in ("connection", "transfer_encoding"):
        assert compile_auth(auth_plan(key_step(metadata_headers=(MetadataHeader(name, "token"),)))) is None


NASTY = st.sampled_from(["chunked", "0", "5", "keep-alive, x-a", "trailers", "h2c", "a\tb", "\xff", ""])
ECHOED = ["connection", "te", "upgrade", "keep-alive", "trailer", "content_length", "transfer_encoding"]


@pytest.mark.no_cover
@given(
    fields=st.lists(st.tuples(st.sampled_from(ECHOED), NASTY), max_size=4),
    echoes=st.lists(st.tuples(st.sampled_from([*ECHOED, "content-length", "x-a", "x_b"]), st.sampled_from(ECHOED))),
    framed=st.sampled_from(["content-length: 5", "transfer-encoding: chunked", ""]),
)
def test_no_echo_of_a_field_changes_how_a_message_is_delimited(
    fields: list[tuple[str, str]], echoes: list[tuple[str, str]], framed: str
) -> None:
    """Written to the wire and read again by the strict reader, the message has the framing that was meant."""
    given_fields = [*fields, *([tuple(framed.split(": "))] if framed else [])]
    template = MessageTemplate(
        append=tuple(AppendedHeader(name, f'{{{{ header("{source}") }}}}') for name, source in echoes),
        parse_body="DontParse",
    )
    lines = ["POST / HTTP/1.1", "Host: h", *(f"{name}: {value}" for name, value in given_fields), "", ""]
    head = parse_request_head("\r\n".join(lines).encode("latin-1"), max_headers=100)
    assert isinstance(head, RequestHead)
    arriving = arrived(head)
    assert arriving is not None
    talk = Talk(served(template), arriving)
    if isinstance(talk.step, Reply):
        return  # a value that cannot be sent
    outgoing = talk.outgoing
    written = write_request_head(
        method=outgoing.method,
        target=outgoing.target,
        headers=outgoing.headers,
        length=head.content_length,
        chunked=head.chunked,
    )
    again = parse_request_head(written, max_headers=200)
    assert isinstance(again, RequestHead), again
    assert (again.content_length, again.chunked) == (head.content_length, head.chunked)
    connection = ServerConnection(head_bytes=len(written), target_bytes=len(written), header_count=200)
    connection.receive(written)
    connection.next_request()
    assert connection.state is (ServerState.BODY if head.has_body else ServerState.ANSWERING)
    response = write_response_head(status=200, headers=outgoing.headers, length=3, chunked=False, close=False)
    assert response.lower().count(b"content-length") == 1
    assert b"transfer-encoding" not in response.lower()


# -- matchers


def chosen(*conditions: HeaderMatch, arriving: Request) -> bool:
    taking = open_route(DirectResponse(200), matches=(RouteMatch(headers=conditions),))
    return Talk(config(taking), arriving).exchange.facts.route == "r"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (HeaderMatch("content-length"), True),
        (HeaderMatch("content-length", "2"), True),
        (HeaderMatch("content-length", "[0-9]", regex=True), True),
        (HeaderMatch("content-length", "[0-9]{2,}", regex=True), False),
        (HeaderMatch("content-length", "2", invert=True), False),
        (HeaderMatch("content_length", "2"), True),
        (HeaderMatch("te", "trailers"), True),
        (HeaderMatch("upgrade", "h2c,websocket"), True),
        (HeaderMatch("connection", ".*upgrade.*", regex=True), True),
        (HeaderMatch("transfer-encoding"), False),
        (HeaderMatch("transfer-encoding", invert=True), True),
        (HeaderMatch("host", "gw.example"), True),
    ],
)
def test_matcher_sees_the_field_as_it_came(condition: HeaderMatch, *, holds: bool) -> None:
    assert holds is chosen(condition, arriving=parsed(*FIELDS, ("upgrade", "websocket")))


def test_matcher_joins_all_spellings() -> None:
    assert chosen(HeaderMatch("keep-alive", "a,b"), arriving=parsed(("keep-alive", "a"), ("keep_alive", "b")))


@pytest.mark.parametrize("regex", [False, True])
@pytest.mark.parametrize("name", ["x-internal", "te"])
def test_inverted_condition_on_an_absent_header_holds(name: str, *, regex: bool) -> None:
    condition = HeaderMatch(name, "true", regex=regex, invert=True)
    assert chosen(condition, arriving=parsed())
    assert chosen(condition, arriving=parsed((name, "false")))
    assert not chosen(condition, arriving=parsed((name, "true")))


def test_inverted_condition_beside_one_on_presence_takes_no_request_without_the_header() -> None:
    conditions = (HeaderMatch("x-tier"), HeaderMatch("x-tier", "free", invert=True))
    assert not chosen(*conditions, arriving=parsed())
    assert not chosen(*conditions, arriving=parsed(("x-tier", "free")))
    assert chosen(*conditions, arriving=parsed(("x-tier", "paid")))


# -- keys and tenants

SHOWS = message(("x-spy", '[{{ header("upgrade") }}{{ request_header("te") }}]'))
COPIES = (("Upgrade", f"Bearer {K}"), ("TE", K))
EVIL = {"credentials": (credential(shared_with=("evil",)),)}


def spied(plan: TransformationPlan, *, owner: str = "", auth: Any = None) -> Talk:
    watched = Route("r", forward("hf", auto_host_rewrite=True), auth="plan", owner=owner, transformations=("t",))
    served = config(watched, auth_plans=(auth or auth_plan(),), transformations=(plan,), **EVIL)
    return Talk(served, parsed(*COPIES, key=True))


def test_copy_of_an_accepted_key_is_read_by_no_transformation() -> None:
    assert "[]" == spied(post_plan(request=SHOWS)).sent["x-spy"]


def test_copy_of_an_accepted_key_is_read_in_no_response() -> None:
    reading = message(("x-spy", '[{{ request_header("upgrade") }}]'))
    back = spied(post_plan(response=reading)).exchange.finish_response(Incoming(200, [], b""))
    assert "[]" == as_dict(back.headers)["x-spy"]


def test_copy_that_a_first_phase_moves_to_another_header_is_removed() -> None:
    assert "x-spy" not in spied(post_plan(phase="pre", request=SHOWS)).sent


@pytest.mark.parametrize("phase", ["pre", "post"])
def test_tenant_reads_no_copy_of_a_platforms_key(phase: str) -> None:
    assert "[]" == spied(post_plan(owner="evil", phase=phase, request=SHOWS), owner="evil").sent["x-spy"]


def test_other_fields_are_read_behind_the_veil() -> None:
    reading = post_plan(owner="evil", phase="pre", request=message(("x-spy", '{{ header("keep-alive") }}')))
    route = Route("r", forward("hf", auto_host_rewrite=True), auth="plan", owner="evil", transformations=("t",))
    behind = Talk(config(route, transformations=(reading,), **EVIL), parsed(*FIELDS, key=True))
    assert "timeout=5" == behind.sent["x-spy"]


def test_matcher_of_a_moved_request_sees_no_copy_of_the_key() -> None:
    moving = post_plan(request=message((":path", "/there")), recalculate=True)
    there = PathMatch("prefix", "/there")
    routes = (
        route(name="spy", matches=(RouteMatch(paths=(there,), headers=(HeaderMatch("te", K),)),)),
        route(name="plain", matches=(RouteMatch(paths=(there,)),)),
        route(name="here", transformations=("t",)),
    )
    talk = Talk(config(*routes, transformations=(moving,)), parsed(*COPIES, key=True))
    assert "plain" == talk.exchange.facts.route
