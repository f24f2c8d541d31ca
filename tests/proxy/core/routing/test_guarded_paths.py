"""A route that asks for a key beside a wider open one: no spelling of a path leads past it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proxy.core.conversation import UPSTREAM, Talk, config, forward, open_route, post_plan, request, route
from tests.proxy.core.transform.test_transformation import message
from wardgate.ir import PathMatch, PrefixRewrite, RegexRewrite, Route, RouteMatch
from wardgate.proxy.core.http1.paths import read_target
from wardgate.proxy.core.messages import Reply, Request

GUARDS = [
    PathMatch("prefix", "/admin"),
    PathMatch("exact", "/admin/x"),
    PathMatch("regex", "/admin/.*"),
    PathMatch("prefix", "/ADMIN/", ignore_case=True),
]
SPELLINGS = [
    b"/admin/x",
    b"/%61dmin/x",
    b"/%61%64%6D%69%6e/%78",
    b"/admi%6e/%78",
    b"//admin/x",
    b"/admin//x",
    b"/\\admin\\x",
    b"/a/../admin/x",
    b"/a/%2E./admin/x",
    b"/%61/%2e%2e//%61dmin/./x",
    b"http://gw.example/%61dmin/x",
    b"http://gw.example//admin//x",
]


def guarded(guard: PathMatch) -> tuple[Route, Route]:
    return (route(name="guarded", matches=(RouteMatch(paths=(guard,)),)), open_route(name="open"))


def arriving(target: bytes) -> Request | None:
    """The request as the I/O hands it to the core."""
    read = read_target(target, method=b"GET")
    return None if read is None else Request(b"GET", read.path, read.query, read.authority or b"gw.example", [])


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{guard.kind} {guard.value}")
@pytest.mark.parametrize("target", SPELLINGS)
def test_guard_is_met_in_every_spelling(guard: PathMatch, target: bytes) -> None:
    arrived = arriving(target)
    assert arrived is not None
    talk = Talk(config(*guarded(guard)), arrived)
    assert talk.reply.status == 401
    assert talk.exchange.facts.route == "guarded"


@pytest.mark.parametrize(
    "target", [b"/x/..%2Fadmin/x", b"/x/..%5cadmin/x", b"/x/..;/admin/x", b"/admin%00/x", b"/%%361dmin/x"]
)
def test_path_that_an_upstream_may_read_as_the_guarded_one_is_refused(target: bytes) -> None:
    assert arriving(target) is None


def test_escape_in_a_guard_is_met_in_both_cases_of_its_digits() -> None:
    guard = PathMatch("prefix", "/models/meta%2Fllama")
    for target in (b"/models/meta%2fllama", b"/models/meta%2Fllama"):
        arrived = arriving(target)
        assert arrived is not None
        assert Talk(config(*guarded(guard)), arrived).reply.status == 401


def test_escape_of_an_escape_is_not_resolved() -> None:
    arrived = arriving(b"/%2561dmin")
    assert arrived is not None
    assert Talk(config(*guarded(GUARDS[0])), arrived).outgoing.target == b"/%2561dmin"


@given(st.lists(st.sampled_from(b"/admin"), max_size=20), st.data())
def test_escaping_letters_of_a_path_changes_no_decision(characters: list[int], data: st.DataObject) -> None:
    plain = b"/" + bytes(characters)
    forms = [[b"%c" % each, b"%%%02x" % each, b"%%%02X" % each] for each in plain[1:]]
    escaped = [form[:1] if form[0] == b"/" else form for form in forms]
    written = b"/" + b"".join(data.draw(st.sampled_from(choices)) for choices in escaped)
    first, second = arriving(plain), arriving(written)
    assert first is not None
    assert first == second


@pytest.mark.parametrize("written", ["/%61dmin/x", "//admin/x", "/a/%2e%2e/admin/x"])
def test_path_that_a_transformation_writes_meets_the_guard(written: str) -> None:
    mover = post_plan(phase="pre", request=message((":path", written)), recalculate=True)
    moving = open_route(
        name="moving", matches=(RouteMatch(paths=(PathMatch("prefix", "/m"),)),), transformations=("t",)
    )
    talk = Talk(config(moving, *guarded(GUARDS[0]), transformations=(mover,)), request("GET", "/m"))
    assert talk.reply.status == 401


@pytest.mark.parametrize("written", ["/a%00", "/a%zz", "/a/..%2Fadmin"])
def test_path_without_a_form_is_written_by_no_transformation(written: str) -> None:
    mover = post_plan(request=message((":path", written)))
    talk = Talk(config(open_route(transformations=("t",)), transformations=(mover,)), request("GET", "/m"))
    assert talk.reply.status == 400
    assert talk.reply.reason == "unsafe_rendering"


@pytest.mark.parametrize(
    ("rewrite", "target", "expected"),
    [
        (RegexRewrite("^/api(.*)$", "/v1/\\1"), "/api/x", b"/v1/x"),
        (RegexRewrite("^/api(.*)$", "/%61\\1"), "/api/x", b"/a/x"),
        (RegexRewrite("^/api/(.*)$", "/v1?path=\\1"), "/api/x", b"/v1?path=x"),
        (PrefixRewrite("/v1//"), "/x", b"/v1/x"),
    ],
)
def test_rewritten_path_is_brought_into_the_form(
    rewrite: PrefixRewrite | RegexRewrite, target: str, expected: bytes
) -> None:
    served = config(open_route(forward(path_rewrite=rewrite)), upstreams=(UPSTREAM,))
    assert expected == Talk(served, request("GET", target)).outgoing.target


@pytest.mark.parametrize("substitution", ["/v1/%\\1", "/v1/..%2F\\1", "/v1/../\\1"])
def test_rewritten_path_without_a_form_is_refused(substitution: str) -> None:
    rewrite = RegexRewrite("^/(.*)$", substitution)
    talk = Talk(config(open_route(forward(path_rewrite=rewrite))), request("GET", "/x"))
    assert isinstance(talk.step, Reply)
    assert talk.reply.reason == "bad_target"
