"""Which form of each RouteTable is served by itself, and which one is its last good.

A table with a bad route is served as it is, without that route. Its last good form stands in where the table cannot be
read at all, or where a matcher or a part beside the routes cannot (see ``tables``), and where a frozen tree asks for
it.
"""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.problems import ObjectRef, Reason
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate.findings import Findings
from wardgate.translate.forms import LastGood
from wardgate.translate.memo import Memo
from wardgate.translate.routes.routing import Tables
from wardgate.translate.routes.table_plans import TablePlan
from wardgate.translate.routes.tables import read_table


def settle_tables(
    stored: Sequence[StoredObject],
    last_good: LastGood,
    *,
    settings: Settings,
    memo: Memo,
    findings: Findings,
    served_instead: dict[ObjectRef, StoredObject],
) -> Tables:
    """Read every table in both forms; note in ``served_instead`` whose last good form stands in."""
    now: dict[ObjectRef, TablePlan] = {}
    good: dict[ObjectRef, TablePlan] = {}
    for table in stored:
        reading = memo.of(table, "table", lambda table=table: read_table(table, settings))  # type: ignore[misc]
        findings.extend(reading.problems)
        past = last_good.get(table.ref)
        plan = reading.value
        if past is not None and past.uid == table.uid:
            good_plan = memo.of(past, "table", lambda past=past: read_table(past, settings)).value  # type: ignore[misc]
            if good_plan is not None and not good_plan.blind:
                good[table.ref] = good_plan
        if (plan is None or plan.blind) and table.ref in good:
            plan = good[table.ref]
            served_instead[table.ref] = plan.stored
        if plan is not None:
            now[table.ref] = plan
        else:
            _report_unplaced(table, findings)
    return Tables(now, good)


def _report_unplaced(table: StoredObject, findings: Findings) -> None:
    """Say that a bad table could not even be closed: without its hosts nobody knows where."""
    message = (
        f"{table.ref} closes nothing: its spec.hosts cannot be read, and there is no last good form that would tell "
        "which hosts it means. Other RouteTables may answer in its place. Correct spec.hosts."
    )
    findings.error(table.ref, Reason.UNREADABLE, message, ("spec", "hosts"))
