"""Keys whose time has passed, as findings of ``wardgate check``: translating looks at no clock, the proxies do."""

from __future__ import annotations

from collections.abc import Iterator

from wardgate.api.kinds.annotations import EXPIRES_AT
from wardgate.ir import GatewayConfig
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.standalone.findings.diagnostics import Diagnostic, from_problem
from wardgate.standalone.scan.folder import Scan


def expired_keys(config: GatewayConfig, scan: Scan, *, now: float) -> tuple[Diagnostic, ...]:
    """A warning for each Secret that is past its time; ``now`` in unix seconds."""
    return tuple(from_problem(problem, scan.locate) for problem in _problems(config, now))


def _problems(config: GatewayConfig, now: float) -> Iterator[Problem]:
    over = {
        ObjectRef("Secret", one.namespace, one.name)
        for one in config.credentials
        if one.expires_at is not None and one.expires_at <= now
    }
    for ref in sorted(over):
        message = f"{ref} has expired, and its key is refused. Set a later {EXPIRES_AT}, or delete the Secret."
        yield Problem(ProblemKind.WARNING, Reason.EXPIRED_KEY, message, ref, ("metadata", "annotations", EXPIRES_AT))
