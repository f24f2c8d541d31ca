"""A profile as a sentence."""

from __future__ import annotations

from benchmarks.gateways.cases.profile import described

RAW = """\
<module> (spin.py:1);run (wardgate/proxy/io/worker.py:2);write (wardgate/proxy/io/outbox.py:5) 60
<module> (spin.py:1);read (wardgate/proxy/io/outbox.py:9);write (wardgate/proxy/io/outbox.py:5) 20
<module> (spin.py:1);run (wardgate/proxy/io/worker.py:2) 15
call (native) 5
"""


def test_functions_are_listed_by_their_own_time() -> None:
    assert "own time: `outbox.write` 80%, `worker.run` 15%, `call` 5%." == described(RAW)
