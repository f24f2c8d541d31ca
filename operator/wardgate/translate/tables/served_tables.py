"""The form of each RouteTable that is served by itself, and its last good form.

A table with a bad route is served without that route. Its last good form replaces it where the table cannot be read at
all, where a matcher or a part beside the routes cannot (see ``table_reader``), and where a frozen tree asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wardgate.problems import ObjectRef, Reason
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate.findings import Findings
from wardgate.translate.incremental.memo import Versions, identical
from wardgate.translate.plans.table_plans import TablePlan
from wardgate.translate.reading.last_good import LastGood, Reading, unless_same
from wardgate.translate.tables.table_reader import read_table


@dataclass(frozen=True, slots=True)
class Tables:
    """``now``: the form of each table that is served by itself. ``good``: the last good form, for frozen trees."""

    now: Mapping[ObjectRef, TablePlan]
    good: Mapping[ObjectRef, TablePlan]


@dataclass(frozen=True, slots=True)
class ReadTable:
    """One table as it was applied."""

    stored: StoredObject
    reading: Reading[TablePlan]

    @property
    def leans_on_its_past(self) -> bool:
        """Whether the last good forms of the tables matter to it."""
        plan = self.reading.value
        return plan is None or plan.blind or plan.freezes


def read_tables(
    stored: Iterable[StoredObject], settings: Settings, *, versions: Versions, last: tuple[ReadTable, ...] | None
) -> tuple[ReadTable, ...]:
    """Read every table by itself; the ``last`` ones where all are the same."""

    def read(one: StoredObject) -> ReadTable:
        return versions.of(one, "read table", make=lambda: ReadTable(one, read_table(one, settings)))

    tables = tuple(map(read, stored))
    return last if last is not None and identical(last, tables) else tables


def past_tables(tables: Sequence[ReadTable], last_good: LastGood, *, last: LastGood | None) -> LastGood:
    """The last good forms, applied versions included; empty if no table leans on them (see ``past_forms``)."""
    found: dict[ObjectRef, StoredObject] = {}
    if any(table.leans_on_its_past for table in tables):
        for table in tables:
            good = last_good.get(table.stored.ref)
            if good is not None and good.uid == table.stored.uid:
                found[table.stored.ref] = good
    return unless_same(found, last)


def serve_tables(
    tables: Iterable[ReadTable],
    past: LastGood,
    *,
    settings: Settings,
    versions: Versions,
    findings: Findings,
    served_instead: dict[ObjectRef, StoredObject],
) -> Tables:
    """Take every table in both forms. ``served_instead`` receives the last good forms that replace applied ones."""
    now: dict[ObjectRef, TablePlan] = {}
    good: dict[ObjectRef, TablePlan] = {}
    for table in tables:
        ref, plan = table.stored.ref, table.reading.value
        findings.extend(table.reading.problems)
        if ref in past:
            good_plan = _read_past(past[ref], settings, versions=versions).value
            if good_plan is not None and not good_plan.blind:
                good[ref] = good_plan
        if (plan is None or plan.blind) and ref in good:
            plan = good[ref]
            served_instead[ref] = plan.stored
        if plan is not None:
            now[ref] = plan
        else:
            _report_unplaced(table.stored, findings)
    return Tables(now, good)


def _read_past(past: StoredObject, settings: Settings, *, versions: Versions) -> Reading[TablePlan]:
    return versions.of(past, "past table", make=lambda: read_table(past, settings))


def _report_unplaced(table: StoredObject, findings: Findings) -> None:
    """Report a bad table that cannot even be closed: without its hosts nobody knows where."""
    message = (
        f"{table.ref} closes nothing: its spec.hosts cannot be read, and there is no last good form that would tell "
        "which hosts it means. Other RouteTables may answer in its place. Correct spec.hosts."
    )
    findings.error(table.ref, Reason.UNREADABLE, message=message, field=("spec", "hosts"))
