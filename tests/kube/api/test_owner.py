"""Who we are, by our own token: the owner of what goes with the release."""

from __future__ import annotations

import base64
import json

import pytest

from wardgate.kube.api.access import Access
from wardgate.kube.api.owner import Owner, own_account

CLAIMS = {"kubernetes.io": {"namespace": "wardgate", "serviceaccount": {"name": "operator", "uid": "1-2-3"}}}


def bearer(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer e30.{payload}.c2ln"


def owner(authorization: str, *, namespace: str = "wardgate") -> Owner | None:
    return own_account(Access("https://example", authorization), namespace=namespace)


def test_account_of_the_token_owns_what_is_in_its_namespace() -> None:
    assert Owner("operator", "1-2-3") == owner(bearer(CLAIMS))
    assert None is owner(bearer(CLAIMS), namespace="elsewhere")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic dTpw",
        "Bearer opaque",
        "Bearer a.b.c",
        "Bearer a.!!!.c",
        bearer([]),
        bearer({"kubernetes.io": []}),
        bearer({"kubernetes.io": {"namespace": "wardgate", "serviceaccount": "operator"}}),
        bearer({"kubernetes.io": {"namespace": "wardgate", "serviceaccount": {"name": "operator"}}}),
    ],
)
def test_nobody_else_is_an_owner(authorization: str) -> None:
    assert None is owner(authorization)


def test_reference_is_that_of_an_account() -> None:
    assert [{"apiVersion": "v1", "kind": "ServiceAccount", "name": "operator", "uid": "1-2-3"}] == Owner(
        "operator", "1-2-3"
    ).references
