"""The problems in an installation that somebody should mend, found in a report. Pure.

Each problem is a sentence with its remedy, the worst first. A problem that many objects share is told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from wardgate.kube.report.installation_report import InstallationReport
from wardgate.kube.report.reported_objects import ReportedKey, ReportedObject

VERIFIED_WITHIN: Final = 60.0
"""Seconds within which an operator that is well has vouched for what is published: it does so every 15."""
_NAMED: Final = 5
_BAD: Final = frozenset({"INVALID", "FAILED", "UNLICENSED"})


@dataclass(frozen=True, slots=True)
class ReportProblem:
    """``subject`` is an object, a proxy, or the part of the installation that is meant."""

    severity: Literal["error", "warning"]
    subject: str
    message: str


def problems_of(report: InstallationReport) -> tuple[ReportProblem, ...]:
    """All problems, errors first."""
    found = [*_installation(report), *_proxies(report), *_objects(report), *_keys(report)]
    return tuple(sorted(found, key=lambda one: one.severity != "error"))


def is_behind(report: InstallationReport, sequence: int) -> bool:
    """Whether a proxy at ``sequence`` has not yet what is published."""
    return report.index is not None and sequence < report.index.sequence


def _installation(report: InstallationReport) -> Iterator[ReportProblem]:
    release = report.release
    if report.leader is not None and not report.leader.is_alive(report.taken):
        message = (
            f"No operator leads, so nothing changes. Look at Deployment {release.namespace}/{release.name}-operator."
        )
        yield ReportProblem("error", "operator", message)
    verified = report.verified
    if verified is not None and (age := (report.taken - verified).total_seconds()) > VERIFIED_WITHIN:
        message = (
            f"What is published was last verified {age:.0f} s ago: the operator, or one of its watches, is not well. "
            "Look at its log."
        )
        yield ReportProblem("warning", "config", message)


def _proxies(report: InstallationReport) -> Iterator[ReportProblem]:
    release = report.release
    if report.proxies is not None and not any(view.endpoint.ready for view in report.proxies):
        message = f"No proxy is ready. Look at Deployment {release.namespace}/{release.name}-proxy and its Pods."
        yield ReportProblem("error", "proxies", message)
    for view in report.proxies or ():
        name, said = f"proxy {view.endpoint.name}", view.announced
        if said is None:
            yield ReportProblem("warning", name, f"What it serves is not known: {view.trouble}.")
        elif said.refused_sequence is not None:
            message = "It refuses what is published, because it is older than what it serves. The operator mends that."
            yield ReportProblem("warning", name, message)
        elif is_behind(report, said.sequence):
            yield ReportProblem("warning", name, "It serves an older revision than what is published. Look at its log.")
        for listener, reason in () if said is None else said.unserved:
            yield ReportProblem("error", name, f"It does not serve listener {listener}: {reason}")
        for trouble in () if said is None else said.worker_troubles:
            yield ReportProblem("error", name, f"{trouble} Nothing serves in its place yet. Look at the proxy's log.")
        if said is not None and not said.connected:
            message = "It has lost the API server and serves what it has. Look at its log and its network."
            yield ReportProblem("warning", name, message)


def _objects(report: InstallationReport) -> Iterator[ReportProblem]:
    unjudged = [one for one in report.objects if not one.is_judged]
    if unjudged:
        message = (
            f"No verdict yet on their newest generation: {_names(unjudged)}. Is an operator running that serves them, "
            "with statuses on?"
        )
        yield ReportProblem("warning", _counted(unjudged), message)
    for one in report.objects:
        if one.is_judged and one.approval != "ACCEPTED":
            severity: Literal["error", "warning"] = "error" if one.approval in _BAD else "warning"
            yield ReportProblem(severity, str(one.ref), one.message or f"Its status is {one.approval}.")
    waiting: dict[str, list[ReportedObject]] = {}
    for one in report.objects:
        if one.is_judged and one.approval not in _BAD and one.programmed.status not in {"True", ""}:
            waiting.setdefault(one.programmed.message, []).append(one)
    for message, objects in waiting.items():
        concerned = f" It concerns {_names(objects)}." if len(objects) > 1 else ""
        yield ReportProblem("warning", _counted(objects), f"{message}{concerned}")


def _keys(report: InstallationReport) -> Iterator[ReportProblem]:
    keys = report.keys or ()
    yield from _unused([key for key in keys if key.unused])
    soon = [key for key in keys if key.expires_soon(report.taken)]
    if soon:
        message = (
            f"Expire within 7 days: {_listed([str(key.ref) for key in soon])}. Set a later wardgate.dev/expires-at."
        )
        yield ReportProblem("warning", _plural(len(soon)), message)
    gone = [key for key in keys if key.expired(report.taken) or key.expiry_unreadable]
    if gone:
        message = f"Refused for their wardgate.dev/expires-at: {_listed([str(key.ref) for key in gone])}."
        yield ReportProblem("warning", _plural(len(gone)), message)


def _unused(keys: list[ReportedKey]) -> Iterator[ReportProblem]:
    if keys:
        message = (
            f"UnusedKey: no ExtAuthPolicy selects {_listed([str(key.ref) for key in keys])}, so it opens nothing. "
            "Label the Secret as a policy's labelSelector asks, or delete it."
        )
        yield ReportProblem("warning", _plural(len(keys)), message)


def _plural(keys: int) -> str:
    return "1 key" if keys == 1 else f"{keys} keys"


def _counted(objects: list[ReportedObject]) -> str:
    return str(objects[0].ref) if len(objects) == 1 else f"{len(objects)} objects"


def _names(objects: Iterable[ReportedObject]) -> str:
    return _listed([str(one.ref) for one in objects])


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
