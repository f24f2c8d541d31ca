"""One request played through the core: decisions in order, secrets masked, nothing sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest

from wardgate.cli.rehearsal import Performance, Trial, rehearse
from wardgate.ir import (
    ApiKeyStep,
    AuthPlan,
    Credential,
    DirectResponse,
    Endpoint,
    Extractor,
    Forward,
    GatewayConfig,
    HeaderTemplate,
    Listener,
    MessageTemplate,
    MetadataEntry,
    MetadataHeader,
    PathMatch,
    PrefixRewrite,
    Redirect,
    Route,
    RouteMatch,
    TransformationPlan,
    Upstream,
    UpstreamTls,
    VirtualHost,
    WeightedUpstream,
)
from wardgate.sensitive import Sensitive

KEY = "mysecretkey"
TOKEN = "hf_provider_token"

ROUTE = Route(
    "ai-demo/huggingface",
    Forward(
        (WeightedUpstream("hf", 1),),
        path_rewrite=PrefixRewrite("/models/gpt2"),
        host_rewrite="api-inference.huggingface.co",
    ),
    matches=(RouteMatch((PathMatch("prefix", "/huggingface"),)),),
    auth="plan",
    transformations=("transform",),
)
TRANSFORM = TransformationPlan(
    "transform",
    "post",
    request=MessageTemplate(
        extractors=(Extractor("token", "x-api-key", ".*"),),
        headers=(HeaderTemplate("authorization", "Bearer {{ token }}"), HeaderTemplate("x-copy", "<{{ token }}>")),
    ),
    policy="default/transformations",
)
CONFIG = GatewayConfig(
    listeners=(
        Listener(
            "gateways/ai",
            8081,
            (
                VirtualHost(
                    ("*",),
                    (
                        ROUTE,
                        Route("direct", DirectResponse(200, "hi"), (RouteMatch((PathMatch("exact", "/hi"),)),)),
                        Route("moved", Redirect(301, path="/new"), (RouteMatch((PathMatch("exact", "/old"),)),)),
                        Route(
                            "plain",
                            Forward((WeightedUpstream("plain", 1),)),
                            (RouteMatch((PathMatch("exact", "/plain"),)),),
                        ),
                        Route(
                            "socket",
                            Forward((WeightedUpstream("socket", 1),)),
                            (RouteMatch((PathMatch("exact", "/socket"),)),),
                        ),
                    ),
                ),
            ),
        ),
    ),
    upstreams=(
        Upstream(
            "hf",
            (Endpoint("api-inference.huggingface.co", 443),),
            tls=UpstreamTls("api-inference.huggingface.co"),
        ),
        Upstream("plain", ()),
        Upstream("socket", (Endpoint("", 0, "/run/s.sock"),), tls=UpstreamTls("x", verify=False)),
    ),
    auth_plans=(
        AuthPlan(
            "plan",
            (ApiKeyStep("config_0", "api-key", "set", (MetadataHeader("x-api-key", "token"),)),),
            policy="gateways/huggingface-apikey",
        ),
    ),
    transformations=(TRANSFORM,),
    credentials=(
        Credential(
            "set",
            sha256(KEY.encode()).hexdigest(),
            "default",
            "api-huggingface-key",
            expires_at=2_000,
            metadata=(MetadataEntry("token", Sensitive(TOKEN)), MetadataEntry("short", Sensitive("a"))),
        ),
    ),
)


def play(
    target: str,
    *,
    method: str = "POST",
    headers: Sequence[tuple[str, str]] = (("api-key", KEY),),
    body: bytes = b"",
    config: GatewayConfig = CONFIG,
    now: float = 1_000.0,
) -> Performance:
    trial = Trial(method, target, "localhost", headers, body, 8081)
    return rehearse(config, trial, environment={}, now=now)


def lines(performance: Performance) -> list[str]:
    return [f"{one.what}: {one.name} {one.detail}".strip() for one in performance.decisions]


def test_forwarded_request_shows_where_it_goes_and_as_what() -> None:
    found = play("/huggingface?x=1", body=b'{"inputs": "hi"}')

    assert "forwarded" == found.kind
    assert "POST /models/gpt2?x=1" == found.head
    assert ("hf at api-inference.huggingface.co:443, with TLS, verified as api-inference.huggingface.co") == (
        found.destination
    )
    assert ("host", "api-inference.huggingface.co") == found.headers[0]
    assert ("authorization", "Bearer <secret>") in found.headers
    assert "api-key" not in dict(found.headers)
    assert found.body is None


def test_decisions_stand_in_their_order() -> None:
    kinds = list(dict.fromkeys(one.what for one in play("/huggingface").decisions))

    assert ["listener", "host", "route", "policy"] == kinds[:4]
    assert kinds.index("policy") < kinds.index("auth step") < kinds.index("header set")


def test_key_is_named_by_its_secret() -> None:
    assert any("default/api-huggingface-key" in line for line in lines(play("/huggingface")))


def test_every_header_names_who_set_or_removed_it() -> None:
    found = lines(play("/huggingface", headers=(("api-key", KEY), ("x-api-key", "evil"))))

    assert "header removed: api-key by authentication" in found
    assert "header set: authorization: Bearer <secret> by default/transformations" in found
    assert "header removed: x-api-key by arrival" in found


@pytest.mark.parametrize("path", ["/huggingface", "/nowhere", "/hi", "/plain"])
def test_no_secret_is_shown(path: str) -> None:
    shown = repr(play(path))

    assert KEY not in shown
    assert TOKEN not in shown


def test_secret_that_a_template_moved_elsewhere_is_masked_there_too() -> None:
    assert "<secret>" == dict(play("/huggingface").headers)["x-copy"]


@pytest.mark.parametrize(
    "template",
    [
        "{{ base64_encode(token) }}",
        "{{ upper(token) }}",
        "{{ substring(token, 3) }}",
        '{% if token == "hf_provider_token" %}yes{% else %}no{% endif %}',
    ],
)
def test_what_a_template_made_of_a_secret_is_masked(template: str) -> None:
    message = MessageTemplate(
        extractors=(Extractor("token", "x-api-key", ".*"),), headers=(HeaderTemplate("x-made", template),)
    )
    made = replace(CONFIG, transformations=(replace(TRANSFORM, request=message),))
    performance = play("/huggingface", config=made)
    assert dict(performance.headers)["x-made"] == "<secret>"
    assert [one.name for one in performance.decisions if one.name.startswith("x-made")] == ["x-made: <secret>"]


def test_a_course_of_events_that_depends_on_a_secret_shows_no_value() -> None:
    message = MessageTemplate(
        extractors=(Extractor("token", "x-api-key", ".*"),),
        headers=(HeaderTemplate("x-made", '{% if token == "hf_provider_token" %}yes{% endif %}'),),
    )
    made = replace(CONFIG, transformations=(replace(TRANSFORM, request=message),))
    shown = [one.name for one in play("/huggingface", config=made).decisions if one.what == "header set"]
    assert all(name.endswith(": <secret>") for name in shown)


def test_secret_in_a_body_is_masked() -> None:
    template = replace(TRANSFORM.request or MessageTemplate(), body_mode="template", body='{"t": "{{ token }}"}')
    config = replace(CONFIG, transformations=(replace(TRANSFORM, request=template),))

    assert '{"t": "<secret>"}' == play("/huggingface", config=config).body


def test_body_is_told_to_be_read_where_a_template_needs_it() -> None:
    template = MessageTemplate(headers=(HeaderTemplate("x-model", "{{ model }}"),))
    config = replace(CONFIG, transformations=(replace(TRANSFORM, request=template),))
    found = play("/huggingface", body=b'{"model": "gpt2"}', config=config)

    assert ("x-model", "gpt2") in found.headers
    assert "body: 17 bytes read, because a transformation needs it" in lines(found)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [((), "key_missing"), ((("api-key", "wrong"),), "key_unknown"), ((("api-key", KEY),) * 2, "key_repeated")],
)
def test_refused_request_shows_status_and_reason(headers: tuple[tuple[str, str], ...], reason: str) -> None:
    found = play("/huggingface", headers=headers)

    assert ("refused", "401", reason) == (found.kind, found.head, found.reason)
    assert ("www-authenticate", "API key is missing or invalid") in found.headers


def test_key_expires_by_the_given_clock() -> None:
    assert "key_expired" == play("/huggingface", now=2_000.0).reason


def test_request_without_a_route_is_refused() -> None:
    assert ("refused", "404") == (play("/nowhere").kind, play("/nowhere").head)


@pytest.mark.parametrize(("path", "head"), [("/hi", "200"), ("/old", "301")])
def test_answer_that_the_route_asks_for_is_no_refusal(path: str, head: str) -> None:
    assert ("answered", head) == (play(path).kind, play(path).head)


def test_what_the_proxy_would_not_read_is_refused_here_too() -> None:
    assert "bad_header" == play("/", headers=(("bad name", "x"),)).reason
    assert "bad_target" == play("/a#b").reason


def test_whole_url_brings_its_own_host() -> None:
    assert ("host", "api.example.com") in play("http://api.example.com/plain").headers


def test_destination_without_tls_or_without_verification_says_so() -> None:
    assert "plain at no endpoint, without TLS" == play("/plain").destination
    assert "socket at /run/s.sock, with TLS, NOT verified" == play("/socket").destination


def test_credential_of_an_open_route_is_masked_as_a_whole() -> None:
    assert ("cookie", "<secret>") in play("/plain", headers=(("cookie", "session=abc"),)).headers
