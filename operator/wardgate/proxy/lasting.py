"""The garbage collector passes over a config: it lives until the next one, and has no cycles (a test says so).

Python's collector stops everything while it looks through what is new, a tenth of a second for a hundred thousand keys.
Reference counts free a config that has been replaced.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting() -> Iterator[None]:
    """Never look through what is built within: it lasts. What was left behind before is collected first.

    What lives at the end is frozen, requests in flight and their connections too, which must leave no cycles either.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
