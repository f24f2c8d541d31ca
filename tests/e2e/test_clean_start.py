"""An installation that comes up as it should says nothing that somebody would have to look into."""

from __future__ import annotations

import re
from typing import Final

from tests.cluster.cluster import Cluster
from tests.e2e.door import PATH, POLICY, Door
from tests.e2e.installation import Installation

_ALARMING: Final = re.compile(r"WARNING|ERROR|CRITICAL|Traceback|cannot|could not|denied|refused|fail", re.IGNORECASE)


def test_clean_start_and_end_alarm_nobody(installation: Installation, cluster: Cluster) -> None:
    """As Helm starts them: all at once, the proxies before there is anything to serve."""
    door = Door(cluster)
    door.key("kept", "kept-key")
    proxies = [installation.proxy("--port", "80=0", "--port", "443=0", wait=False) for _ in range(2)]
    operators = [installation.operator() for _ in range(2)]
    installation.everywhere(401, PATH)
    installation.wait_until(lambda: door.condition("Programmed").get("status") == "True", f"the {POLICY} is programmed")
    programs = [*(one.program for one in operators), *(one.program for one in proxies)]
    for program in programs:
        program.stop()

    told = [line for program in programs for line in program.lines if " DEBUG " not in line]
    assert [] == [line for line in told if _ALARMING.search(line)]
