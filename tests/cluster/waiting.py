"""Wait for something to become true, with a limit and a clear word when it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.01


def wait_until(probe: Callable[[], T], *, seconds: float, what: str) -> T:
    """Call ``probe`` until it gives something true, and give that.

    An ``AssertionError`` counts as not yet; so a probe may be written like a test. So does a ``LookupError``: a status
    or a page may lack an entry until somebody has written it. When the time is up, the failure says ``what`` was
    waited for and what the last answer was.
    """
    deadline = time.monotonic() + seconds
    while True:
        last: object
        try:
            if answer := probe():
                return answer
            last = answer
        except (AssertionError, LookupError) as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds:g} s: {what}. The last answer was: {last!r}")
        time.sleep(POLL_SECONDS)
