"""How a field is taken out of a manifest without turning what holds it into null.

Where a field is the last one of its mapping, deleting its line leaves ``route:`` alone, which is null and not empty:
the API server drops it, and a selector of every route is none any more. So the remedy says what to write instead.
"""

from __future__ import annotations

from wardgate.problems import FieldPath


def removal(path: FieldPath, *, alone: bool) -> str:
    """The remedy, as a clause. ``alone``: nothing else that stays is in the mapping that holds the field."""
    if not alone or len(path) < 2:
        return "remove it"
    holder = path[-2]
    if isinstance(holder, int):
        return "remove it, and write {} because nothing else is left in the entry"
    return f"remove it, and write {holder}: {{}} because nothing else is left in there"


def removal_sentence(path: FieldPath, *, alone: bool) -> str:
    """The same as a sentence."""
    return f"{removal(path, alone=alone).replace('remove', 'Remove', 1)}."
