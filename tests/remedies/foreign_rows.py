"""Remedies for kinds that Wardgate does not implement.

That a setting opens the routes of foreign guards is said with them, and is no remedy that could open none.
"""

from __future__ import annotations

from typing import Final

from tests.remedies.gateway import GONE, Manifest, base
from tests.remedies.row import Row, row

_KEYS: Final = base()["keys"]
_AT_LLM: Final = [{"route": {"labels": {"route": "llm"}}}]


def _foreign(kind: str, group: str, **spec: object) -> Manifest:
    metadata = {"name": "x", "namespace": "a"}
    return {"apiVersion": f"{group}/v2", "kind": kind, "metadata": metadata, "spec": spec}


_HEADERS: Final = _foreign("HeaderManipulationPolicy", "trafficcontrol.policy.gloo.solo.io", applyToRoutes=_AT_LLM)
_JWT: Final = _foreign("JWTPolicy", "security.policy.gloo.solo.io", applyToRoutes=_AT_LLM)

ROWS: Final[tuple[Row, ...]] = (
    row(
        "write a TransformationPolicy instead",
        {
            "tp": GONE,
            "+x": _foreign("HeaderManipulationPolicy", "trafficcontrol.policy.gloo.solo.io", applyToRoutes=_AT_LLM),
        },
        {"+x": GONE, "+tp": base()["tp"]},
    ),
    row(
        "it selects no route, and guards none. Write an ExtAuthPolicy instead",
        {"keys": GONE, "+x": _foreign("AuthConfig", "enterprise.gloo.solo.io")},
        {"+x": GONE, "+keys": _KEYS},
    ),
    row(
        "which Wardgate does not implement. Write an ExtAuthPolicy instead",
        {"keys": GONE, "+x": _JWT},
        {"+keys": _KEYS},
    ),
    row("because no valid ExtAuthPolicy guards it instead. Write one", {"keys": GONE, "+x": _JWT}, {"+keys": _KEYS}),
    row(
        "nobody can tell which routes they mean. Correct them.",
        {"+x": _JWT, "+x applyToRoutes 0 route labels": ["route"]},
        {"+x applyToRoutes 0 route labels": {"route": "llm"}},
    ),
)
