"""Invariant 7: nothing that a Secret holds is in a message, a status or a repr."""

from __future__ import annotations

import base64
import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.translate.policies.objects import LABELS, keys_of, request, rules_of, scope_of, secret
from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
from wardgate.ir import ApiKeyStep, AuthPlan, MetadataHeader
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import KeyForm, PolicyOutcome
from wardgate.translate.keys.key_problems import key_problems
from wardgate.translate.secrets.secret_references import Reference, ca_bundle, certificate_pair, shared_secret

MARKER = "m4rk3r"
MARKERS = (MARKER, MARKER.upper(), base64.b64encode(MARKER.encode()).decode().rstrip("="))
ENTRIES = ("api-key", "token", "shared-secret", "hmac", "tls.crt", "tls.key", "ca.crt", "crl")
WRAPPINGS = ("{}", "{}\n", "\n{}", " {}", "{}\0", "{}" * 30_000, hashlib.sha256(b"").hexdigest() + "{}", "ä{}")
ANNOTATIONS = ("wardgate.dev/expires-at", "wardgate.dev/upstream-hosts")

values = st.sampled_from(WRAPPINGS).map(lambda wrapping: wrapping.replace("{}", MARKER)) | st.just(
    MARKER.encode() + b"\xff"
)
entries = st.dictionaries(st.sampled_from(ENTRIES), values)


@st.composite
def secrets(draw: st.DrawFn) -> list[StoredObject]:
    data = draw(st.lists(entries, min_size=1, max_size=3))
    annotations = draw(
        st.dictionaries(st.sampled_from(ANNOTATIONS), st.sampled_from(["2030-01-01T00:00:00Z", "a.b", "%"]))
    )
    keys = [
        secret(f"k{n}", {"api-key": MARKER, **entry}, type_=KEY_SECRET_TYPE, labels=LABELS, annotations=annotations)
        for n, entry in enumerate(data)
    ]
    return [*keys, secret("s", draw(entries))]


def no_marker_in(text: str) -> bool:
    return not any(marker in text for marker in MARKERS)


@settings(max_examples=60, deadline=None)
@given(secrets(), st.sampled_from(KeyForm))
def test_no_secret_shows_in_what_becomes_of_keys(objects: list[StoredObject], form: KeyForm) -> None:
    scope = scope_of(*objects)
    wanted = request(form=form, refs=(ObjectRef("Secret", "ns", "s"),))
    keys = keys_of((wanted,), scope)
    headers = (MetadataHeader("x", "token", required=True), MetadataHeader("y", "hmac"))
    plan = AuthPlan("ns/p", (ApiKeyStep("a", "api-key", wanted.name, headers),))
    policy = ObjectRef("ExtAuthPolicy", "ns", "p")
    told = key_problems(policy, PolicyOutcome(plan), keys=keys.keys, rules=rules_of(scope), tokens={})
    assert no_marker_in(f"{keys!r} {told!r} {objects!r} {scope!r}")


@settings(max_examples=60, deadline=None)
@given(secrets())
def test_no_secret_shows_in_what_becomes_of_references(objects: list[StoredObject]) -> None:
    scope = scope_of(*objects)
    reference = Reference(ObjectRef("VirtualGateway", "ns", "gw"), (), namespace="ns", name="s")
    found = (shared_secret(reference, scope), certificate_pair(reference, scope), ca_bundle(reference, scope))
    texts = [repr(one) for one in found if not isinstance(one, str)]
    assert no_marker_in(" ".join(texts))
