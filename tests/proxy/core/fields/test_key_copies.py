"""No provider sees a caller's key (invariant 3): copies in other headers, cookies and the query end here too."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proxy.core.conversation import (
    KEY,
    TOKEN,
    Talk,
    auth_plan,
    config,
    credential,
    key_step,
    post_plan,
    request,
    route,
)
from tests.proxy.core.test_observer import Notes
from wardgate.ir import (
    AuthPlan,
    BasicAuthStep,
    BasicUser,
    Digest,
    Extractor,
    GatewayConfig,
    HeaderTemplate,
    Hmac,
    MessageTemplate,
    MetadataHeader,
    TransformationPlan,
)
from wardgate.proxy.core.fields.key_copies import remove_copies
from wardgate.sensitive import Sensitive

K = KEY.decode()
OLD = b"callers-old-key"
SHORT = b"k3y"


def basic(pair: str) -> str:
    return b64encode(pair.encode()).decode()


def served(*plans: TransformationPlan, plan: AuthPlan | None = None, **changes: Any) -> GatewayConfig:
    names = tuple(each.name for each in plans)
    return config(route(transformations=names), transformations=plans, auth_plans=(plan or auth_plan(),), **changes)


def sent(*headers: tuple[str, str], **changes: Any) -> dict[str, str]:
    """The headers that go upstream of a request with the key in ``api-key`` and these headers; no Host, no token."""
    everything = Talk(served(**changes), request("GET", "/", ("api-key", KEY), *headers)).sent
    return {name: value for name, value in everything.items() if name != "host" and value != TOKEN}


def target(path: str, key: bytes = KEY, **changes: Any) -> str:
    return Talk(served(**changes), request("GET", path, ("api-key", key))).outgoing.target.decode()


# -- headers

COPIES = [
    K,
    f"Bearer {K}",
    f"bearer {K}",
    f"BEARER    {K}",
    f"Token {K}",
    f"ApiKey {K}",
    f"AnyScheme {K}",
    f'Token token="{K}"',
    f"Basic {basic('user:' + K)}",
    f"BASIC {basic(K + ':')}",
    f"basic {basic(':' + K)}",
    f"Basic {basic(K)}",
    f"Basic {basic('u:' + K).rstrip('=')}",
]
CARRIERS = [
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "proxy-authorization",
    "ocp-apim-subscription-key",
    "x-made-up",
]


@pytest.mark.parametrize("value", COPIES)
@pytest.mark.parametrize("name", CARRIERS)
def test_header_that_holds_the_key_is_removed(name: str, value: str) -> None:
    assert {} == sent((name, value))


@pytest.mark.parametrize(
    "value",
    [
        f"https://app.example/chat?api_key={K}&x=1",
        "https://app.example/?auth=Bearer%20" + K,
        "https://app.example/?k=" + K.replace("-", "%2D"),
        f"realtime, openai-insecure-api-key.{K}, openai-beta.realtime-v1",
        f'{{"key":"{K}"}}',
    ],
)
def test_header_that_quotes_the_key_is_removed(value: str) -> None:
    assert {} == sent(("referer", value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "Bearer of-the-provider"),
        ("authorization", f"Basic {basic('user:password')}"),
        ("authorization", "Basic ???"),
        ("authorization", "Basic A"),
        ("x-api-key", "of-the-provider"),
        ("x-note", f"{K}s"),
        ("x-note", f"a{K}"),
        ("x-note", f"team-{K}"),
        ("x-note", f"{K}_2"),
        ("x-note", "100%"),
        ("x-note", "basic english"),
        ("x-note", ""),
        ("cookie", "a=b; c=d"),
    ],
)
def test_header_that_holds_no_key_goes_on_as_it_is(name: str, value: str) -> None:
    plan = auth_plan(key_step(metadata_headers=()))
    assert {name: value} == sent((name, value), plan=plan)


def test_only_the_copy_of_a_repeated_header_is_removed() -> None:
    assert {"x-a": "1|2"} == sent(("x-a", "1"), ("x-a", K), ("x-a", "2"))


def test_header_with_the_key_in_a_policy_without_metadata_leaves_an_empty_list() -> None:
    assert {} == sent(plan=auth_plan(key_step(metadata_headers=())))


def test_key_in_authorization_is_removed_from_other_headers_without_its_scheme() -> None:
    plan = auth_plan(key_step(header="authorization"))
    talk = Talk(
        served(plan=plan), request("GET", f"/?key={K}", ("authorization", f"Bearer {K}"), ("x-goog-api-key", K))
    )
    assert ({"host": "gw.example", "x-api-key": TOKEN}, b"/") == (talk.sent, talk.outgoing.target)


def test_key_that_begins_with_a_scheme_is_removed_without_it_too() -> None:
    talk = Talk(
        served(credentials=(credential(b"Bearer abcdefgh"),)),
        request("GET", "/", ("api-key", "Bearer abcdefgh"), ("authorization", "Bearer abcdefgh"), ("x-b", "abcdefgh")),
    )
    assert {"host": "gw.example", "x-api-key": TOKEN} == talk.sent


@pytest.mark.parametrize(
    ("value", "stays"),
    [
        ("k3y", False),
        ("Bearer k3y", False),
        ('Token token="k3y"', False),
        (f"Basic {basic('u:k3y')}", False),
        ("a k3y to b", True),
        ("x.k3y", True),
    ],
)
def test_short_key_must_be_the_whole_value(value: str, *, stays: bool) -> None:
    talk = Talk(served(credentials=(credential(SHORT),)), request("GET", "/", ("api-key", SHORT), ("x-note", value)))
    assert stays is ("x-note" in talk.sent)


# -- cookies


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (f"a=b; key={K}; c=d", "a=b; c=d"),
        (f"key={K}; c=d", "c=d"),
        (f"a=b; key={K}", "a=b"),
        (f'a=b;key="{K}"', "a=b"),
        (f"a=b; auth=Bearer%20{K}", "a=b"),
        (f"a=b; auth=Basic {basic('u:' + K)}", "a=b"),
        (f"a=b; {K}", "a=b"),
        (f"a=b; {K}=1", "a=b"),
        (f"a=b; note={K}s", f"a=b; note={K}s"),
    ],
)
def test_only_the_cookie_that_holds_the_key_is_removed(given: str, left: str) -> None:
    assert {"cookie": left} == sent(("cookie", given))


def test_cookie_header_of_the_key_alone_is_removed() -> None:
    assert {} == sent(("cookie", f"key={K}"))


# -- the query


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (f"?key={K}", ""),
        (f"?api_key={K}&a=1", "?a=1"),
        (f"?a=1&b={K}&c=%20x", "?a=1&c=%20x"),
        (f"?a=1&b=Bearer+{K}", "?a=1"),
        (f"?a=1&b=Bearer%20{K}", "?a=1"),
        ("?a=1&b=" + "".join(f"%{byte:02x}" for byte in KEY), "?a=1"),
        (f"?a=1&b=basic%20{basic(K + ':').replace('=', '%3D')}", "?a=1"),
        (f"?a=1&{K}", "?a=1"),
        (f"?a=1&{K}=", "?a=1"),
        (f"?a=1&b[{K}]=2", "?a=1"),
        (f"?a=1&b={K}s", f"?a=1&b={K}s"),
        ("?a=1&&b=%zz+", "?a=1&&b=%zz+"),
        ("?", "?"),
        ("", ""),
    ],
)
def test_only_the_parameter_that_holds_the_key_is_removed(given: str, left: str) -> None:
    assert "/p" + left == target("/p" + given)


@pytest.mark.parametrize("written", ["a+b/c+d==", "a%2Bb%2Fc%2Bd%3D%3D"])
def test_parameter_with_a_plus_of_the_key_is_removed(written: str) -> None:
    key = b"a+b/c+d=="
    assert "/?x=y" == target(f"/?key={written}&x=y", key, credentials=(credential(key),))


@pytest.mark.parametrize("written", ["my+secret+key", "my%20secret%20key"])
def test_parameter_with_a_blank_of_the_key_is_removed(written: str) -> None:
    key = b"my secret key"
    assert "/?x=y" == target(f"/?key={written}&x=y", key, credentials=(credential(key),))


@pytest.mark.parametrize(
    ("given", "left"),
    [("?a=k3y&b=1", "?b=1"), ("?a[b]=k3y&b=1", "?b=1"), ("?a=Bearer+k3y", ""), ("?q=a+k3y+b", "?q=a+k3y+b")],
)
def test_short_key_must_be_the_whole_parameter(given: str, left: str) -> None:
    assert "/" + left == target("/" + given, SHORT, credentials=(credential(SHORT),))


# -- wherever it may be

schemes = st.sampled_from(
    ["", "Bearer ", "bearer  ", "BEARER ", "Token token=", "Key:", 'x="', "{", "a.", "https://a/?k="]
)


@st.composite
def written(draw: st.DrawFn) -> str:
    """A text that holds the key, in any of the ways that a reader undoes."""
    text = draw(schemes) + K + draw(st.sampled_from(["", '"', "}", "&b=1", "/", " and more", ", x"]))
    if draw(st.booleans()):
        pair = draw(st.sampled_from(["", "u", "u@x.example", "a b"])) + ":" + K
        text = draw(st.sampled_from(["Basic ", "basic ", "BASIC   "])) + basic(pair)
    escaped = draw(st.sets(st.integers(0, len(text) - 1), max_size=8))
    return "".join(f"%{ord(char):02x}" if place in escaped else char for place, char in enumerate(text))


CREDENTIALS = ["authorization", "x-api-key", "x_api_key", "referer", "x-request-id", "cookie", "sec-websocket-protocol"]
headers = st.tuples(st.sampled_from(CREDENTIALS), written())


@given(st.lists(headers, max_size=4), st.lists(st.tuples(st.sampled_from(["key", "q", ""]), written()), max_size=3))
def test_key_is_never_sent_on(others: list[tuple[str, str]], query: list[tuple[str, str]]) -> None:
    asked = "&".join(f"{name}={value}".replace(" ", "+").replace("#", "") for name, value in query)
    plan = auth_plan(key_step(metadata_headers=()))
    outgoing = Talk(served(plan=plan), request("GET", f"/?{asked}", *others, ("api-key", KEY))).outgoing
    texts = [outgoing.target, *(value for _, value in outgoing.headers)]
    assert [] == [text for text in texts if KEY in unquote_to_bytes(text) or encoded_key(text)]


def encoded_key(text: bytes) -> bool:
    """Whether a word of the text is the base64 of a pair with the key."""
    words = re.findall(rb"[0-9A-Za-z+/]{12,}", unquote_to_bytes(text))
    return any(KEY in b64decode(word + b"==") for word in words if len(word) % 4 != 1)


# -- other keys of the policy


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"realtime, openai-insecure-api-key.{K}, openai-beta.realtime-v1", "realtime, openai-beta.realtime-v1"),
        (f"openai-insecure-api-key.{K},realtime", "realtime"),
        (f"{K}, realtime", "realtime"),
        (f"realtime,\topenai-insecure-api-key.{OLD.decode()}", "realtime"),
        (f"realtime, {OLD.decode()}", "realtime"),
        ("realtime, v1.x-y", "realtime, v1.x-y"),
        (", ".join(map(str, range(33))), ", ".join(map(str, range(32)))),
    ],
)
@pytest.mark.parametrize("name", ["sec-websocket-protocol", "sec_websocket_protocol"])
def test_subprotocols_that_hold_no_key_stay(name: str, value: str, expected: str) -> None:
    both = (credential(), credential(OLD, name="old", expires_at=1))
    assert {name: expected} == sent((name, value), credentials=both)


@pytest.mark.parametrize("value", [f"openai-insecure-api-key.{K}", f"a.{OLD.decode()}", K])
def test_subprotocol_that_is_a_key_takes_its_header_with_it(value: str) -> None:
    assert {} == sent(("sec-websocket-protocol", value), credentials=(credential(), credential(OLD, name="old")))


def test_key_with_a_comma_takes_its_header_with_it_too() -> None:
    key = b"callers,key,with,commas"
    talk = Talk(
        served(credentials=(credential(key),)),
        request("GET", "/", ("api-key", key), ("sec-websocket-protocol", b"realtime, x." + key)),
    )
    assert "sec-websocket-protocol" not in talk.sent


def test_subprotocol_is_searched_for_a_short_key_behind_its_name() -> None:
    plan = Talk(
        served(credentials=(credential(SHORT),)),
        request("GET", "/", ("api-key", SHORT), ("sec-websocket-protocol", "realtime, key.k3y, key.k3ys")),
    )
    assert "realtime, key.k3ys" == plan.sent["sec-websocket-protocol"]


@pytest.mark.parametrize("value", [OLD.decode(), f"Bearer {OLD.decode()}", f"Basic {basic('u:' + OLD.decode())}"])
def test_other_key_of_the_policy_is_removed_from_credential_headers(value: str) -> None:
    both = (credential(), credential(OLD, name="old", expires_at=1))
    assert {"x-made-up": value} == sent(("authorization", value), ("x-made-up", value), credentials=both)


def test_other_key_of_the_policy_is_removed_from_credential_headers_in_another_spelling() -> None:
    plan = auth_plan(key_step(metadata_headers=()))
    assert {} == sent(("x_goog_api_key", OLD.decode()), plan=plan, credentials=(credential(), credential(OLD)))


@pytest.mark.parametrize("name", ["key", "api_key", "Api-Key", "access_token", "token", "%6bey"])
def test_other_key_of_the_policy_is_removed_from_credential_parameters(name: str) -> None:
    both = (credential(), credential(OLD, name="old"))
    assert "/?q=callers-old-key" == target(f"/?{name}=callers-old-key&q=callers-old-key", credentials=both)


# -- steps


def test_keys_of_all_steps_are_removed() -> None:
    steps = (key_step(name="a"), key_step(name="b", header="second-key", key_set="second"))
    keys = (credential(), credential(OLD, name="second", key_set="second"))
    old = OLD.decode()
    talk = Talk(
        served(plan=auth_plan(*steps), credentials=keys),
        request("GET", f"/?a={K}&b={old}", ("api-key", K), ("second-key", old), ("x-a", K), ("x-b", old)),
    )
    assert ({"host": "gw.example", "x-api-key": TOKEN}, b"/") == (talk.sent, talk.outgoing.target)


@pytest.mark.parametrize(
    ("stored", "digest"),
    [
        (Digest(), None),
        (Hmac(Sensitive("shared")), hmac.new(b"shared", KEY, "sha256").hexdigest()),
    ],
)
def test_key_of_which_only_a_digest_is_stored_is_removed(stored: Digest | Hmac, digest: str | None) -> None:
    held = credential() if digest is None else credential(digest=digest)
    assert {} == sent(("authorization", f"Bearer {K}"), plan=auth_plan(key_step(stored=stored)), credentials=(held,))


PASSWORD = "correct-horse"
USERS = (BasicUser("ada", Sensitive(""), Sensitive("NstYn3QVe0WBGmkMWLQ0CV9I6fo=")),)


@pytest.mark.parametrize(
    "value",
    [
        PASSWORD,
        f"Basic {basic('ada:' + PASSWORD)}",
        f"Basic {basic('other:' + PASSWORD)}",
        basic("ada:" + PASSWORD),
        f"Bearer {PASSWORD}",
    ],
)
def test_password_is_removed_wherever_it_stands(value: str) -> None:
    plan = auth_plan(BasicAuthStep("config_0", "r", "sha1", USERS))
    arrived = request(
        "GET",
        "/?pass=" + PASSWORD,
        ("authorization", f"Basic {basic('ada:' + PASSWORD)}"),
        ("x-a", value),
        ("x-api-key", "of-the-provider"),
    )
    talk = Talk(served(plan=plan), arrived, observer=Notes())
    assert ({"host": "gw.example", "x-api-key": "of-the-provider"}, b"/") == (talk.sent, talk.outgoing.target)


# -- policies


def test_policy_that_forwards_the_key_forwards_its_copies() -> None:
    talk = Talk(
        served(plan=auth_plan(forward_credential=True)),
        request("GET", f"/?key={K}", ("api-key", K), ("authorization", f"Bearer {K}"), ("cookie", f"a={K}")),
    )
    expected = {
        "api-key": K,
        "authorization": f"Bearer {K}",
        "cookie": f"a={K}",
        "x-api-key": TOKEN,
        "host": "gw.example",
    }
    assert (expected, f"/?key={K}".encode()) == (talk.sent, talk.outgoing.target)


def test_tenants_policy_that_forwards_keys_forwards_no_other_key_that_is_only_shared_with_it() -> None:
    both = (credential(shared_with=("apps",)), credential(OLD, name="old", shared_with=("apps",)))
    plan = auth_plan(forward_credential=True, owner="apps")
    assert {} == sent(("authorization", f"Bearer {OLD.decode()}"), plan=plan, credentials=both)


def test_copy_that_a_template_made_before_authentication_is_removed() -> None:
    copies = post_plan(
        phase="pre",
        request=MessageTemplate(
            headers=(
                HeaderTemplate("x-copy", '{{ header("api-key") }}'),
                HeaderTemplate(":path", '/a?b=1&key={{ header("api-key") }}'),
            )
        ),
    )
    talk = Talk(served(copies), request("GET", "/", ("api-key", K)))
    assert ({"host": "gw.example", "x-api-key": TOKEN}, b"/a?b=1") == (talk.sent, talk.outgoing.target)


def test_token_that_equals_the_key_is_put_on() -> None:
    token = post_plan(request=MessageTemplate(headers=(HeaderTemplate("authorization", f"Bearer {K}"),)))
    talk = Talk(served(token, credentials=(credential(metadata={"token": K}),)), request("GET", "/", ("api-key", K)))
    assert {"host": "gw.example", "x-api-key": K, "authorization": f"Bearer {K}"} == talk.sent


def test_refused_request_is_answered_as_before() -> None:
    assert "key_unknown" == Talk(served(), request("GET", "/?key=no", ("api-key", "no"), ("x-a", "no"))).reply.reason


# -- what is said of it


def test_observer_is_told_that_authentication_removed_the_copies() -> None:
    notes = Notes()
    arrived = request(
        "GET", f"/?key={K}&a=1", ("api-key", K), ("authorization", f"Bearer {K}"), ("cookie", f"a={K};b=c")
    )
    Talk(served(), arrived, observer=notes)
    assert [("authentication", "api-key"), ("authentication", "authorization")] == notes.removed
    assert [
        ("authentication", ":path", b"/?a=1", False),
        ("authentication", "cookie", b"b=c", True),
        ("authentication", "x-api-key", TOKEN.encode(), True),
    ] == notes.set


def test_key_without_its_scheme_is_secret_to_an_observer() -> None:
    notes = Notes()
    plan = auth_plan(key_step(header="authorization"))
    extractor = Extractor("k", "authorization", "Bearer (.*)", "EXTRACT", 1, None)
    copies = post_plan(
        phase="pre", request=MessageTemplate(extractors=(extractor,), headers=(HeaderTemplate("x-copy", "{{ k }}"),))
    )
    Talk(served(copies, plan=plan), request("GET", "/", ("authorization", f"Bearer {K}")), observer=notes)
    assert [True] == [secret for _, name, _, secret in notes.set if name == "x-copy"]


def test_error_of_a_template_does_not_quote_the_key() -> None:
    message = MessageTemplate(
        extractors=(Extractor("z", "x-z", ".*", "EXTRACT"),),
        headers=(HeaderTemplate("x-a", "{{ at(context(), body()) }}"),),
        parse_body="DontParse",
    )
    talk = Talk(served(post_plan(request=message)), request("POST", "/", ("api-key", K), body=True)).body(KEY)
    assert b"key '<redacted>' not found" in talk.reply.body


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"/v1/{K}/models", "/v1/<redacted>/models"),
        ("/v1/" + K.replace("-", "%2d"), "<redacted>"),
        ("/v1/a%2db", "/v1/a%2db"),
        ("/v1/models", "/v1/models"),
    ],
)
def test_log_of_a_request_does_not_show_the_key(text: str, shown: str) -> None:
    assert shown == Talk(served(), request("GET", "/", ("api-key", K))).exchange.redacted(text)


def test_metadata_header_is_not_searched() -> None:
    plan = auth_plan(key_step(metadata_headers=(MetadataHeader("x-echo", "echo"),)))
    held = credential(metadata={"echo": f"token {K}"})
    assert {"x-echo": f"token {K}"} == sent(plan=plan, credentials=(held,))


def test_of_thousands_of_parameters_those_that_show_the_key_are_removed_and_few_others_taken_apart() -> None:
    asked: list[bytes] = []
    many = [f"key=a{at}" for at in range(10_000)]
    arrived = request("GET", "/?" + "&".join([*many, f"x={K}", "token=old", "y=1"]))

    def knows(text: bytes) -> bool:
        asked.append(text)
        return False

    remove_copies(arrived, KEY, knows=knows, named=False)
    assert ("&".join([*many, "token=old", "y=1"]).encode(), 1000) == (arrived.query, len(asked))
