"""Reads ``matchers``: the requests that a route asks for.

A condition that cannot be read (a regex that does not compile, a suffix match) is reported and left out; of a regex its
literal beginning is kept. The matcher is then ``widened``: it takes every request that was meant, and more, so it may
only close. Dropping it would hand its requests to the routes behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from wardgate.api.kinds.matchers import HeaderMatcher, HttpRequestMatcher, QueryParameterMatcher, StringMatch
from wardgate.http_grammar import METHOD
from wardgate.ir import HeaderMatch, PathMatch, QueryMatch, RouteMatch
from wardgate.problems import Cause, FieldPath, ObjectRef, ProblemKind, Reason, format_path
from wardgate.translate.findings import Findings
from wardgate.translate.matching.literal_prefix import literal_prefix
from wardgate.translate.matching.path_spelling import path_form, strange_literal
from wardgate.translate.matching.regexes import regex_fault
from wardgate.translate.plans.table_plans import MatcherPlan, Widening

_ConditionT = TypeVar("_ConditionT", HeaderMatch, QueryMatch)
_NO_PATH: Final = (
    "matches no request: a path begins with /, has no query here, and holds no % but before two hex digits, no %00, "
    "and no dot segment before an escaped slash or a semicolon"
)
_METHOD: Final = re.compile(METHOD)


@dataclass(frozen=True, slots=True)
class MatcherReader:
    """Reads the matchers of one table; problems go to ``findings``."""

    ref: ObjectRef
    findings: Findings

    def read(self, matchers: Sequence[HttpRequestMatcher], field: FieldPath) -> tuple[MatcherPlan, ...]:
        """All matchers of a route, each with its readable conditions."""
        return tuple(self._read(matcher, (*field, index)) for index, matcher in enumerate(matchers))

    def _read(self, matcher: HttpRequestMatcher, field: FieldPath) -> MatcherPlan:
        # Findings of its own tell which fields of this one matcher are bad.
        own = MatcherReader(self.ref, Findings())
        plan = own._matcher(matcher, field)
        problems = own.findings.of(self.ref)
        self.findings.extend(problems)
        bad = {one.field[: len(field) + 1] for one in problems if one.kind is ProblemKind.ERROR}
        if not bad:
            return plan
        return replace(plan, widened=Widening.PATH if (*field, "uri") in bad else Widening.CONDITION)

    def _matcher(self, matcher: HttpRequestMatcher, field: FieldPath) -> MatcherPlan:
        if matcher.name:
            self.findings.note(
                self.ref,
                Reason.NO_EFFECT,
                message=f"{format_path((*field, 'name'))} of {self.ref} has no effect.",
                field=(*field, "name"),
                cause=Cause("matchers.name"),
            )
        headers = enumerate(matcher.headers)
        query = enumerate(matcher.query_parameters)
        return MatcherPlan(
            RouteMatch(
                paths=self._path(matcher.uri, (*field, "uri")) if matcher.uri is not None else (),
                headers=_present(self._header(header, (*field, "headers", number)) for number, header in headers),
                query=_present(self._query(one, (*field, "queryParameters", number)) for number, one in query),
                methods=self._method(matcher.method, (*field, "method")) if matcher.method else (),
            ),
            port=matcher.port,
        )

    def _path(self, uri: StringMatch, field: FieldPath) -> tuple[PathMatch, ...]:
        if uri.suffix is not None:
            self._error(
                Reason.UNSUPPORTED,
                "suffix",
                what="compares the end of the path, which is not supported; use regex",
                field=field,
            )
            return ()
        if uri.regex is not None:
            return self._regex_path(uri, uri.regex, field=field)
        if uri.exact is not None:
            return (PathMatch("exact", self._spelt("exact", uri.exact, field=(*field, "exact")), uri.ignore_case),)
        if uri.prefix is not None:
            return (PathMatch("prefix", self._spelt("prefix", uri.prefix, field=(*field, "prefix")), uri.ignore_case),)
        return ()

    def _spelt(self, kind: Literal["exact", "prefix"], value: str, *, field: FieldPath) -> str:
        """The path in the form that requests' paths have. A path without such a form is kept, and matches nothing."""
        form = path_form(kind, value)
        if form is None:
            self._surprise((*field, kind), _NO_PATH)
        elif form != value:
            self._surprise(
                (*field, kind), f"is compared as {form!a}, the form that every request's path has; write that"
            )
        return value if form is None else form

    def _regex_path(self, uri: StringMatch, pattern: str, *, field: FieldPath) -> tuple[PathMatch, ...]:
        if uri.ignore_case:
            path = (*field, "ignoreCase")
            message = (
                f"{format_path(path)} of {self.ref} has no effect on a regex; begin the pattern with (?i) instead."
            )
            self.findings.warning(self.ref, Reason.NO_EFFECT, message=message, field=path)
        literal = strange_literal(pattern)
        if literal is not None:
            what = f"holds {literal!a}, which no request's path holds in this form; see Paths in SECURITY.md"
            self._surprise((*field, "regex"), what)
        if self._is_regex(pattern, (*field, "regex")):
            return (PathMatch("regex", pattern),)
        beginning = literal_prefix(pattern)
        return (PathMatch("prefix", path_form("prefix", beginning) or beginning),) if beginning else ()

    def _header(self, header: HeaderMatcher, field: FieldPath) -> HeaderMatch | None:
        value = header.value or None
        if value is not None and not header.regex:
            value = self._pseudo(header.name.lower(), value, field=(*field, "value"))
        if header.regex and value is not None and not self._is_regex(value, (*field, "value")):
            return None
        regex = header.regex and value is not None
        return HeaderMatch(header.name.lower(), value, regex=regex, invert=header.invert_match)

    def _query(self, one: QueryParameterMatcher, field: FieldPath) -> QueryMatch | None:
        value = one.value or None
        if one.regex and value is not None and not self._is_regex(value, (*field, "value")):
            return None
        return QueryMatch(one.name, value, regex=one.regex and value is not None)

    def _method(self, method: str, field: FieldPath) -> tuple[str, ...]:
        if _METHOD.fullmatch(method):
            return (self._upper(method, field),)
        self.findings.error(
            self.ref,
            Reason.INVALID,
            message=f"{format_path(field)} of {self.ref} is not a method such as GET or POST.",
            field=field,
        )
        return ()

    def _pseudo(self, name: str, value: str, *, field: FieldPath) -> str:
        """The value of a pseudo-header as requests have it; ``:path`` includes the query."""
        if name == ":path":
            path, mark, query = value.partition("?")
            return self._spelt("exact", path, field=field) + mark + query
        return self._upper(value, field) if name == ":method" else value

    def _upper(self, method: str, field: FieldPath) -> str:
        upper = method.upper()
        if method != upper:
            self._surprise(field, f"is compared as {upper}, because a method in lower case is refused; write that")
        return upper

    def _is_regex(self, pattern: str, field: FieldPath) -> bool:
        fault = regex_fault(pattern)
        if fault is None:
            return True
        self.findings.error(
            self.ref,
            Reason.REGEX_ERROR,
            message=f"{format_path(field)} of {self.ref} is not a pattern that RE2 takes: {fault}. Look-around and "
            "back-references do not exist there.",
            field=field,
        )
        return False

    def _surprise(self, field: FieldPath, what: str) -> None:
        self.findings.warning(
            self.ref, Reason.INVALID, message=f"{format_path(field)} of {self.ref} {what}.", field=field
        )

    def _error(self, reason: Reason, name: str, *, what: str, field: FieldPath) -> None:
        path = (*field, name)
        self.findings.error(self.ref, reason, message=f"{format_path(path)} of {self.ref} {what}.", field=path)


def _present(conditions: Iterable[_ConditionT | None]) -> tuple[_ConditionT, ...]:
    return tuple(condition for condition in conditions if condition is not None)
