"""Whose objects act on whose (architecture, section 2; invariant 11).

Shared: every writer of our kinds is trusted, and every question here is answered with yes. Isolated: what lies outside
the platform namespaces acts within its own namespace, and what lies inside acts everywhere. The rules are functions
of namespaces, so that no module invents another.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from wardgate.settings import Settings


@dataclass(frozen=True, slots=True)
class Tenancy:
    """``platform`` is without meaning unless ``isolated``."""

    isolated: bool = False
    platform: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> Tenancy:
        """The tenancy an installation has chosen."""
        return cls(isolated=settings.tenancy == "isolated", platform=settings.platform_namespaces)

    def is_platform(self, namespace: str) -> bool:
        """Objects of this namespace act everywhere."""
        return not self.isolated or namespace in self.platform

    def owner(self, namespace: str) -> str:
        """The tenant that owns what objects of this namespace become; empty where they act everywhere."""
        return "" if self.is_platform(namespace) else namespace

    def may_reference(self, source: str, target: str) -> bool:
        """An object in ``source`` may name one in ``target``: its own namespace, or a platform one."""
        return self.is_platform(source) or source == target or target in self.platform

    def selectable(self, policy: str) -> str | None:
        """The namespace of whose RouteTables a policy in ``policy`` selects routes; None means of all."""
        return self.owner(policy) or None

    def may_replace(self, guard: str, policy: str) -> bool:
        """A valid ExtAuthPolicy in ``policy`` stands in for a guard in ``guard`` that is not implemented here."""
        return self.is_platform(policy) or policy == guard

    def counts_for(self, reader: str, found: str) -> bool:
        """An object in ``found`` (a key Secret, an ExternalEndpoint) counts for a selector in ``reader``.

        A tenant's Secret never counts for somebody else's selector, not even for a platform one: a borrowed label opens
        no door.
        """
        return not self.isolated or reader == found or found in self.platform

    def may_attach(self, host: str, guest: str, *, named: bool, admits: Collection[str] = ()) -> bool:
        """A RouteTable in ``guest`` may stand below a table or a gateway in ``host``.

        ``named``: the selector on the host's side names the guest's namespace; ``admits``: the namespaces that the
        guest names. Between the platform and a tenant it is the platform's object that has to name the tenant,
        whichever side it stands on: below a tenant's table a platform table answers where the tenant likes. Two tenants
        never meet.
        """
        if not self.isolated or host == guest:
            return True
        if guest in self.platform:
            return host in self.platform or host in admits
        return host in self.platform and named

    def key_scope(self, policy: str) -> frozenset[str] | None:
        """The namespaces whose key Secrets count for policies of ``policy``; None means all of them."""
        return self.platform | {policy} if self.isolated else None

    def shares(self, namespace: str) -> bool:
        """A key Secret in this namespace can be shared with tenants: there are some, and it is the platform's."""
        return self.isolated and namespace in self.platform

    def age_rank(self, namespace: str) -> int:
        """Goes before the age in "oldest wins": under isolation a platform policy stands before any tenant's."""
        return 0 if self.is_platform(namespace) else 1
