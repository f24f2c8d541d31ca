"""The ServiceAccount that we are, as the owner of what we keep beside it.

An object that names it as its owner goes when it goes: the garbage collector of Kubernetes deletes the Lease and the
last good forms with the release, whose ServiceAccount it is. Owner and object must be in one namespace. The account's
uid stands in our own token, so that nothing has to be asked, and it cannot be out of date: a token of an account that
was made anew under its name is another one.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from wardgate.kube.api.access import Access
from wardgate.kube.api.resources import SERVICE_ACCOUNTS


@dataclass(frozen=True, slots=True)
class Owner:
    """A ServiceAccount in the namespace of what it owns."""

    name: str
    uid: str

    @property
    def references(self) -> list[dict[str, object]]:
        """The value of ``metadata.ownerReferences``."""
        kind = {"apiVersion": SERVICE_ACCOUNTS.api_version, "kind": SERVICE_ACCOUNTS.kind}
        return [{**kind, "name": self.name, "uid": self.uid}]


def own_account(access: Access, *, namespace: str) -> Owner | None:
    """Return the account of our token; None where we are somebody else, or an account of another namespace."""
    claims = _claims(access.authorization).get("kubernetes.io")
    account = claims.get("serviceaccount") if isinstance(claims, dict) else None
    if not isinstance(claims, dict) or not isinstance(account, dict) or claims.get("namespace") != namespace:
        return None
    name, uid = account.get("name"), account.get("uid")
    return Owner(name, uid) if name and isinstance(name, str) and uid and isinstance(uid, str) else None


def _claims(authorization: str) -> dict[str, Any]:
    """The claims of a JWT, which the API server has verified, not we; of any other token none."""
    parts = authorization.removeprefix("Bearer ").split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
