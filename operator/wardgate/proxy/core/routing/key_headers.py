"""Key headers of one listener, by the owner of the keys; those of others are kept from a tenant's route.

A caller sends a key for the platform's or another tenant's route to a tenant's route too: by mistake, or because its
client sends one set of headers everywhere. There the tenant's templates and server would read it. So the headers that
guarded routes of other owners read keys from are removed on arrival. The platform's own routes keep theirs: they are
trusted, and a tenant that names a header must not take it off them. For the same reason a tenant's word removes no
header that HTTP itself needs from another tenant's requests.
"""

from __future__ import annotations

from typing import Final

_ORDINARY: Final = frozenset(
    {
        *(b"accept", b"accept-charset", b"accept-encoding", b"accept-language", b"cache-control", b"content-encoding"),
        *(b"content-disposition", b"content-language", b"content-md5", b"content-range", b"content-type", b"cookie"),
        *(b"date", b"forwarded", b"from", b"host", b"idempotency-key", b"if-match", b"if-modified-since", b"origin"),
        *(b"if-none-match", b"if-range", b"if-unmodified-since", b"max-forwards", b"pragma", b"range", b"referer"),
        *(b"traceparent", b"tracestate", b"user-agent", b"via", b"x-forwarded-for", b"x-forwarded-host"),
        *(b"x-forwarded-proto", b"x-request-id"),
    }
)


class KeyHeaders:
    """Headers that keys are read from, by the owner of the guarded route (``ir.Route.owner``); folded names."""

    __slots__ = ("_by_owner", "_foreign", "_tenants")

    def __init__(self) -> None:
        self._by_owner: dict[str, frozenset[bytes]] = {}
        self._foreign: dict[str, frozenset[bytes]] = {}
        self._tenants: set[str] = set()

    def add(self, owner: str, keys: frozenset[bytes]) -> None:
        """Note one route and the headers that its keys are in. All are to be noted before ``foreign_to`` is asked."""
        if owner:
            self._tenants.add(owner)
        known = self._by_owner.get(owner, frozenset())
        if not keys <= known:
            self._by_owner[owner] = known | keys

    def same_as(self, earlier: KeyHeaders) -> bool:
        """Whether every tenant that has routes now and had some then is kept from the same headers."""
        return all(self.foreign_to(one) == earlier.foreign_to(one) for one in self._tenants & earlier._tenants)

    def foreign_to(self, owner: str) -> frozenset[bytes]:
        """Return the headers that may hold other owners' keys."""
        if not owner:
            return frozenset()
        found = self._foreign.get(owner)
        if found is None:
            tenants = frozenset[bytes]().union(
                *(keys for other, keys in self._by_owner.items() if other not in ("", owner))
            )
            found = self._foreign[owner] = self._by_owner.get("", frozenset()) | (tenants - _ORDINARY)
        return found
