"""The plans of a conversation's routes: each way of authentication, and each kind of transformation."""

from __future__ import annotations

from tests.proxy.both_ways.keys import HMAC_SECRET
from wardgate.ir import (
    ApiKeyStep,
    AppendedHeader,
    AuthPlan,
    BasicAuthStep,
    BasicUser,
    BoolNot,
    BoolOr,
    BoolStep,
    Digest,
    Extractor,
    HeaderTemplate,
    Hmac,
    MessageTemplate,
    MetadataHeader,
    TransformationPlan,
)
from wardgate.sensitive import Sensitive

USER, PASSWORD = "ann", "hello"


def _step(name: str = "config_0", **changes: object) -> ApiKeyStep:
    fields: dict[str, object] = {
        "header": "api-key",
        "key_set": "users",
        "metadata_headers": (MetadataHeader("x-api-key", "token"),),
    }
    return ApiKeyStep(name, **(fields | changes))  # type: ignore[arg-type]


_BASIC = BasicAuthStep(
    "basic", "realm", "apr1", (BasicUser(USER, Sensitive("abcdefgh"), Sensitive("cy3DSYyOwfhsyu7QOMQzd.")),)
)
_METADATA = (
    MetadataHeader("x-api-key", "token"),
    MetadataHeader("x-team", "team"),
    MetadataHeader("openai-organization", "org", required=True),
)
AUTH_PLANS = (
    AuthPlan("basic", (_BASIC,), policy="ns/basic"),
    AuthPlan("bearer", (_step(header="authorization", key_set="bearers"),), policy="ns/bearer"),
    AuthPlan("digest", (_step(key_set="digests", stored=Digest(("x-team",))),), policy="ns/digest"),
    AuthPlan(
        "either",
        (_step(), _BASIC, _step("third", header="x-third")),
        expression=BoolOr((BoolStep("config_0"), BoolStep("basic"), BoolNot(BoolStep("third")))),
        policy="ns/either",
    ),
    AuthPlan("forwarding", (_step(),), forward_credential=True, policy="ns/forwarding"),
    AuthPlan("hmac", (_step(key_set="hmacs", stored=Hmac(Sensitive(HMAC_SECRET))),), policy="ns/hmac"),
    AuthPlan("metadata", (_step(metadata_headers=_METADATA),), policy="ns/metadata"),
    AuthPlan("plan", (_step(),), policy="ns/plan"),
    AuthPlan("second", (_step(header="x-second", key_set="seconds"),), policy="ns/second"),
    AuthPlan("steps", (_step(), _step("next", header="x-second", key_set="seconds")), policy="ns/steps"),
    AuthPlan("tenants", (_step(key_set="tenants"),), policy="tenant/plan", owner="tenant"),
)


def _plan(name: str, phase: str = "post", **changes: object) -> TransformationPlan:
    return TransformationPlan(name, phase, policy=f"ns/{name}", **changes)  # type: ignore[arg-type]


def _message(**headers: str | None) -> MessageTemplate:
    return MessageTemplate(
        headers=tuple(HeaderTemplate(name.replace("_", "-"), text) for name, text in sorted(headers.items()))
    )


TRANSFORMATIONS = (
    _plan("bearer", request=_message(authorization='Bearer {{ request_header("x-api-key") }}', x_api_key=None)),
    _plan(
        "double",
        request=MessageTemplate(body_mode="template", body="{{ body() }}{{ body() }}", parse_body="DontParse"),
    ),
    _plan(
        "measure",
        response=MessageTemplate(headers=(HeaderTemplate("x-read", "{{ isString(body()) }}"),), parse_body="DontParse"),
    ),
    _plan("move", "pre", request=MessageTemplate(headers=(HeaderTemplate(":path", "/plain/moved"),)), recalculate=True),
    _plan(
        "pre-copy",
        "pre",
        request=MessageTemplate(
            extractors=(Extractor("agent", "user-agent", "([a-z]*).*", subgroup=1),),
            headers=(HeaderTemplate("x-agent", "{{ agent }}"),),
            append=(AppendedHeader("x-seen", '{{ header("x-scope") }}'),),
            remove=("x-secret",),
        ),
    ),
    _plan(
        "shape",
        "pre",
        request=MessageTemplate(
            extractors=(Extractor("agent", "user-agent", "([a-z]*).*", subgroup=1),),
            headers=(HeaderTemplate("x-agent", "{{ agent }}"),),
            body_mode="template",
            body='{"agent": "{{ agent }}", "of": "{{ model }}"}',
        ),
        response=MessageTemplate(
            extractors=(Extractor("kind", "content-type", "([a-z]*)/.*", subgroup=1),),
            headers=(HeaderTemplate("x-kind", "{{ kind }}"),),
            append=(AppendedHeader("via", '{{ header("server") }}'),),
            remove=("x-powered-by",),
        ),
    ),
    _plan("stamp", response=_message(x_stamp='{{ header(":status") }}', server=None)),
    _plan("strip", request=MessageTemplate(remove=("user-agent",))),
    _plan("tenants-own", owner="tenant", request=_message(x_told='{{ request_header("x-api-key") }}')),
)
