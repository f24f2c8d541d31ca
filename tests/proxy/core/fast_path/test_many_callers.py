"""A caller who comes for the first time costs no exchange, where it is known what becomes of other keys of the kind."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proxy.core.fast_path.both import INJECT, TOKEN, Both, config, credential, everything_in, get, plan, route
from wardgate.ir import (
    ApiKeyStep,
    AppendedHeader,
    AuthPlan,
    Credential,
    DynamicMetadataValue,
    Endpoint,
    Extractor,
    Forward,
    GatewayConfig,
    HeaderTemplate,
    MessageTemplate,
    MetadataEntry,
    MetadataHeader,
    PathMatch,
    Route,
    RouteMatch,
    TransformationPlan,
    Upstream,
    WeightedUpstream,
)
from wardgate.proxy.core.auth.credential_index import CompiledCredential, CredentialIndex
from wardgate.proxy.core.auth.kinds import kind_of
from wardgate.proxy.core.fast_path.bounded import Bounded
from wardgate.sensitive import Sensitive

CALLERS = 20


def key(number: int) -> bytes:
    return b"sk-of-caller-%02d" % number


def entry(name: str, value: str) -> MetadataEntry:
    return MetadataEntry(name, Sensitive(value))


def callers(count: int = CALLERS, **changes: object) -> tuple[Credential, ...]:
    given = [
        credential(key(number).decode(), f"caller-{number}", metadata=(entry("token", f"token-{number}"),))
        for number in range(count)
    ]
    return tuple(replace(each, **changes) for each in given)  # type: ignore[arg-type]


def request(number: int, *lines: bytes, start: bytes = b"GET /v1/chat HTTP/1.1") -> bytes:
    return get(b"accept: a", b"api-key: " + key(number), *lines, start=start)


def assert_all_leave_as_ever(both: Both, *lines: bytes, count: int = CALLERS) -> None:
    for number in range(count):
        expected = both.general(request(number, *lines))
        assert expected is not None
        assert [expected] * 2 == [both.fast(request(number, *lines)) for _ in range(2)]


def message(**changes: object) -> TransformationPlan:
    return replace(INJECT, request=replace(MessageTemplate(), **changes))  # type: ignore[arg-type]


ALL = Extractor("token", "x-token", ".*")
COPYING = {
    "a header": INJECT,
    "nothing": message(),
    "an extraction": message(extractors=(ALL,), headers=(HeaderTemplate("x-a", "Bearer {{ token }}"),)),
    "an extraction by a group": message(
        extractors=(replace(ALL, regex="(.*)", subgroup=1),), headers=(HeaderTemplate("x-a", "{{ token }}!"),)
    ),
    "several": message(
        append=(
            AppendedHeader("x-a", '<{{ header("x-token") }}{{ request_header("X-Token") }}>{{ header("accept") }}'),
        )
    ),
    "in its own place": message(
        headers=(HeaderTemplate("x-token", '{{ header("x-token") }}-{{ header("x-token") }}'),)
    ),
    "by what a caller says": message(
        headers=(HeaderTemplate("x-a", '{% if header("accept") == "a" %}yes{% else %}no{% endif %}'),)
    ),
}


@pytest.mark.parametrize("transformation", COPYING.values(), ids=COPYING.keys())
def test_only_the_first_caller_is_asked_about(transformation: TransformationPlan) -> None:
    both = Both(config(transformations=(transformation,)), callers())
    assert_all_leave_as_ever(both)
    assert 2 == both.lane.known.asked


def test_form_outlives_an_index_of_keys() -> None:
    both = Both(credentials=callers())
    assert_all_leave_as_ever(both)
    both.index = CredentialIndex.of(callers(metadata=(entry("token", "another"),)))
    both.lane.renew(both.index)
    assert_all_leave_as_ever(both)
    assert 2 == both.lane.known.asked


def test_user_id_is_the_callers_own() -> None:
    named = config()
    named = replace(named, upstreams=(Upstream("provider", (Endpoint("a.example", 80),), send_user_id=True),))
    both = Both(named, callers())
    assert_all_leave_as_ever(both)
    assert 2 == both.lane.known.asked


LOOKING = {
    "a comparison": message(
        headers=(
            HeaderTemplate("x-a", '{% if header("x-token") == "token-7" %}seven{% endif %}{{ header("x-token") }}'),
        )
    ),
    "a length": message(headers=(HeaderTemplate("x-a", '{{ length(header("x-token")) }}'),)),
    "upper case": message(headers=(HeaderTemplate("x-a", '{{ upper(header("x-token")) }}'),)),
    "an expression": message(
        extractors=(replace(ALL, regex="token-(1.*)", subgroup=1),), headers=(HeaderTemplate("x-a", "<{{ token }}>"),)
    ),
    "a replacement": message(
        extractors=(replace(ALL, mode="SINGLE_REPLACE", regex=".*7", replacement="b"),),
        headers=(HeaderTemplate("x-a", "<{{ token }}>"),),
    ),
    "metadata": message(
        dynamic_metadata=(DynamicMetadataValue("ns", "a", '{{ header("x-token") }}'),),
        headers=(HeaderTemplate("x-a", '{{ dynamic_metadata("a", "ns") }}'),),
    ),
    "metadata that nobody reads": message(
        dynamic_metadata=(DynamicMetadataValue("ns", "a", '{{ header("x-token") }}'),)
    ),
    "the caller's name": message(
        headers=(HeaderTemplate("x-a", '{{ dynamic_metadata("userId", "envoy.filters.http.ext_authz") }}'),)
    ),
    "a plan before the key": replace(message(headers=(HeaderTemplate("x-a", "sk-of-caller-07"),)), phase="pre"),
    "escapes": message(escape=True, headers=(HeaderTemplate("x-a", '{{ header("x-token") }}'),)),
}


@pytest.mark.parametrize("transformation", LOOKING.values(), ids=LOOKING.keys())
def test_each_caller_is_asked_about_where_a_plan_may_look_at_a_token(transformation: TransformationPlan) -> None:
    both = Both(config(transformations=(transformation,)), callers())
    assert_all_leave_as_ever(both)
    assert both.lane.known.asked == CALLERS


ODD = {
    "empty": "",
    "long": "a" * 257,
    "with a blank": "a b",
    "of other characters": "é",
    "with a control": "a\x01b",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_token_that_is_not_ordinary_is_asked_about(odd: str) -> None:
    given = callers()
    both = Both(credentials=(*given[:5], replace(given[5], metadata=(entry("token", odd),)), *given[6:]))
    for number in range(CALLERS):
        assert both.fast(request(number)) in (None, both.general(request(number)))
        assert (both.fast(request(number)) is not None) is (both.general(request(number)) is not None)
    assert 3 <= both.lane.known.asked <= 4


def test_each_kind_of_key_has_a_form() -> None:
    given = callers()
    kinds: tuple[dict[str, object], ...] = (
        {},
        {"metadata": ()},
        {"metadata": (entry("team", "a"), entry("token", "b"))},
        {"allowed_hosts": ("other.example",)},
        {"shared_with": ("tenant",)},
        {"namespace": "tenant"},
        {"metadata": (replace(entry("token", "a"), legal_header=False),)},
    )
    changed = [replace(one, **kinds[number % len(kinds)]) for number, one in enumerate(given)]  # type: ignore[arg-type]
    both = Both(config(auth=replace(plan(), owner="")), tuple(changed))
    for number in range(CALLERS):
        assert both.general(request(number)) == both.fast(request(number))


def test_tenant_gets_nobody_elses_token() -> None:
    """A form that was found with the tenant's own key must not serve for another one's."""
    tenants = config(route(owner="tenant"), transformations=(replace(INJECT, owner="tenant"),))
    own = callers(10, namespace="tenant")
    others = callers(CALLERS)[10:]
    both = Both(replace(tenants, auth_plans=(replace(plan(), owner="tenant"),)), (*own, *others))
    for number in (*range(CALLERS), *range(CALLERS)):
        expected = both.general(request(number))
        assert (number < 10) is (expected is not None)
        assert expected == both.fast(request(number))


def test_marks_that_stand_for_texts_are_nobodys() -> None:
    """A template that writes what the marks are gets no token for it."""
    both = Both()
    for fresh in range(3):
        literal = f"{fresh}-{'0123456789abcdef' * 2}.".ljust(256, "x")
        both = Both(config(transformations=(message(headers=(HeaderTemplate("x-a", literal),)),)), callers())
        assert_all_leave_as_ever(both)


def test_key_behind_a_scheme_and_one_without_are_told_apart() -> None:
    both = Both(config(auth=plan("authorization"), transformations=(message(),)), callers())
    for number in range(CALLERS):
        scheme = (b"", b"Bearer ", b"bearer  ")[number % 3]
        data = get(b"Authorization: " + scheme + key(number), b"traceparent: 1")
        copied = get(b"Authorization: " + scheme + key(number), b"traceparent: " + key(number))
        expected = both.general(data)
        assert expected is not None
        assert [expected] * 2 == [both.fast(data) for _ in range(2)]
        assert both.fast(copied) is None


def test_key_in_the_path_is_shown_to_nobody() -> None:
    both = Both(credentials=callers())
    escaped = b"/v1/" + b"".join(b"%%%02x" % byte for byte in key(3))
    for number in range(CALLERS):
        plain = both.lane.read(request(number, start=b"GET " + escaped + b" HTTP/1.1"), now=0.0)
        assert plain is not None
        assert plain.outcome is not None
        assert (number == 3) is (b"<redacted>" in plain.outcome.path)


def test_expired_key_is_left_to_the_exchange() -> None:
    given = callers()
    both = Both(credentials=(given[0], replace(given[1], expires_at=100)))
    assert both.fast(request(0), now=200.0) is not None
    assert [None] * 2 == [both.fast(request(1), now=200.0) for _ in range(2)]
    assert both.fast(request(1), now=50.0) is not None


def test_revoked_key_has_nothing_to_go_by() -> None:
    both = Both(credentials=callers())
    assert_all_leave_as_ever(both)
    both.lane.renew(CredentialIndex.of(callers()[1:]))
    assert both.fast(request(0)) is None
    assert both.fast(request(1)) is not None


def test_forms_hold_no_text_of_a_key() -> None:
    both = Both(credentials=callers())
    assert_all_leave_as_ever(both)
    both.lane.renew(CredentialIndex())
    everything = repr(everything_in(both.lane, 10))
    assert "authorization" in everything
    assert "token-1" not in everything
    assert "sk-of" not in everything
    assert "caller-1" not in everything


def test_destinations_have_forms_of_their_own() -> None:
    weighted = Forward((WeightedUpstream("provider", 3), WeightedUpstream("second", 1)))
    both = Both(config(route(action=weighted)), callers())
    for number in range(CALLERS):
        both.drawn = number % 4
        expected = both.general(request(number))
        plain = both.lane.read(request(number), now=0.0)
        assert plain is not None
        assert plain.outcome is not None
        assert ("second" if both.drawn == 3 else "provider") == plain.outcome.upstream.name
        assert expected == plain.written(request(number), dialled=b"", told=b"")
    assert 4 == both.lane.known.asked


def test_routes_that_treat_fields_alike_know_each_others_lines() -> None:
    def at(name: str) -> Route:
        return route(name=name, matches=(RouteMatch((PathMatch("exact", f"/v1/{name}"),)),))

    both = Both(config(at("one"), at("other")), callers())
    for number in range(3):
        both.fast(request(number, start=b"GET /v1/one HTTP/1.1"))
    plain = both.lane.read(request(9, start=b"GET /v1/other HTTP/1.1"), now=0.0)
    assert plain is not None
    assert plain.mould is not None


def test_kind_is_all_of_a_credential_but_its_texts() -> None:
    """A field that is none of these must be part of the kind, or of what is copied, or keep a key from having one."""
    texts = {"digest", "id", "label", "name", "raw", "sendable", "user_id"}
    moments = {"expires_at"}
    # Slots in Python, getters and setters in a compiled class, which has properties among them.
    held = {
        name
        for name, each in vars(CompiledCredential).items()
        if (inspect.ismemberdescriptor(each) or inspect.isgetsetdescriptor(each)) and not name.startswith("__")
    }
    # What a source gives is put to a key each time that it is used, and "token_owner" tells whose that is.
    without_kind = {"allowed_from", "source", "token_owner"}
    assert {"allowed_hosts", "namespace", "shared_with"} == held - texts - moments - without_kind
    given = credential("a", "name", metadata=(entry("token", "b"),), allowed_hosts=("a", "b"), shared_with=("t",))
    assert ("default", ("t",), frozenset({"a", "b"}), ("token",)) == kind_of(CompiledCredential(given))
    assert kind_of(CompiledCredential(replace(given, metadata_from="a/b"))) is None
    assert kind_of(CompiledCredential(replace(given, allowed_from=("10.0.0.0/8",)))) is None


def test_memory_forgets_its_oldest_part() -> None:
    memory: Bounded[int, str] = Bounded(32)
    for number in range(33):
        memory.keep(number, "")
    assert list(range(3, 33)) == list(memory.kept)
    for number in range(1000):
        memory.keep(number, "")
        assert len(memory.kept) <= 32


VALUES = st.sampled_from(
    ["", "a", "token", TOKEN, "untouched", "a b", "é", "a" * 256, "a" * 300, "x" * 40, "%41", '"', "a\x01"]
)
TEMPLATES = st.sampled_from(
    [
        "a",
        '{{ header("x-token") }}',
        "{{ token }}",
        "Bearer {{ token }}",
        '{{ header("x-org") }}{{ header("x-token") }}',
        '{{ upper(header("x-org")) }}',
        '{% if header("x-org") == "a" %}b{% endif %}',
        "{{ missing }}",
    ]
)
SETTINGS = st.lists(
    st.builds(HeaderTemplate, st.sampled_from(["authorization", "x-a", "x-token", "x-org"]), TEMPLATES), max_size=3
)
REGEX = st.sampled_from([".*", "(.*)", "[a-z]*", ".+", "a|b.*"])
SECRETS = st.lists(
    st.dictionaries(st.sampled_from(["token", "org"]), st.tuples(VALUES, st.booleans())), min_size=2, max_size=5
)


def drawn_config(settings: list[HeaderTemplate], regex: str, *, raw: bool, required: bool) -> GatewayConfig:
    put = (MetadataHeader("x-token", "token", required=required), MetadataHeader("x-org", "org"))
    step = ApiKeyStep("step", "api-key", "keys", put, skip_metadata_validation=raw)
    told = MessageTemplate(extractors=(replace(ALL, regex=regex),), headers=tuple(settings))
    return config(auth=AuthPlan("plan", (step,)), transformations=(replace(INJECT, request=told),))


@given(settings=SETTINGS, regex=REGEX, secrets=SECRETS, raw=st.booleans(), required=st.booleans())
def test_whatever_secrets_hold_both_ways_send_the_same(
    *,
    settings: list[HeaderTemplate],
    regex: str,
    secrets: list[dict[str, tuple[str, bool]]],
    raw: bool,
    required: bool,
) -> None:
    given = [
        replace(
            one, metadata=tuple(replace(entry(name, text), legal_header=legal) for name, (text, legal) in held.items())
        )
        for one, held in zip(callers(len(secrets)), secrets, strict=True)
    ]
    both = Both(drawn_config(settings, regex, raw=raw, required=required), tuple(given))
    for number in (*range(len(given)), *range(len(given))):
        assert both.fast(request(number)) in (None, both.general(request(number)))
