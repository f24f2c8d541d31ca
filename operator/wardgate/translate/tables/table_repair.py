"""Repairs a RouteTable that breaks its schema: bad parts are closed or widened, the rest stays unchanged.

Rule 1: a bad entry of ``spec.http`` becomes a closed route. A bad condition of one matcher is taken out, which widens
the matcher: ``widened`` names it, and only the requests that it takes are closed.
Rule 2: a fault beside the routes (a weight, a selector without effect) is taken out. Hosts and gateways are read one by
one. The table is then ``impaired``: its last good form is preferred.
Rule 3: mistakes come to light in rounds, types before rules. ``table_reader`` closes a table that cannot be repaired
so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from wardgate.problems import FieldPath, Problem, ProblemKind
from wardgate.translate.manifests import at, items, mapping, replaced
from wardgate.translate.matching.host_names import is_pattern, normal
from wardgate.translate.plans.table_plans import Widening

MAX_ROUNDS: Final = 8
_HTTP: Final = ("spec", "http")
_DEFAULT: Final = ("spec", "defaultDestination")
_KEPT: Final = ("name", "labels", "matchers")
_CLOSED: Final = {"directResponse": {"status": 500}}
_WEIGHT: Final = re.compile(r"-?[0-9]{1,9}")
_ONLY_ROOTS: Final = ("virtualGateways", "applyToDestinations", "failureMode")


class Repair:
    """``manifest`` as repaired so far; ``closed`` routes and ``widened`` matchers by their indices.

    ``shapeless``: closed routes that lost all of their matchers.
    """

    def __init__(self, manifest: Mapping[str, object]) -> None:
        self.manifest = manifest
        self.closed: set[int] = set()
        self.shapeless: set[int] = set()
        self.widened: dict[int, dict[int, Widening]] = {}
        self.impaired = False

    def mend(self, problems: Iterable[Problem]) -> bool:
        """Repair the fields that all errors point at; False where one of them is beyond repair."""
        fields = dict.fromkeys(problem.field for problem in problems if problem.kind is ProblemKind.ERROR)
        mended = [self._mend(field) for field in fields]
        if self.closed and self._default_is_idle():
            self.manifest = replaced(self.manifest, _DEFAULT, value=None)
        return all(mended)

    def _mend(self, field: FieldPath) -> bool:
        if field == ("spec",):
            return self._break_no_rule()
        if len(field) < 2 or field[0] != "spec" or field == _HTTP:
            return False
        if field[:2] != _HTTP:
            return self._beside_routes(str(field[1]))
        index, part = field[2], field[3] if len(field) > 3 else None
        assert isinstance(index, int)
        if part == "matchers" and len(field) > 4:
            self._widen(index, field)
        else:
            self._close(index, part)
        return True

    def _close(self, index: int, part: object) -> None:
        entry = at(self.manifest, *_HTTP, index)
        kept = {name: at(entry, name) for name in _KEPT if name != part}
        if part == "matchers" or not isinstance(entry, Mapping):
            self.shapeless.add(index)
        self.manifest = replaced(self.manifest, (*_HTTP, index), value={**kept, **_CLOSED})
        self.closed.add(index)

    def _widen(self, index: int, field: FieldPath) -> None:
        number = field[4]
        assert isinstance(number, int)
        # Up to the field of the matcher: spec, http, index, matchers, number, name.
        self.manifest = replaced(self.manifest, field[:6], value=None if len(field) > 5 else {})
        known = self.widened.setdefault(index, {})
        if field[5:6] in ((), ("uri",)):
            known[number] = Widening.PATH
        else:
            known.setdefault(number, Widening.CONDITION)

    def _beside_routes(self, name: str) -> bool:
        self.impaired = True
        value: object = None
        if name == "hosts":
            value = readable_hosts(self.manifest)
            if not value:
                return False
        elif name == "virtualGateways":
            gateways = readable_gateways(self.manifest)
            value = [{"namespace": namespace, "name": gateway} for namespace, gateway in gateways]
        elif name == "weight":
            value = readable_weight(self.manifest)
        self.manifest = replaced(self.manifest, ("spec", name), value=value)
        return True

    def _break_no_rule(self) -> bool:
        """Close or take out what breaks a rule of the table as a whole; False where nothing of the kind is there."""
        before = self.manifest
        spec = mapping(at(before, "spec"))
        if self._default_is_idle():
            self._take_out("defaultDestination")
        elif spec.get("defaultDestination") is None:
            for index, entry in enumerate(items(spec.get("http"))):
                if at(entry, "forwardTo") is not None and not at(entry, "forwardTo", "destinations"):
                    self._close(index, None)
        if not spec.get("hosts"):
            for name in _ONLY_ROOTS:
                if spec.get(name):
                    self._take_out(name)
        return self.manifest is not before

    def _default_is_idle(self) -> bool:
        """No route forwards any more; what the table says about a default destination no longer counts."""
        routes = items(at(self.manifest, *_HTTP))
        return at(self.manifest, *_DEFAULT) is not None and all(at(one, "forwardTo") is None for one in routes)

    def _take_out(self, name: str) -> None:
        self.impaired = True
        self.manifest = replaced(self.manifest, ("spec", name), value=None)


def readable_hosts(manifest: Mapping[str, object]) -> list[str]:
    """The valid hosts; a single text counts as a list of one."""
    given = at(manifest, "spec", "hosts")
    texts = [given] if isinstance(given, str) else items(given)
    found = (normal(one) for one in texts if isinstance(one, str))
    return list(dict.fromkeys(host for host in found if is_pattern(host)))


def readable_gateways(manifest: Mapping[str, object], default: str = "") -> list[tuple[str, str]]:
    """Namespace, or ``default``, and name of the gateways that have a name."""
    found: dict[tuple[str, str], None] = {}
    for one in items(at(manifest, "spec", "virtualGateways")):
        namespace, name = at(one, "namespace") or default, at(one, "name")
        if isinstance(name, str) and name and isinstance(namespace, str):
            found[namespace, name] = None
    return list(found)


def readable_weight(manifest: Mapping[str, object]) -> int:
    """The weight, also where it is quoted; 0 otherwise."""
    given = str(at(manifest, "spec", "weight"))
    return int(given) if _WEIGHT.fullmatch(given) else 0
