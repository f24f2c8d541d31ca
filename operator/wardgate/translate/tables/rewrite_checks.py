"""Checks the targets of path rewrites, and tells what to write instead of a text that means something else here.

A path has no query. In RE2's substitutions a group is a backslash with its number; elsewhere ``$1`` is common, which
would be sent literally.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from wardgate.http_grammar import UNSENDABLE_IN_PATH
from wardgate.ir import RegexRewrite
from wardgate.problems import FieldPath, ObjectRef, Reason, format_path
from wardgate.text_codec import to_bytes
from wardgate.translate.findings import Findings
from wardgate.translate.matching.regexes import group_count, regex_fault
from wardgate.url_path import settle

_PATH: Final = re.compile(r"/[\x21-\x22\x24-\x3e\x40-\x7e]*")
_NO_FORM: Final = "has to hold no dot segment, no %00, and no % but before two hex digits; correct it"
_UNSENDABLE: Final = re.compile(f"[{UNSENDABLE_IN_PATH}]")
_ESCAPED: Final = re.compile(r"\\(.?)", re.DOTALL)
_DOLLAR: Final = re.compile(r"\$(?:(\d)|\{(\d)\})")
_GROUP: Final = re.compile(r"\$(?:\d|\{\d\})|\\\d")
_SET_PATH: Final = 'let a TransformationPolicy of this route set the header ":path" to the path with its query'


@dataclass(frozen=True, slots=True)
class RewriteReader:
    """Checks the rewrites of one table; problems go to ``findings``."""

    ref: ObjectRef
    findings: Findings

    def check_prefix(self, path: str, field: FieldPath) -> None:
        """Check ``pathRewrite``."""
        if "?" in path:
            self._error(
                Reason.INVALID, f"holds a query, which no path has; remove pathRewrite, and {_SET_PATH}", field=field
            )
        self._check_path(path, field)
        if settle(to_bytes(path)) is None:
            self._error(Reason.INVALID, _NO_FORM, field=field)
        self._warn_of_groups(path, field, remedy="use regexRewrite with the substitution to insert a group")

    def check_redirect(self, path: str, field: FieldPath) -> None:
        """Check ``pathRedirect``."""
        if "?" in path:
            text = "holds a query, which no path has; remove the query: that of the request is kept"
            self._error(Reason.INVALID, text, field=field)
        self._check_path(path, field)
        self._warn_of_groups(path, field, remedy="write the path itself")

    def _check_path(self, path: str, field: FieldPath) -> None:
        if not _PATH.fullmatch(path.partition("?")[0]):
            self._error(
                Reason.INVALID,
                "has to begin with / and to hold neither blanks, # nor letters beyond ASCII; write %20 for a blank",
                field=field,
            )

    def check_regex(self, rewrite: RegexRewrite, field: FieldPath) -> None:
        """Check ``regexRewrite``."""
        fault = regex_fault(rewrite.pattern)
        if fault is not None:
            text = f"is not a pattern that RE2 takes: {fault}; correct it"
            self._error(Reason.REGEX_ERROR, text, field=(*field, "pattern", "regex"))
            return
        if _UNSENDABLE.search(rewrite.substitution):
            text = "holds a blank, a control character or #, which no path can hold; write %20 for a blank"
            self._error(Reason.INVALID, text, field=(*field, "substitution"))
        groups, place = group_count(rewrite.pattern), (*field, "substitution")
        for escaped in _ESCAPED.findall(rewrite.substitution):
            if escaped != "\\" and not (escaped.isascii() and escaped.isdigit() and int(escaped) <= groups):
                text = f"may refer to \\0 to \\{groups} and to no other group; write a backslash as \\\\"
                self._error(Reason.REGEX_ERROR, text, field=place)
        self._warn_of_dollars(rewrite.substitution, groups, field=place)
        if "?" in rewrite.substitution:
            text = f"writes a query, behind which that of a request stands as a second one; {_SET_PATH} instead"
            self._warn(Reason.INVALID, text, field=place)

    def _warn_of_dollars(self, substitution: str, groups: int, *, field: FieldPath) -> None:
        for found in _DOLLAR.finditer(substitution):
            number = int(found[1] or found[2])
            remedy = f"write \\{number} for the group"
            if number > groups:
                remedy = f"put what is meant in parentheses in the pattern, and write \\{groups + 1}"
            self._warn(Reason.REGEX_ERROR, f"holds {found[0]}, which is sent as it stands; {remedy}", field=field)

    def _warn_of_groups(self, path: str, field: FieldPath, *, remedy: str) -> None:
        found = _GROUP.search(path)
        if found is not None:
            self._warn(Reason.REGEX_ERROR, f"holds {found[0]}, which stands for no group here; {remedy}", field=field)

    def _warn(self, reason: Reason, what: str, *, field: FieldPath) -> None:
        self.findings.warning(self.ref, reason, message=f"{format_path(field)} of {self.ref} {what}.", field=field)

    def _error(self, reason: Reason, what: str, *, field: FieldPath) -> None:
        self.findings.error(self.ref, reason, message=f"{format_path(field)} of {self.ref} {what}.", field=field)
