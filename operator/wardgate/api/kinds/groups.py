"""The groups of the Gloo Platform API: of the kinds that Wardgate serves, and of those that stand beside them."""

from __future__ import annotations

from typing import Final

SECURITY: Final = "security.policy.gloo.solo.io"
TRAFFIC: Final = "trafficcontrol.policy.gloo.solo.io"
RESILIENCE: Final = "resilience.policy.gloo.solo.io"
NETWORKING: Final = "networking.gloo.solo.io"
ADMIN: Final = "admin.gloo.solo.io"
PORTAL: Final = "apimanagement.gloo.solo.io"
EXTENSIONS: Final = "extensions.policy.gloo.solo.io"
OBSERVABILITY: Final = "observability.policy.gloo.solo.io"
INFRASTRUCTURE: Final = "infrastructure.gloo.solo.io"
INTERNAL: Final = "internal.gloo.solo.io"

PLATFORM_GROUPS: Final = frozenset(
    {SECURITY, TRAFFIC, RESILIENCE, NETWORKING, ADMIN, PORTAL, EXTENSIONS, OBSERVABILITY, INFRASTRUCTURE, INTERNAL}
)
"""The groups of the API that ours belong to."""
