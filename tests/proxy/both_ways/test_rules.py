"""What is remembered outlives no rule: each change counts for the very next request, on warm connections too.

Every conversation is played both ways and must be the same. ``fast`` says how many of its requests took the fast way,
so that none of these tests passes because nothing was remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.proxy.both_ways.events import Apply, Connect, Conversation, Deliver, Event, Pass, Response, Send
from tests.proxy.both_ways.keys import GOOD, SECOND
from tests.proxy.both_ways.marks import mark
from tests.proxy.both_ways.oracle import compare
from tests.proxy.both_ways.stage import Transcript
from tests.proxy.both_ways.worlds import CLEAR, MAIN, OTHER, World

WORLD = World(only=("plain", "prefixed", "host", "shared", "bearer", "second-open", "weighted", "shaped"))
HELD = Response((b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",), held=True)


def get(path: bytes = b"/plain", *, key: bytes = GOOD, caller: int = 1, host: bytes = b"gw.example") -> Send:
    head = b"GET %b HTTP/1.1\r\nHost: %b\r\nUser-Agent: client\r\napi-key: %b\r\n\r\n"
    return Send(caller, head % (path, host, key))


def played(*events: Event, world: World = WORLD, tight: bool = False) -> Transcript:
    responses = {mark(1, 1): HELD}
    compared = compare(Conversation((Connect(1), *events), world, responses, tight=tight))
    assert () == compared.differences
    return compared.fast


def statuses(transcript: Transcript) -> list[object]:
    return [line["status"] for line in transcript.lines]


def sent(transcript: Transcript) -> list[bytes]:
    """Heads that went upstream, one for each request."""
    steps = (step for step in transcript.steps if isinstance(step.event, Send))
    return [b"".join(data for name, data in step.written.items() if name.startswith("u")) for step in steps]


def test_revoked_key_is_refused_with_the_next_request() -> None:
    revoked = Apply(replace(WORLD, keys=WORLD.keys - {"good"}))
    done = played(get(), get(), get(), revoked, get(), Apply(WORLD), get())
    assert ([200, 200, 200, 401, 200], 4) == (statuses(done), done.fast)


def test_revoked_key_leaves_other_keys_their_requests() -> None:
    revoked = Apply(replace(WORLD, keys=WORLD.keys - {"good"}))
    done = played(get(), get(key=SECOND), get(), revoked, get(key=SECOND), get())
    assert ([200, 200, 200, 200, 401], 4) == (statuses(done), done.fast)


def test_key_is_refused_at_the_second_of_its_expiry() -> None:
    expiring = get(key=b"caller-key-expiring")
    # An idle connection to the upstream ends after 50 s, so each is warmed anew.
    done = played(expiring, Pass(99.0), expiring, expiring, Pass(0.75), expiring, Pass(0.25), expiring)
    assert ([200, 200, 200, 200, 401], 2) == (statuses(done), done.fast)


def test_expiry_that_was_moved_counts_at_once() -> None:
    expiring, sooner = get(key=b"caller-key-expiring"), Apply(replace(WORLD, expiring=10))
    done = played(expiring, Pass(20.0), expiring, sooner, expiring)
    assert ([200, 200, 401], 1) == (statuses(done), done.fast)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda world: replace(world, closed=frozenset({"prefixed"})), 500),
        (lambda world: replace(world, keys=frozenset()), 401),
        (lambda world: replace(world, confined=True), 403),
        (lambda world: replace(world, only=("plain",)), 404),
    ],
    ids=["closed", "no keys", "confined", "gone"],
)
def test_change_that_closes_a_route_counts_for_the_next_request(
    change: Callable[[World], World], expected: int
) -> None:
    request = get(b"/prefixed/a")
    done = played(request, request, request, Apply(change(WORLD)), request, Apply(WORLD), request, request)
    assert [200, 200, 200, expected, 200, 200] == statuses(done)
    assert done.fast >= 3


def test_path_is_rewritten_as_the_config_in_force_says() -> None:
    request = get(b"/prefixed/a")
    done = played(request, request, Apply(replace(WORLD, rewrite="/v2")), request, request)
    assert [b"/v1/a", b"/v1/a", b"/v2/a", b"/v2/a"] == [head.split(b" ")[1] for head in sent(done)]
    assert 3 == done.fast


def test_token_is_that_of_the_config_in_force() -> None:
    done = played(get(), get(), Apply(replace(WORLD, token="hf_new_token")), get(), get())
    tokens = [head.split(b"x-api-key: ")[1].split(b"\r\n")[0] for head in sent(done)]
    assert [b"hf_provider_token", b"hf_provider_token", b"hf_new_token", b"hf_new_token"] == tokens
    assert 3 == done.fast


def test_header_that_is_taken_off_anew_is_sent_no_more_and_on_other_routes_it_is() -> None:
    other = get(b"/host")
    done = played(get(), get(), other, Apply(replace(WORLD, stripped=True)), get(), get(), other)
    assert [True, True, True, False, False, True] == [b"user-agent: client\r\n" in head for head in sent(done)]
    assert done.fast >= 3


def test_matcher_that_is_added_counts_for_the_next_request() -> None:
    done = played(get(), get(), Apply(replace(WORLD, matched=True)), get())
    assert ([200, 200, 404], 1) == (statuses(done), done.fast)


def test_token_that_is_shared_no_more_serves_no_tenant() -> None:
    request = get(b"/shared", key=b"caller-key-shared")
    done = played(request, request, Apply(replace(WORLD, confined=True)), request)
    assert ["", "", "token_not_shared"] == [line["reason"] for line in done.lines]
    assert 1 == done.fast


def test_token_that_was_not_shared_serves_no_tenant_beside_one_that_was() -> None:
    shared, unshared = get(b"/shared", key=b"caller-key-shared"), get(b"/shared")
    done = played(shared, shared, unshared, shared, unshared)
    assert ["", "", "token_not_shared", "", "token_not_shared"] == [line["reason"] for line in done.lines]
    assert 2 == done.fast


def test_token_that_is_bound_to_hosts_goes_to_no_other() -> None:
    bound = get(key=b"caller-key-bound", host=b"hf.example")
    elsewhere = replace(bound, data=bound.data.replace(b"/plain", b"/host"))
    done = played(bound, bound, elsewhere, bound)
    assert ["", "", "token_bound_elsewhere", ""] == [line["reason"] for line in done.lines]
    assert 2 == done.fast


def test_caller_that_has_its_share_is_refused_on_a_warm_connection() -> None:
    """The limit is two connections to an endpoint, of which a caller may have one."""
    marked = get().data.replace(b"\r\n\r\n", b"\r\nx-mark: " + mark(1, 1) + b"\r\n\r\n")
    others = Connect(2, address="198.51.100.9"), get(caller=2, key=SECOND), get(caller=2, key=SECOND)
    own = Connect(3, address="198.51.100.9")
    done = played(get(), Send(1, marked), *others, own, get(caller=3), Deliver(), get(caller=3), tight=True)
    assert [200, 200, 200, 429, 200, 200] == statuses(done)
    assert done.fast >= 2


def test_nothing_remembered_of_one_listener_counts_on_another() -> None:
    """The same bytes: guarded here, open and elsewhere there, and sent to https at a third one."""
    callers = [Connect(1, MAIN), Connect(2, OTHER), Connect(3, CLEAR)]
    turns = [get(caller=caller) for _ in range(4) for caller in (1, 2, 3)]
    done = played(*callers, *turns)
    assert [200, 200, 301] * 4 == statuses(done)
    assert ["hf", "named", ""] * 4 == [line["upstream"] for line in done.lines]
    assert 3 == done.fast


def test_key_of_one_listeners_users_is_none_of_anothers() -> None:
    second = get(b"/second-open", caller=2)
    forged = replace(second, data=second.data.replace(b"api-key", b"x-second"))
    rightful = replace(forged, data=forged.data.replace(GOOD, SECOND))
    done = played(get(), get(), Connect(2, OTHER), rightful, rightful, forged)
    assert ([200, 200, 200, 200, 401], 4) == (statuses(done), done.fast)


def test_nothing_remembered_of_one_host_counts_on_another() -> None:
    """``other.example`` has a route at the same path that reads another header and other keys."""
    there = get(host=b"other.example")
    bearer = replace(there, data=there.data.replace(b"api-key: ", b"authorization: Bearer "))
    done = played(get(), get(), there, bearer, bearer, get())
    assert [200, 200, 401, 200, 200, 200] == statuses(done)
    assert 3 == done.fast


def test_listener_that_is_gone_serves_no_remembered_request() -> None:
    rightful = get(b"/second-open", caller=2, key=SECOND)
    rightful = replace(rightful, data=rightful.data.replace(b"api-key", b"x-second"), begins=False)
    done = played(Connect(2, OTHER), rightful, rightful, Apply(replace(WORLD, without_other=True)), rightful)
    assert [200, 200, 404] == statuses(done)
    assert 1 == done.fast


def post(body: bytes, *, agent: bytes = b"client/1", marked: bytes = b"") -> Send:
    """A request to the route whose plans read a field and the body, choose a destination and change the response."""
    head = b"POST /shaped HTTP/1.1\r\nHost: gw.example\r\nUser-Agent: %b\r\napi-key: %b\r\nContent-Length: %d\r\n%b\r\n"
    return Send(1, head % (agent, GOOD, len(body), b"x-mark: %b\r\n" % marked if marked else b"") + body)


def test_what_plans_make_of_fields_and_bodies_is_made_of_each_request() -> None:
    bodies = [b'{"model": "a"}', b'{"model": "b"}', b"{}", b'{"model": "c"}', b"[]"]
    requests = [post(body, agent=agent) for body in bodies for agent in (b"client/1", b"other/1")]
    done = played(*requests, *requests)
    assert [200, 200, 200, 200, 400, 400, 200, 200, 400, 400] * 2 == statuses(done)
    assert done.fast >= 10
    assert b'{"agent": "other", "of": "c"}' == sent(done)[-3][-29:]


def test_key_that_was_revoked_opens_no_route_with_plans() -> None:
    request = post(b'{"model": "a"}')
    revoked = Apply(replace(WORLD, keys=WORLD.keys - {"good"}))
    done = played(*[request] * 6, revoked, request, Apply(WORLD), request)
    assert [200] * 6 + [401, 200] == statuses(done)
    assert done.fast >= 3


def test_destinations_get_their_weights_on_warm_connections() -> None:
    done = played(*[get(b"/weighted")] * 60)
    upstreams = [line["upstream"] for line in done.lines]
    assert upstreams.count("hf") < upstreams.count("svc") < upstreams.count("named")
    assert done.fast >= 55


@pytest.mark.parametrize("end", ["close", "reset"])
def test_upstream_that_is_lost_is_asked_again_with_what_plans_have_made(end: str) -> None:
    request, marked = post(b'{"model": "a"}'), post(b'{"model": "a"}', marked=mark(1, 1))
    responses = {
        mark(1, 1): Response((b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\ncontent-length: 9\r\n\r\nabc",), end=end)
    }
    compared = compare(Conversation((Connect(1), *[request] * 8, marked), WORLD, responses))
    assert () == compared.differences
    assert compared.fast.fast >= 4
