"""The outcome of one step: whose key it was and which headers it sets, or the answer to a refused request."""

from __future__ import annotations

from typing import TypeAlias

from wardgate.proxy.core.auth.credential_index import CompiledCredential
from wardgate.proxy.core.messages import HeaderList, Reply

USER_ID = b"x-user-id"


class Grant:
    """A passed step: whose key it was and which headers it sets.

    ``keys``: the secrets that proved it, which no other party may see; without a scheme, none empty.
    """

    __slots__ = ("credential", "headers", "keys", "user")

    def __init__(
        self, *, user: str, credential: CompiledCredential | None, headers: HeaderList, keys: tuple[bytes, ...]
    ) -> None:
        self.user = user
        """For the access log: ``namespace/name`` of the key's Secret, or a user's name."""
        self.credential = credential
        self.headers = headers
        self.keys = keys


Outcome: TypeAlias = Grant | Reply
