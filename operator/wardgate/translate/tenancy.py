"""The rules of tenancy: whose objects act on whose (docs/decisions/0010 and 0011; invariants 3 and 11).

Shared tenancy trusts every writer of our kinds and answers every question here with yes. Under isolated tenancy an
object outside the platform namespaces acts within its own namespace, and one inside them acts everywhere. The rules are
functions of namespaces alone, so that no module invents another.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from wardgate.settings import Settings


@dataclass(frozen=True, slots=True)
class Tenancy:
    """``platform`` has no meaning unless ``isolated``."""

    isolated: bool = False
    platform: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> Tenancy:
        """The tenancy that an installation has chosen."""
        return cls(isolated=settings.tenancy == "isolated", platform=settings.platform_namespaces)

    def is_platform(self, namespace: str) -> bool:
        """Objects of this namespace act everywhere."""
        return not self.isolated or namespace in self.platform

    def owner(self, namespace: str) -> str:
        """The tenant that owns the routes and keys made of objects in this namespace; empty for the platform."""
        return "" if self.is_platform(namespace) else namespace

    def may_reference(self, source: str, target: str) -> bool:
        """Whether an object in ``source`` may name one in ``target``: its own namespace, or a platform one."""
        return self.is_platform(source) or source == target or target in self.platform

    def selectable(self, policy: str) -> str | None:
        """The namespace of the RouteTables whose routes a policy in ``policy`` selects; None means every namespace."""
        return self.owner(policy) or None

    def may_replace(self, guard: str, policy: str) -> bool:
        """Whether a valid ExtAuthPolicy in ``policy`` replaces a guard in ``guard`` that is not implemented here."""
        return self.is_platform(policy) or policy == guard

    def counts_for(self, reader: str, found: str) -> bool:
        """Whether an object in ``found`` (a key Secret, an ExternalEndpoint) counts for a selector in ``reader``.

        A tenant's Secret never counts for another owner's selector, not even for the platform's: a borrowed label opens
        no door.
        """
        return not self.isolated or reader == found or found in self.platform

    def may_attach(self, host: str, guest: str, *, named: bool, admits: Collection[str] = ()) -> bool:
        """Whether a RouteTable in ``guest`` may stand below a table or a gateway in ``host``.

        ``named``: the selector on the host's side names the guest's namespace. ``admits``: the namespaces that the
        guest names. Between the platform and a tenant the platform's object has to name the tenant, whichever side it
        stands on: below a tenant's table, a platform table answers where the tenant likes. Two tenants never meet.
        """
        if not self.isolated or host == guest:
            return True
        if guest in self.platform:
            return host in self.platform or host in admits
        return host in self.platform and named

    def key_scope(self, policy: str) -> frozenset[str] | None:
        """The namespaces whose key Secrets count for policies of ``policy``; None means every namespace."""
        return self.platform | {policy} if self.isolated else None

    def shares(self, namespace: str) -> bool:
        """Whether key Secrets of this namespace can be shared: it is the platform's, and there are tenants."""
        return self.isolated and namespace in self.platform

    def age_rank(self, namespace: str) -> int:
        """Sorts before the age in "oldest wins": under isolation a platform policy precedes every tenant's."""
        return 0 if self.is_platform(namespace) else 1
