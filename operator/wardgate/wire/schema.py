"""Which format is written, and which ones are read.

The schema is ``major.minor``. A reader reads its own major and the one before, with any minor: an older minor lacks
fields (their defaults stand in), a newer one has fields, kinds or words that this reader does not know, and ``decode``
closes what uses them. So a **minor** may add only what an older reader may safely close or count as met:

* a field with a default that means "as before" (defaults are never written, so nothing changes for configs that do
  not use it), a new kind in a tagged union, a new word in a closed list of words;
* a top-level part or a group; it closes everything for older readers, unless its name begins with ``info_`` (a part) or
  ``info-`` (a group): those are notes for people and tools, and no reader acts on ones it does not know.

Everything else is a new **major**: to remove or rename a field or a kind, to change a type or a default, to let a route
or a host take *more* requests than its known conditions say (an older reader would let them fall through to another
route), to turn a field that has one dataclass as its type into a union.
"""

from __future__ import annotations

import re
from typing import Final

from wardgate.wire.errors import SchemaError

WRITTEN: Final = ("1.0",)
"""The schemas that this version can write, the newest last: its own, and the major before while there is one."""
SCHEMA: Final = WRITTEN[-1]


def major_of(schema: str) -> int:
    """The major of a schema that some version wrote."""
    return int(schema.partition(".")[0])


READ_MAJORS: Final = tuple(major_of(schema) for schema in reversed(WRITTEN))
"""This version's own major and the one before, where there is one."""

_SCHEMA = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")


def check_schema(schema: object) -> None:
    """Raise ``SchemaError`` unless this version reads ``schema``."""
    found = _SCHEMA.fullmatch(schema) if isinstance(schema, str) else None
    if found is None:
        msg = "The schema version is missing or is not written as major.minor."
        raise SchemaError(msg)
    if int(found[1]) not in READ_MAJORS:
        msg = f"Schema {found[0]} is not read by this version, which writes {SCHEMA}: upgrade the older side."
        raise SchemaError(msg)
