"""The output of ``wardgate status`` for people: one screen, the troubled first, the rest counted.

Nothing that a user wrote is read as markup or reaches the terminal raw (``shown``). In a file or a pipe the tables are
as wide as they need, so that a line stays a line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wardgate.kube.report.installation_report import InstallationReport
from wardgate.kube.report.report_problems import is_behind, problems_of
from wardgate.kube.report.reported_objects import ReportedKey, ReportedObject, hosts_of, listeners_of, routes_of
from wardgate.kube.status.proxy_views import ProxyView
from wardgate.printable import printable
from wardgate.translate.tenancy import Tenancy

ROWS: Final = 20
"""Rows of one table at most; what is left out is counted."""
_REVISION: Final = 12
_WIDE: Final = 240
_STYLES: Final = {
    "ACCEPTED": "green", "WARNING": "yellow", "INVALID": "bold red", "FAILED": "bold red", "True": "green",
    "False": "red", "Unknown": "yellow", "yes": "green", "no": "red", "error": "bold red", "warning": "yellow",
}  # fmt: skip
_NOTHING: Final = "-"
_WELL: Final = "in use"

Row = Sequence[str]


def shown(*parts: tuple[str, str]) -> Text:
    """Join texts with their styles into a line that may be shown."""
    return Text.assemble(*((printable(text), style) for text, style in parts))


def show(report: InstallationReport) -> None:
    """Print the report to standard output."""
    _Screen(report).show()


class _Screen:
    def __init__(self, report: InstallationReport) -> None:
        self._report = report
        width = None if sys.stdout.isatty() else _WIDE
        self._console = Console(
            file=sys.stdout, width=width, markup=False, emoji=False, highlight=False, legacy_windows=False
        )

    def show(self) -> None:
        self._head()
        self._proxies()
        self._table(
            "Gateways",
            ("Name", "Status", "Programmed", "Listeners", "Tables"),
            rows=self._rows("VirtualGateway", _gateway),
        )
        self._table(
            "Route tables",
            ("Name", "Status", "Programmed", "Routes", "Hosts", "Gateways", "Parents"),
            rows=self._rows("RouteTable", _route_table),
        )
        self._table(
            "Policies",
            ("Name", "Status", "Programmed", "Reason", "Routes", "Keys"),
            rows=self._rows("ExtAuthPolicy", _policy) + self._rows("TransformationPolicy", _policy),
        )
        self._table(
            "Services",
            ("Name", "Status", "Programmed", "Hosts", "Endpoints", "Gateways"),
            rows=self._rows("ExternalService", _service),
        )
        self._keys()
        self._problems()

    def _head(self) -> None:
        report, release = self._report, self._report.release
        self._line(f"Release {release.name} in namespace {release.namespace}", "bold")
        index, verified = report.index, report.verified
        if index is not None:
            ago = "" if verified is None else f", verified {_span(report.taken, verified)} ago"
            revision = index.revision[:_REVISION]
            self._line(f"Config   {revision} (sequence {index.sequence}, schema {index.schema}{ago})")
        else:
            self._line("Config   nothing published, or not to be read")
        if report.tenancy is not None:
            self._line(f"Tenancy  {_tenancy(report.tenancy)}")
        if report.leader is not None:
            alive = report.leader.is_alive(report.taken)
            self._line(
                f"Operator {report.leader.holder} leads" if alive else "Operator none leads", "" if alive else "red"
            )

    def _proxies(self) -> None:
        views = self._report.proxies or ()
        self._table(
            "Proxies", ("Name", "Ready", "Revision", "Serves", "Age"), rows=[self._proxy(view) for view in views]
        )

    def _proxy(self, view: ProxyView) -> Row:
        ready, said = "yes" if view.endpoint.ready else "no", view.announced
        if said is None:
            return view.endpoint.name, ready, _NOTHING, view.trouble, _NOTHING
        if said.refused_sequence is not None:
            serves = "a later revision, refuses what is published"
        elif is_behind(self._report, said.sequence):
            serves = "an older revision" if said.revision else "nothing yet"
        else:
            serves = "what is published" if self._report.index is not None else "a revision"
        age = _NOTHING if said.age is None else f"{said.age:.0f} s"
        return view.endpoint.name, ready, said.revision[:_REVISION] or _NOTHING, serves, age

    def _rows(self, kind: str, row: Callable[[ReportedObject], Row]) -> list[Row]:
        objects = sorted(self._report.of(kind), key=lambda one: one.is_good)
        return [row(one) for one in objects]

    def _keys(self) -> None:
        keys, now = self._report.keys, self._report.taken
        if keys is not None:
            urgent = sorted(keys, key=lambda key: (_state(key, now) == _WELL, not key.expires_soon(now)))
            self._table("Keys", ("Secret", "State", "Labels", "Expires"), rows=[_key(key, now) for key in urgent])

    def _problems(self) -> None:
        problems = problems_of(self._report)
        self._line()
        if not problems and not self._report.unknown:
            self._line("No problems.", "green")
            return
        self._line("Problems", "bold")
        for one in problems[:ROWS]:
            text = shown((one.severity, _STYLES[one.severity]), (f": {one.subject}: {one.message}", ""))
            self._console.print(text, soft_wrap=True)
        self._rest(len(problems))
        for sentence in self._report.unknown:
            self._console.print(shown(("unknown", "yellow"), (f": {sentence}", "")), soft_wrap=True)

    def _table(self, title: str, columns: Sequence[str], *, rows: Sequence[Row]) -> None:
        self._line()
        self._line(f"{title} ({len(rows)})", "bold")
        if not rows:
            return
        table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows[:ROWS]:
            table.add_row(*(shown((cell, _STYLES.get(cell, ""))) for cell in row))
        self._console.print(table)
        self._rest(len(rows))

    def _rest(self, count: int) -> None:
        if count > ROWS:
            self._line(f"... and {count - ROWS} more: --output json lists all.", "dim")

    def _line(self, text: str = "", style: str = "") -> None:
        self._console.print(shown((text, style)), soft_wrap=True)


def _tenancy(tenancy: Tenancy) -> str:
    if not tenancy.isolated:
        return "shared: objects of all namespaces act on one another"
    names = ", ".join(sorted(tenancy.platform))
    return f"isolated, with platform namespace{'s' * (len(tenancy.platform) != 1)} {names}" if names else "isolated"


def _common(one: ReportedObject) -> tuple[str, str, str]:
    verdict = one.approval if one.is_judged else f"{one.approval} (old)" if one.approval else _NOTHING
    return f"{one.ref.namespace}/{one.ref.name}", verdict, one.programmed.status or _NOTHING


def _gateway(one: ReportedObject) -> Row:
    return *_common(one), _some(listeners_of(one)), _number(one, "routeTablesCount")


def _route_table(one: ReportedObject) -> Row:
    return (
        *_common(one),
        str(routes_of(one)),
        _some(hosts_of(one)),
        _number(one, "numAllowedVirtualGateways"),
        _number(one, "numParentRouteTables"),
    )


def _policy(one: ReportedObject) -> Row:
    name, verdict, programmed = _common(one)
    return (
        f"{one.ref.kind} {name}",
        verdict,
        programmed,
        one.ready.reason or _NOTHING,
        _number(one, "numSelectedRoutes"),
        _counted_keys(one),
    )


def _service(one: ReportedObject) -> Row:
    return (
        *_common(one),
        _some(hosts_of(one)),
        _number(one, "numSelectedExternalEndpoints"),
        _number(one, "numSelectedVirtualGateways"),
    )


def _counted_keys(one: ReportedObject) -> str:
    usable = one.count("keys", "usable")
    if usable is None:
        return _NOTHING
    others = [
        (one.count("keys", name) or 0, word)
        for name, word in (("rejected", "rejected"), ("duplicate", "duplicate"), ("expiringSoon", "expiring"))
    ]
    told = ", ".join(f"{count} {word}" for count, word in others if count)
    return f"{usable} ({told})" if told else str(usable)


def _key(key: ReportedKey, now: datetime) -> Row:
    labels = ",".join(f"{name}={value}" for name, value in sorted(key.labels.items()))
    if key.expiry_unreadable:
        expires = "unreadable: refused"
    elif key.expires_at is None:
        expires = "never"
    else:
        moment = datetime.fromtimestamp(key.expires_at, UTC)
        span = _span(moment, now)
        expires = f"expired {_span(now, moment)} ago" if key.expired(now) else f"in {span}"
    return f"{key.ref.namespace}/{key.ref.name}", _state(key, now), labels or _NOTHING, expires


def _state(key: ReportedKey, now: datetime) -> str:
    """The fault of a key by the reasons that policies give for it, or what its metadata tell."""
    if key.faults:
        return ", ".join(key.faults)
    if key.expired(now) or key.expiry_unreadable:
        return "refused"
    return "UnusedKey" if key.unused else _WELL


def _some(texts: Iterable[str]) -> str:
    first, rest = [*texts][:3], [*texts][3:]
    more = f" and {len(rest)} more" if rest else ""
    return (", ".join(first) + more) or _NOTHING


def _number(one: ReportedObject, name: str) -> str:
    count = one.count(name)
    return _NOTHING if count is None else str(count)


def _span(later: datetime, earlier: datetime) -> str:
    seconds = max(0, int((later - earlier).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
