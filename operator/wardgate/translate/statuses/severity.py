"""The final severity of each problem, which takes all objects to know.

Rule 1: a name of a cluster that is not compared costs nothing while there is one cluster. If objects name several, some
of them are meant for another cluster and are served here all the same. Tables that no request reaches do not count.
Rule 2: a problem in a RouteTable that no request reaches closes nothing. It is no error, and only a note if the table
is meant for a mesh.
Rule 3: a problem that decides whether a table is served (its hosts, its gateways, a loop of delegations) keeps its
severity.

This concerns reports only. The last good form is decided by the original severity (``StageResults.is_invalid``): a
table with a bad route is not good because nobody asks for it today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from wardgate.problems import Cause, ObjectRef, Problem, ProblemKind, Reason, format_path
from wardgate.translate.findings import Findings
from wardgate.translate.reading.cluster_names import CLUSTER
from wardgate.translate.routes.unserved import Origin

_DECISIVE: Final = frozenset({"hosts", "virtualGateways"})


def with_final_severity(findings: Findings, unserved: Mapping[ObjectRef, Origin]) -> Findings:
    """The same problems with their final severity. ``unserved``: tables that no request reaches."""
    clusters = {
        one.cause
        for one in findings.found()
        if one.cause is not None and one.cause.subject == CLUSTER and one.ref not in unserved
    }

    def revise(problem: Problem) -> Problem:
        origin = unserved.get(problem.ref)
        if origin is not None and _is_within(problem):
            return _of_unserved(problem, origin)
        return _of_several_clusters(problem) if len(clusters) > 1 and problem.cause in clusters else problem

    return findings.revised(revise)


def _is_within(problem: Problem) -> bool:
    return len(problem.field) > 1 and problem.field[0] == "spec" and problem.field[1] not in _DECISIVE


def _of_unserved(problem: Problem, origin: Origin) -> Problem:
    if origin.by_design:
        return replace(problem, kind=ProblemKind.NOTE, cause=origin.cause)
    weighs_less = problem.kind is ProblemKind.ERROR and problem.reason is not Reason.DELEGATION_LOOP
    return replace(problem, kind=ProblemKind.WARNING) if weighs_less else problem


def _of_several_clusters(problem: Problem) -> Problem:
    message = (
        f"{format_path(problem.field)} of {problem.ref} is not compared with anything, although objects name more than "
        "one cluster: those of other clusters are served here too. Name this cluster with the setting cluster_name."
    )
    return replace(problem, kind=ProblemKind.WARNING, message=message, cause=Cause(CLUSTER))
