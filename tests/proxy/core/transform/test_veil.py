"""A tenant's templates see nothing of a token that is not the tenant's, nor of what was made of it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Any

import pytest

from tests.proxy.core.conversation import (
    KEY,
    TOKEN,
    Talk,
    as_dict,
    auth_plan,
    config,
    credential,
    forward,
    key_step,
    post_plan,
    request,
)
from tests.proxy.core.transform.test_transformation import message
from wardgate.ir import (
    AppendedHeader,
    AuthPlan,
    BasicAuthStep,
    Credential,
    DynamicMetadataValue,
    Extractor,
    HeaderMatch,
    MessageTemplate,
    MetadataHeader,
    PathMatch,
    QueryMatch,
    Route,
    RouteMatch,
    TransformationPlan,
)
from wardgate.proxy.core.messages import Incoming
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS

PLATFORMS, TENANTS = auth_plan(), auth_plan(owner="evil")
SHARED = credential(shared_with=("evil",))
OWN = credential(namespace="evil")
PRINTS = '{{ request_header("x-api-key") }}'


def platforms(name: str = "p", **changes: Any) -> TransformationPlan:
    """A transformation of the platform's."""
    return post_plan(name=name, **changes)


def tenants(name: str = "t", **changes: Any) -> TransformationPlan:
    """A transformation of the tenant's."""
    return post_plan(name=name, owner="evil", **changes)


def spied(
    *plans: TransformationPlan, auth: AuthPlan = PLATFORMS, token: Credential = SHARED, body: bytes | None = None
) -> Talk:
    """A request on a tenant's route, on which the plans are in this order."""
    names, action = tuple(plan.name for plan in plans), forward("hf", auto_host_rewrite=True)
    route = Route("r", action, auth="plan", owner="evil", transformations=names)
    served = config(route, auth_plans=(auth,), credentials=(token,), transformations=plans)
    said = Talk(served, request("POST", "/v1?q=1", ("api-key", KEY), body=body is not None))
    return said if body is None else said.body(body)


def answered(said: Talk) -> Incoming:
    return said.exchange.finish_response(Incoming(200, [(b"content-type", b"text/plain")], b"{}"))


READERS = {
    "header": message(("x-spy", '[{{ header("x-api-key") }}]')),
    "request_header": message(("x-spy", f"[{PRINTS}]")),
    "another spelling": message(("x-spy", '[{{ header("X_Api-Key") }}{{ request_header("X-API-KEY") }}]')),
    "appended": message(append=(AppendedHeader("x-spy", '[{{ header("x-api-key") }}]'),)),
    "condition": message(("x-spy", '[{% if length(header("x-api-key")) > 0 %}there{% endif %}]')),
    "extractor": message(("x-spy", "[{{ e }}]"), extractors=(Extractor("e", "x-api-key", "(.*)", subgroup=1),)),
    "advanced extractor": message(
        ("x-spy", '[{{ extraction("e") }}]'),
        extractors=(Extractor("e", "x-api-key", "(.*)", subgroup=1),),
        advanced=True,
    ),
    "part of the data": message(("x-spy", "[{{ context() }}]"), extractors=(Extractor("e", "x-api-key", ".*"),)),
    "metadata": message(
        ("x-spy", '[{{ dynamic_metadata("k", "n") }}]'),
        dynamic_metadata=(DynamicMetadataValue("n", "k", '{{ header("x-api-key") }}'),),
    ),
}
ABSENT = {"part of the data": '[{"e":""}]'}


@pytest.mark.parametrize("how", READERS)
@pytest.mark.parametrize("auth", [PLATFORMS, TENANTS])
def test_tenants_request_template_sees_no_token_of_the_platforms(how: str, auth: AuthPlan) -> None:
    said = spied(tenants(request=READERS[how]), auth=auth, token=SHARED if auth is TENANTS else PLATFORM_TOKEN)
    expected = ABSENT.get(how, "[]")
    assert (expected, TOKEN) == (said.sent["x-spy"], said.sent["x-api-key"])


PLATFORM_TOKEN = credential(allowed_hosts=("hf.example",))


@pytest.mark.parametrize("how", READERS)
def test_tenants_request_template_sees_its_own_token(how: str) -> None:
    said = spied(tenants(request=READERS[how]), auth=TENANTS, token=OWN)
    assert said.sent["x-spy"] not in ("[]", ABSENT.get(how))


@pytest.mark.parametrize("how", READERS)
def test_platforms_template_sees_every_token(how: str) -> None:
    assert spied(platforms(request=READERS[how])).sent["x-spy"] not in ("[]", ABSENT.get(how))


def test_tenants_response_template_sees_no_token_of_the_platforms() -> None:
    spy = message(("x-spy", f"[{PRINTS}]"), body_mode="template", body=f"[{PRINTS}]")
    for phase in ("pre", "post"):
        seen = answered(spied(tenants(phase=phase, response=spy)))
        assert ("[]", b"[]") == (as_dict(seen.headers)["x-spy"], seen.body)
    own = answered(spied(tenants(response=spy), auth=TENANTS, token=OWN))
    assert (f"[{TOKEN}]", f"[{TOKEN}]".encode()) == (as_dict(own.headers)["x-spy"], own.body)


def test_tenants_response_template_sees_no_token_in_answers_of_the_gateways_own() -> None:
    said = spied(tenants(response=message(("x-spy", f"[{PRINTS}]"))))
    reply = said.exchange.local_reply(REFUSALS[ReplyReason.UPSTREAM_UNREACHABLE])
    assert "[]" == as_dict(reply.headers)["x-spy"]


def test_credential_of_the_tenants_that_prints_a_hidden_token_is_half_empty() -> None:
    for plan in (message(("authorization", f"Bearer {PRINTS}")), message(("authorization", PRINTS))):
        assert "half_empty_credential" == spied(tenants(request=plan)).reply.reason


DERIVED = {
    "printed": message(("x-made", f"Bearer {PRINTS}")),
    "a part": message(("x-made", '{{ substring(header("x-api-key"), 3) }}')),
    "encoded": message(("x-made", '{{ base64_encode(request_header("x-api-key")) }}')),
    "appended": message(append=(AppendedHeader("x-made", PRINTS),)),
    "compared": message(("x-made", '{% if header("x-api-key") == "a" %}a{% else %}b{% endif %}')),
    "extracted": message(("x-made", "{{ e }}"), extractors=(Extractor("e", "x-api-key", ".*"),)),
    "any header": message(("x-made", '{{ header(join(["x-api-key"], "")) }}')),
    "in two steps": message(("x-half", PRINTS), ("x-made", '{{ header("x-half") }}')),
    "by metadata": message(
        ("x-made", '{{ dynamic_metadata("k", "n") }}'), dynamic_metadata=(DynamicMetadataValue("n", "k", PRINTS),)
    ),
    "by a variable": message(("x-made", '{% set v = header("x-api-key") %}{% for i in [1] %}{{ v }}{% endfor %}')),
}
SPY = message(("x-spy", '[{{ header("x-made") }}{{ request_header("x_made") }}]'))


@pytest.mark.parametrize("how", DERIVED)
def test_tenants_template_sees_no_header_that_a_platforms_template_made_of_the_token(how: str) -> None:
    said = spied(platforms(request=DERIVED[how]), tenants(request=SPY, response=SPY))
    assert said.sent["x-made"]
    assert ("[]", "[]") == (said.sent["x-spy"], as_dict(answered(said).headers)["x-spy"])


def test_what_is_made_of_what_was_made_is_hidden_too() -> None:
    first = platforms("p1", request=message(("x-half", PRINTS)))
    second = platforms("p2", request=message(("x-made", '{{ request_header("x-half") }}')))
    assert "[]" == spied(first, second, tenants(request=SPY)).sent["x-spy"]


def test_tenants_template_sees_headers_that_owe_nothing_to_the_token() -> None:
    made = platforms(request=message(("x-made", 'for {{ header(":path") }} at {{ header("x-app") }}')))
    assert "[for /v1?q=1 at for /v1?q=1 at ]" == spied(made, tenants(request=message(
        ("x-spy", '[{{ header("x-made") }}{{ request_header("x-made") }}]')))).sent["x-spy"]  # fmt: skip


@pytest.mark.parametrize(
    "made",
    [
        message(body_mode="template", body=PRINTS),
        message(body_mode="merge_extractors", extractors=(Extractor("e", "x-api-key", ".*"),)),
    ],
)
@pytest.mark.parametrize(
    "spy",
    ["{{ body() }}", "{{ context() }}", "{{ e }}", '{% if exists("e") %}there{% endif %}', "{{ default(e, body()) }}"],
)
def test_tenants_template_sees_no_body_that_a_platforms_template_made_of_the_token(
    made: MessageTemplate, spy: str
) -> None:
    spies = tenants(request=message(("x-spy", f"[{spy}]"), parse_body="ParseAsJson", ignore_parse_error=True))
    said = spied(platforms(request=made), spies, body=b'{"a": 1}')
    if isinstance(said.step, type(REFUSALS[ReplyReason.NO_ROUTE])):
        assert TOKEN.encode() not in said.reply.body
    else:
        assert said.sent["x-spy"] in ("[]", "[null]", "[{}]")
        assert TOKEN.encode() in (said.outgoing.body or b"")


def test_tenants_template_sees_the_callers_body() -> None:
    spy = tenants(request=message(("x-spy", "{{ body() }}"), parse_body="DontParse"))
    assert "hi" == spied(platforms(request=DERIVED["printed"]), spy, body=b"hi").sent["x-spy"]


def test_tenants_template_sees_no_metadata_that_a_platforms_template_made_of_the_token() -> None:
    spy = message(("x-spy", '[{{ dynamic_metadata("k", "n") }}{{ dynamic_metadata("plain", "n") }}]'))
    values = (DynamicMetadataValue("n", "k", PRINTS), DynamicMetadataValue("n", "plain", "seen"))
    made = platforms(request=message(dynamic_metadata=values))
    said = spied(made, tenants(request=spy, response=spy))
    assert ("[seen]", "[seen]") == (said.sent["x-spy"], as_dict(answered(said).headers)["x-spy"])


def test_tenants_template_sees_no_path_that_a_platforms_template_made_of_the_token() -> None:
    made = platforms(request=message((":path", "/v1?key=" + PRINTS)))
    spy = message(
        ("x-spy", '[{{ header(":path") }}{{ request_header(":PATH") }}{{ e }}]'),
        extractors=(Extractor("e", ":path", ".*"),),
    )
    said = spied(made, tenants(request=spy, response=spy))
    assert b"/v1?key=" + TOKEN.encode() == said.outgoing.target
    assert "[]" == said.sent["x-spy"]


def test_tenants_template_sees_no_host_that_a_platforms_template_made_of_the_token() -> None:
    made = platforms(request=message(("host", '{{ substring(header("x-api-key"), 0, 2) }}.example')))
    spy = message(("x-spy", '[{{ header(":authority") }}{{ header("host") }}]'))
    assert "[]" == spied(made, tenants(request=spy)).sent["x-spy"]


def test_tenants_template_sees_no_response_that_a_platforms_template_made_of_the_token() -> None:
    made = platforms("z", response=message(("x-made", PRINTS), body_mode="template", body=PRINTS))
    spy = tenants(
        phase="pre", response=message(("x-spy", '[{{ header("x-made") }}{{ body() }}]'), parse_body="DontParse")
    )
    assert "[]" == as_dict(answered(spied(spy, made)).headers)["x-spy"]


def test_tenants_template_sees_the_response_of_the_provider_whatever_a_platforms_template_made_of_it() -> None:
    made = platforms("z", response=message(("x-made", '{{ header("content-type") }}'), body_mode="template", body="b"))
    spy = tenants(
        phase="pre", response=message(("x-spy", '[{{ header("x-made") }}{{ body() }}]'), parse_body="DontParse")
    )
    assert "[text/plainb]" == as_dict(answered(spied(spy, made)).headers)["x-spy"]


def test_tenants_template_before_a_platforms_authentication_sees_no_credential_of_the_callers() -> None:
    """Encoded, because a plain copy of the key is taken off at authentication whoever made it."""
    names = ("api-key", "authorization", "cookie")
    spy = message(*((f"spy-{name}", f'[{{{{ base64_encode(header("{name}")) }}}}]') for name in names))
    route = Route("r", forward("hf"), auth="plan", owner="evil", transformations=("t",))
    credentials = (("api-key", KEY), ("authorization", b"Bearer " + KEY), ("cookie", b"k=" + KEY))
    for plan, hidden in ((PLATFORMS, True), (TENANTS, False)):
        spying = tenants(phase="pre", request=spy)
        served = config(route, auth_plans=(plan,), credentials=(SHARED,), transformations=(spying,))
        sent = Talk(served, request("GET", "/", *credentials)).sent
        assert [hidden] * 3 == [sent[f"spy-{name}"] == "[]" for name in names]


@pytest.mark.parametrize("place", [":path", "x-other", "referer"])
def test_tenants_template_before_a_platforms_authentication_sees_no_copy_of_the_callers_key(place: str) -> None:
    """Encoded as above. All else beside the copy is the tenant's to read."""
    spy = tenants(phase="pre", request=message(("x-spy", f'{{{{ base64_encode(header("{place}")) }}}}')))
    route = Route("r", forward("hf"), auth="plan", owner="evil", transformations=("t",))
    copies = (("x-other", b"Bearer " + KEY), ("referer", b"https://h/?a=" + KEY))
    for plan, hidden in ((PLATFORMS, True), (TENANTS, False)):
        served = config(route, auth_plans=(plan,), credentials=(SHARED,), transformations=(spy,))
        said = Talk(served, request("GET", "/v1?q=1&a=" + KEY.decode(), ("api-key", KEY), *copies))
        seen = b64decode(said.sent.get("x-spy", ""))
        assert (hidden, TOKEN) == (KEY not in seen, said.sent["x-api-key"])
        assert not hidden or place != ":path" or b"/v1?q=1" == seen


def test_password_is_hidden_from_a_tenants_template_before_a_platforms_authentication() -> None:
    step = BasicAuthStep("basic", "realm", "sha1", ())
    spy = tenants(phase="pre", response=message(("x-spy", '{{ request_header("x-other") }}')))
    route = Route("r", forward("hf"), auth="plan", owner="evil", transformations=("t", "u"))
    asking = tenants(name="u", phase="pre", request=message(("x-asked", "yes")))
    served = config(route, auth_plans=(auth_plan(step),), transformations=(spy, asking))
    pair = b64encode(b"user:correct horse")
    said = Talk(served, request("GET", "/", ("authorization", b"Basic " + pair), ("x-other", b"correct horse")))
    assert "x-spy" not in as_dict(said.reply.headers)


def test_header_that_holds_keys_of_other_owners_too_is_hidden_until_it_is_authenticated() -> None:
    """The tenant's policy and the platform's read keys from one header: nobody knows yet whose key this is."""
    spy = tenants(phase="pre", request=message(("x-spy", '[{{ base64_encode(header("api-key")) }}]')))
    ours = auth_plan(owner="evil", name="ours")
    mine = Route("r", forward("hf"), matches=(RouteMatch(paths=(PathMatch("prefix", "/mine"),)),), auth="ours",
                 owner="evil", transformations=("t",))  # fmt: skip
    for others, hidden in (((Route("theirs", forward("hf"), auth="plan"),), True), ((), False)):
        served = config(mine, *others, auth_plans=(ours, PLATFORMS), credentials=(OWN,), transformations=(spy,))
        sent = Talk(served, request("GET", "/mine", ("api-key", KEY))).sent
        assert (hidden, TOKEN) == (sent["x-spy"] == "[]", sent["x-api-key"])


def test_tenants_template_sees_no_key_that_a_platforms_policy_forwards() -> None:
    spy = tenants(request=message(("x-spy", '[{{ header("api-key") }}]')))
    for owner, seen in (("", "[]"), ("evil", f"[{KEY.decode()}]")):
        held = credential(metadata={}, namespace=owner or "platform")
        said = spied(spy, auth=auth_plan(forward_credential=True, owner=owner), token=held)
        assert (seen, KEY.decode()) == (said.sent["x-spy"], said.sent["api-key"])


def test_token_in_a_header_with_underscores_is_hidden() -> None:
    plan = auth_plan(key_step(metadata_headers=(MetadataHeader("x_api_key", "token"),)))
    said = spied(tenants(request=message(("x-spy", '[{{ header("x_api_key") }}]'))), auth=plan)
    assert ("[]", TOKEN) == (said.sent["x-spy"], said.sent["x_api_key"])


def test_platforms_template_sees_what_a_tenants_left_behind_the_veil() -> None:
    reading = '{{ dynamic_metadata("k", "n") }}'
    left = tenants(request=message(("x-1", reading), dynamic_metadata=(DynamicMetadataValue("n", "k", "left"),)))
    read, again = platforms(request=message(("x-2", reading))), tenants("t2", request=message(("x-3", reading)))
    assert ["left", "left", "left"] == [spied(left, read, again).sent[name] for name in ("x-1", "x-2", "x-3")]


def routed(*plans: TransformationPlan, matcher: RouteMatch, token: Credential = SHARED) -> Talk:
    """The tenant's request for ``/a``, moved to ``/b``, where one of its routes looks at the request first."""
    to_b = PathMatch("prefix", "/b")
    names = tuple(plan.name for plan in plans)
    served = config(
        Route("caught", forward("hf"), matches=(replace(matcher, paths=(to_b,)),), auth="plan", owner="evil"),
        Route("b", forward("hf"), matches=(RouteMatch(paths=(to_b,)),), auth="plan", owner="evil"),
        Route("a", forward("hf"), auth="plan", owner="evil", transformations=names),
        auth_plans=(TENANTS,),
        credentials=(token,),
        transformations=plans,
    )
    return Talk(served, request("GET", "/a", ("api-key", KEY)))


MOVES = tenants(request=message((":path", "/b")), recalculate=True)
GUESS = RouteMatch(headers=(HeaderMatch("x-api-key", "hf_p.*", regex=True),))


def test_tenants_matcher_learns_nothing_of_the_token_when_a_route_is_found_anew() -> None:
    assert "b" == routed(MOVES, matcher=GUESS).exchange.facts.route
    assert "caught" == routed(MOVES, matcher=GUESS, token=OWN).exchange.facts.route


def test_tenants_plan_moves_no_request_whose_path_was_made_of_the_token() -> None:
    made = platforms(request=message((":path", "/a/" + PRINTS)))
    assert "reroute_not_permitted" == routed(made, MOVES, matcher=GUESS).reply.reason


def test_tenants_matcher_learns_nothing_of_a_query_that_was_made_of_the_token() -> None:
    mover = platforms(request=message((":path", "/b?key=" + PRINTS)), recalculate=True)
    guess = RouteMatch(query=(QueryMatch("key", "hf_p.*", regex=True),))
    said = routed(mover, matcher=guess)
    assert ("b", b"/b?key=" + TOKEN.encode()) == (said.exchange.facts.route, said.outgoing.target)


def test_what_was_made_of_the_token_on_one_route_is_hidden_on_the_next() -> None:
    """The platform's transformations make a header, move the request, and print the header anew."""
    first = platforms("p1", request=message(("x-half", PRINTS), (":path", "/b")), recalculate=True)
    second = platforms("p2", request=message(("x-made", '{{ header("x-half") }}')))
    to_b = RouteMatch(paths=(PathMatch("prefix", "/b"),))
    served = config(
        Route("b", forward("hf"), matches=(to_b,), auth="plan", owner="evil", transformations=("p2", "t")),
        Route("a", forward("hf"), auth="plan", transformations=("p1",)),
        auth_plans=(PLATFORMS,),
        credentials=(SHARED,),
        transformations=(first, second, tenants(request=SPY)),
    )
    said = Talk(served, request("GET", "/a", ("api-key", KEY)))
    assert ("[]", TOKEN) == (said.sent["x-spy"], said.sent["x-made"])


def test_platforms_matcher_may_go_by_what_the_secret_gave() -> None:
    mover = platforms(request=message((":path", "/b")), recalculate=True)
    match = replace(GUESS, paths=(PathMatch("prefix", "/b"),))
    served = config(
        Route("caught", forward("hf"), matches=(match,), auth="plan"),
        Route("a", forward("hf"), auth="plan", transformations=("p",)),
        auth_plans=(PLATFORMS,),
        credentials=(SHARED,),
        transformations=(mover,),
    )
    assert "caught" == Talk(served, request("GET", "/a", ("api-key", KEY))).exchange.facts.route
