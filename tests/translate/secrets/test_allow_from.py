"""``wardgate.dev/allow-from``: a list that cannot be read refuses the key, and its owner is told the field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translate.policies.objects import key_secret, keys_of, request, scope_of
from wardgate.api.kinds.annotations import ALLOW_FROM, AnnotationError, parse_networks


def test_networks_are_handed_on() -> None:
    found = keys_of((request(),), scope_of(key_secret("a", annotations={ALLOW_FROM: "2001:db8::/32, 10.0.0.0/8"})))
    assert [("10.0.0.0/8", "2001:db8::/32")] == [one.allowed_from for one in found.credentials]


@pytest.mark.parametrize(
    "text", ["", ",", "10.0.0.1/8", "ten", "10.0.0.0/8 192.0.2.0/24", "10.0.0.0/33", "::ffff:10.0.0.0/104"]
)
def test_list_that_cannot_be_read_refuses_the_key(text: str) -> None:
    found = keys_of((request(),), scope_of(key_secret("a", annotations={ALLOW_FROM: text})))
    assert () == found.credentials
    assert [("metadata", "annotations", ALLOW_FROM)] == [one.field for one in found.problems]


@given(st.text(alphabet="0123456789abf.:/, \n%é", max_size=40))
def test_any_text_is_a_list_or_an_error(text: str) -> None:
    networks = parse_networks(text)
    assert isinstance(networks, AnnotationError) or networks == parse_networks(",".join(networks))
