"""The classification of a text that cannot be read: a guard, another object, or nothing of Wardgate's.

Routes are closed for the sake of a policy that cannot be read, so it has to be told from everything else that lies in
people's folders: charts, CI files, other objects. The text is searched, not parsed. It counts as something else only
where it says so itself; where it says nothing, nobody can tell, and it may be a policy.
"""

from __future__ import annotations

import difflib
import re
from enum import Enum
from typing import Final

from wardgate.api import KINDS
from wardgate.api.kinds.foreign_kinds import FOREIGN_KINDS, GUARDS, misspelt_guard

GUARD: Final = "ExtAuthPolicy"
_OURS: Final = frozenset({*KINDS, "Secret"})
_GROUP: Final = "gloo.solo.io"
_AUTH: Final = "glooAuth"
"""The part of an ExtAuthPolicy that no other object has."""
_KIND: Final = re.compile(r"""(?<![\w./-])["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z]\w*)""", re.ASCII)
_TOP_KEY: Final = re.compile(r"""^[ \t]{,%d}["']?([A-Za-z_][\w./-]*)["']?[ \t]*:(?:[ \t]+["']?([^\s"']*))?""", re.ASCII)
_HELM: Final = re.compile(
    r"\{\{-?\s*(?:[.$]\w|/\*|(?:if|else|end|with|range|include|template|tpl|define|toYaml|required|printf)\b)", re.ASCII
)
_OF_AN_OBJECT: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "items"})
_ALIKE: Final = 0.8


class Classification(Enum):
    """The kind of object that a text may have been."""

    GUARD = "an ExtAuthPolicy, or a guard of a foreign kind"
    OURS = "another object that Wardgate reads"
    FOREIGN = "nothing of Wardgate's"
    UNKNOWN = "anything"

    @property
    def may_guard(self) -> bool:
        """Whether routes may depend on it."""
        return self in {Classification.GUARD, Classification.UNKNOWN}


def is_like_guard(kind: str) -> bool:
    """Whether a kind is that of a guard, or a misspelling of one."""
    if kind in FOREIGN_KINDS:
        return kind in GUARDS
    is_like_ours = bool(difflib.get_close_matches(kind.lower(), [GUARD.lower()], cutoff=_ALIKE))
    return is_like_ours or misspelt_guard(kind) is not None


def names_several(text: str) -> bool:
    """Whether a text holds more than one object: a marker between them is damaged, or it is a stream of JSON."""
    if text.lstrip().startswith("{"):
        return sum(kind in _OURS or kind in GUARDS for kind in _KIND.findall(text)) > 1
    return sum(key == "kind" for key, _ in _top_keys(_content(text))) > 1


def is_template(text: str) -> bool:
    """Whether the text is for Helm to make a manifest of. Policies' own templates name nothing behind a dot."""
    return _HELM.search(text) is not None


def classify(text: str) -> Classification:
    """Judge one document, or one item of a list."""
    named = set(_KIND.findall(text))
    guards = any(map(is_like_guard, named)) or _AUTH in text
    lines = _content(text)
    keys = _top_keys(lines)
    if text.lstrip().startswith("{") and not is_template(text):  # which key is at the top cannot be seen
        top = named
        is_an_object = any(f'"{key}"' in text or f"{key}:" in text for key in _OF_AN_OBJECT)
    else:
        top = {value for key, value in keys if key == "kind" and value.isidentifier()}
        is_an_object = any(key in _OF_AN_OBJECT for key, _ in keys) if keys else not _is_list(lines)
    # The order matters: a text that names its kind at the top is taken at its word, whatever stands below.
    if top and not any(is_like_guard(kind) or kind.endswith("List") for kind in top):
        return Classification.OURS if top & _OURS else Classification.FOREIGN
    if guards:
        return Classification.GUARD
    if top and named & _OURS:
        return Classification.OURS
    if top or not is_an_object or _is_of_another_group(text, keys):
        return Classification.FOREIGN
    return Classification.UNKNOWN


def _content(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "---", "%"))]


def _is_list(lines: list[str]) -> bool:
    """Whether a document is a list, which no object is: a playbook, an array of JSON."""
    return bool(lines) and lines[0].lstrip().startswith(("- ", "["))


def _top_keys(lines: list[str]) -> list[tuple[str, str]]:
    """The keys with the indentation of the first one, with what stands behind them on the line."""
    indentation = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    pattern = re.compile(_TOP_KEY.pattern % indentation, re.ASCII)
    found = (pattern.match(line) for line in lines)
    return [(match[1], match[2] or "") for match in found if match is not None]


def _is_of_another_group(text: str, keys: list[tuple[str, str]]) -> bool:
    """Whether the text is of another API group. A template rarely fills its group in later: none is another one."""
    if is_template(text):
        return _GROUP not in text
    versions = [value for key, value in keys if key == "apiVersion" and value]
    return bool(versions) and not any(_GROUP in version for version in versions) and _GROUP not in text
