"""Conversations in two spellings: to a server that makes variables of names, ``x_api_key`` is ``x-api-key``."""

from __future__ import annotations

import pytest

from tests.proxy.core.conversation import (
    KEY,
    TOKEN,
    Talk,
    as_dict,
    auth_plan,
    config,
    credential,
    key_step,
    open_route,
    post_plan,
    request,
    route,
)
from tests.proxy.core.test_observer import Notes
from wardgate.ir import (
    AppendedHeader,
    AuthPlan,
    BoolOr,
    BoolStep,
    Digest,
    GatewayConfig,
    HeaderMatch,
    HeaderTemplate,
    MessageTemplate,
    MetadataHeader,
    RouteMatch,
    TransformationPlan,
    Upstream,
)
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.messages import Incoming


def guarded(*plans: TransformationPlan, plan: AuthPlan | None = None, **changes: object) -> GatewayConfig:
    names = tuple(each.name for each in plans)
    return config(route(transformations=names), transformations=plans, auth_plans=(plan or auth_plan(),), **changes)


# -- stripped

SPELLINGS = ["x-user-id", "x_user-id", "x-user_id", "x_user_id"]


@pytest.mark.parametrize("name", SPELLINGS)
def test_user_id_of_a_client_is_removed_in_every_spelling(name: str) -> None:
    assert {"host": "gw.example"} == Talk(config(open_route()), request("GET", "/", (name, "root"))).sent


@pytest.mark.parametrize("set_by_policy", ["x-api-key", "x_api_key"])
@pytest.mark.parametrize("sent_by_client", ["x-api-key", "x_api_key", "x_api-key"])
def test_metadata_header_of_a_client_is_removed_in_every_spelling(set_by_policy: str, sent_by_client: str) -> None:
    plan = auth_plan(key_step(metadata_headers=(MetadataHeader(set_by_policy, "token"),)))
    talk = Talk(guarded(plan=plan), request("GET", "/", ("api-key", KEY), (sent_by_client, "attacker")))
    assert {"host": "gw.example", set_by_policy: TOKEN} == talk.sent


def test_metadata_header_that_a_template_set_in_another_spelling_does_not_outlive_authentication() -> None:
    template = post_plan(phase="pre", request=MessageTemplate(headers=(HeaderTemplate("x_api_key", "made up"),)))
    talk = Talk(guarded(template), request("GET", "/", ("api-key", KEY)))
    assert {"host": "gw.example", "x-api-key": TOKEN} == talk.sent


def test_reroute_leaves_one_user_id() -> None:
    upstream = Upstream("hf", (), send_user_id=True)
    template = post_plan(
        request=MessageTemplate(headers=(HeaderTemplate("x_user_id", "made up"),), remove=("x-a",)),
        recalculate=True,
    )
    first = route(name="a", matches=(RouteMatch(headers=(HeaderMatch("x-a", None),)),), transformations=("t",))
    served = config(first, route(name="b"), transformations=(template,), upstreams=(upstream,))
    talk = Talk(served, request("GET", "/", ("api-key", KEY), ("x-a", "1")))
    assert {"host": "gw.example", "x-user-id": "hf-key", "x-api-key": TOKEN} == talk.sent


def test_header_that_nobody_guards_keeps_its_spelling() -> None:
    talk = Talk(config(route()), request("GET", "/", ("api-key", KEY), ("access_token_kind", "a")))
    assert talk.sent["access_token_kind"] == "a"


# -- required


@pytest.mark.parametrize("wanted", ["api-key", "api_key"])
@pytest.mark.parametrize("given", ["api-key", "api_key"])
def test_key_is_read_from_and_removed_in_either_spelling(wanted: str, given: str) -> None:
    talk = Talk(guarded(plan=auth_plan(key_step(header=wanted))), request("GET", "/", (given, KEY)))
    assert {"host": "gw.example", "x-api-key": TOKEN} == talk.sent


@pytest.mark.parametrize("wanted", ["api-key", "api_key"])
def test_key_in_two_spellings_is_a_key_sent_twice(wanted: str) -> None:
    plan = auth_plan(key_step(header=wanted))
    talk = Talk(guarded(plan=plan), request("GET", "/", ("api-key", KEY), ("api_key", b"another")))
    assert (401, "key_repeated") == (talk.reply.status, talk.reply.reason)


def test_key_header_of_a_step_that_was_not_asked_is_removed_in_every_spelling() -> None:
    steps = (key_step(name="a"), key_step(name="b", header="other-key"))
    plan = auth_plan(*steps, expression=BoolOr((BoolStep("a"), BoolStep("b"))))
    talk = Talk(guarded(plan=plan), request("GET", "/", ("api-key", KEY), ("other_key", "x")))
    assert {"host": "gw.example", "x-api-key": TOKEN} == talk.sent


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ([("x_tenant", "a")], True),
        ([("x_tenant", "b")], False),
        ([("x-tenant", "a"), ("x_tenant", "b")], False),
    ],
)
def test_match_compares_headers_in_every_spelling(headers: list[tuple[str, str]], *, passes: bool) -> None:
    plan = auth_plan(key_step(stored=Digest(match_headers=("x-tenant",)), metadata_headers=()))
    served = guarded(plan=plan, credentials=(credential(metadata={"x-tenant": "a"}),))
    assert passes is hasattr(Talk(served, request("GET", "/", ("api-key", KEY), *headers)).step, "upstream")


@pytest.mark.parametrize(("wanted", "given"), [("x-tier", "x_tier"), ("x_tier", "x-tier"), ("x_tier", "x_tier")])
@pytest.mark.parametrize("value", [None, "gold"])
def test_guard_on_a_header_takes_every_spelling(wanted: str, given: str, value: str | None) -> None:
    on_header = (RouteMatch(headers=(HeaderMatch(wanted, value),)),)
    served = config(route(name="guarded", matches=on_header), open_route(name="open"))
    assert Talk(served, request("GET", "/", (given, "gold"))).reply.reason == "key_missing"


def test_guard_on_the_absence_of_a_header_is_not_met_by_another_spelling() -> None:
    absent = (RouteMatch(headers=(HeaderMatch("x-internal", None, invert=True),)),)
    served = config(open_route(name="open", matches=absent), route(name="guarded"))
    assert Talk(served, request("GET", "/", ("x_internal", "1"))).reply.reason == "key_missing"


# -- set


@pytest.mark.parametrize(("name", "client"), [("x-team", "x_team"), ("x_team", "x-team")])
def test_header_that_a_template_sets_replaces_every_spelling(name: str, client: str) -> None:
    template = post_plan(request=MessageTemplate(headers=(HeaderTemplate(name, "blue"),)))
    talk = Talk(guarded(template), request("GET", "/", ("api-key", KEY), (client, "red")))
    assert {"host": "gw.example", "x-api-key": TOKEN, name: "blue"} == talk.sent


def test_header_that_a_template_removes_is_removed_in_every_spelling() -> None:
    template = post_plan(request=MessageTemplate(remove=("x-team", "x_lane")))
    talk = Talk(guarded(template), request("GET", "/", ("api-key", KEY), ("x_team", "a"), ("x-lane", "b")))
    assert {"host": "gw.example", "x-api-key": TOKEN} == talk.sent


def test_later_step_wins_in_every_spelling() -> None:
    steps = (
        key_step(name="a", metadata_headers=(MetadataHeader("x_tok", "token"),)),
        key_step(name="b", metadata_headers=(MetadataHeader("x-tok", "token"),)),
    )
    talk = Talk(guarded(plan=auth_plan(*steps)), request("GET", "/", ("api-key", KEY)))
    assert {"host": "gw.example", "x-tok": TOKEN} == talk.sent


def test_template_of_a_response_removes_every_spelling() -> None:
    plan = post_plan(response=MessageTemplate(remove=("x-internal",)))
    talk = Talk(guarded(plan), request("GET", "/", ("api-key", KEY)))
    finished = talk.exchange.finish_response(Incoming(200, [(b"x_internal", b"1"), (b"a_b", b"2")]))
    assert {"a_b": "2"} == as_dict(finished.headers)


# -- credentials


@pytest.mark.parametrize(
    ("name", "listed"), [("x_api_key", ()), ("x_provider", ("x-provider",)), ("x-provider", ("x_provider",))]
)
def test_credential_header_is_not_sent_half_empty_in_any_spelling(name: str, listed: tuple[str, ...]) -> None:
    message = MessageTemplate(headers=(HeaderTemplate(name, 'Bearer {{ header("x-none") }}'),))
    talk = Talk(guarded(post_plan(request=message, credential_headers=listed)), request("GET", "/", ("api-key", KEY)))
    assert talk.reply.reason == "half_empty_credential"


def test_metadata_header_in_another_spelling_may_not_be_hollow() -> None:
    plan = auth_plan(key_step(metadata_headers=(MetadataHeader("x-tok", "absent"),)))
    message = MessageTemplate(headers=(HeaderTemplate("authorization", '{{ header("x_tok") }}'),))
    talk = Talk(guarded(post_plan(request=message), plan=plan), request("GET", "/", ("api-key", KEY)))
    assert talk.reply.reason == "half_empty_credential"


def test_observer_is_told_that_a_credential_in_another_spelling_is_secret() -> None:
    message = MessageTemplate(append=(AppendedHeader("x_goog_api_key", "made of nothing"),))
    notes = Notes()
    Talk(guarded(post_plan(request=message)), request("GET", "/", ("api-key", KEY)), observer=notes)
    assert [True] == [secret for _, name, _, secret in notes.set if name == "x_goog_api_key"]


# -- never sent on


def read(*lines: bytes) -> RequestHead:
    head = parse_request_head(b"\r\n".join((b"POST / HTTP/1.1", b"Host: h", *lines, b"", b"")), max_headers=100)
    assert isinstance(head, RequestHead), head
    return head


@pytest.mark.parametrize(
    "name",
    [
        b"Transfer_Encoding",
        b"content_length",
        b"keep_alive",
        b"proxy_connection",
        b"proxy_authorization",
        b"proxy_authenticate",
        b"http2_settings",
        b"Proxy",
    ],
)
def test_name_that_a_server_could_take_for_the_proxies_own_is_not_sent_on(name: bytes) -> None:
    head = read(name + b": chunked", b"Content-Length: 3")
    assert ([], 3, False) == (head.headers, head.content_length, head.chunked)


@pytest.mark.parametrize(
    ("option", "field"), [(b"x_hop", b"x-hop"), (b"X-Hop", b"x_hop"), (b"close, x_hop-a", b"x-hop_a")]
)
def test_header_that_connection_names_ends_here_in_every_spelling(option: bytes, field: bytes) -> None:
    head = read(b"Connection: " + option, field + b": 1", b"x-stays: 2")
    assert [(b"x-stays", b"2")] == head.headers
