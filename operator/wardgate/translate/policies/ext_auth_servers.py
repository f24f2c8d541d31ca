"""ExtAuthServers are informative: the proxy authenticates by itself, and nothing in them opens or closes a route."""

from __future__ import annotations

from wardgate.api import ExtAuthServer
from wardgate.problems import Cause, Reason
from wardgate.translate.contract import ParsedObject
from wardgate.translate.findings import Findings
from wardgate.translate.reading.last_good import Reading


def read_server(parsed: ParsedObject[ExtAuthServer]) -> Reading[ExtAuthServer]:
    """Read one ExtAuthServer, and point out a setting that would open something elsewhere."""
    findings = Findings()
    if parsed.model.spec.failure_mode_allow:
        message = f"spec.failureModeAllow of {parsed.ref} opens nothing here: a request without a valid key is refused."
        findings.note(
            parsed.ref,
            Reason.NO_EFFECT,
            message=message,
            field=("spec", "failureModeAllow"),
            cause=Cause("failureModeAllow"),
        )
    return Reading(parsed.model, findings.of(parsed.ref))
