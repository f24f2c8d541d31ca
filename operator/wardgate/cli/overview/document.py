"""The output of ``wardgate status --output json``: for programs, complete, in a form that only grows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from wardgate.kube.report.installation_report import InstallationReport
from wardgate.kube.report.report_problems import is_behind, problems_of
from wardgate.kube.report.reported_objects import ReportedKey, ReportedObject
from wardgate.kube.status.proxy_views import ProxyView

VERSION: Final = 1
_OWN: Final = frozenset({"common", "conditions", "observedGeneration"})


def status_document(report: InstallationReport) -> dict[str, Any]:
    """The whole report. A value that is not known is null."""
    return {
        "version": VERSION,
        "release": {
            "name": report.release.name,
            "namespace": report.release.namespace,
            "configNamespace": report.release.config_namespace,
        },
        "config": _config(report),
        "tenancy": _tenancy(report),
        "operator": _operator(report),
        "proxies": None if report.proxies is None else [_proxy(view, report) for view in report.proxies],
        "objects": [_object(one) for one in report.objects],
        "keys": None if report.keys is None else [_key(key, report.taken) for key in report.keys],
        "problems": [
            {"severity": one.severity, "subject": one.subject, "message": one.message} for one in problems_of(report)
        ],
        "unknown": list(report.unknown),
    }


def _config(report: InstallationReport) -> dict[str, Any] | None:
    index, verified = report.index, report.verified
    if index is None:
        return None
    return {
        "revision": index.revision,
        "sequence": index.sequence,
        "schema": index.schema,
        "writer": index.writer,
        "verifiedSecondsAgo": None if verified is None else round((report.taken - verified).total_seconds(), 1),
        "shards": len(index.shards),
    }


def _tenancy(report: InstallationReport) -> dict[str, Any] | None:
    tenancy = report.tenancy
    if tenancy is None:
        return None
    mode = "isolated" if tenancy.isolated else "shared"
    return {"mode": mode, "platformNamespaces": sorted(tenancy.platform)}


def _operator(report: InstallationReport) -> dict[str, Any] | None:
    leader = report.leader
    return None if leader is None else {"leader": leader.holder, "alive": leader.is_alive(report.taken)}


def _proxy(view: ProxyView, report: InstallationReport) -> dict[str, Any]:
    said = view.announced
    known = (
        None
        if said is None
        else {
            "revision": said.revision,
            "sequence": said.sequence,
            "schema": said.schema,
            "reads": list(said.reads),
            "refusedSequence": said.refused_sequence,
            "ageSeconds": said.age,
            "connected": said.connected,
            "unserved": dict(said.unserved),
            "behind": is_behind(report, said.sequence),
        }
    )
    return {"name": view.endpoint.name, "ready": view.endpoint.ready, "serves": known, "trouble": view.trouble}


def _object(one: ReportedObject) -> dict[str, Any]:
    return {
        "kind": one.ref.kind,
        "namespace": one.ref.namespace,
        "name": one.ref.name,
        "generation": one.generation,
        "observedGeneration": one.observed,
        "approval": one.approval,
        "accepted": one.accepted.status,
        "programmed": one.programmed.status,
        "ready": one.ready.status,
        "reason": one.ready.reason,
        "message": one.message,
        "counts": {name: value for name, value in one.status.items() if name not in _OWN},
    }


def _key(key: ReportedKey, now: datetime) -> dict[str, Any]:
    return {
        "namespace": key.ref.namespace,
        "name": key.ref.name,
        "labels": dict(key.labels),
        "expiresAt": key.expires_at,
        "expired": key.expired(now) or key.expiry_unreadable,
        "expiresSoon": key.expires_soon(now),
        "faults": list(key.faults),
        "unused": key.unused,
    }
