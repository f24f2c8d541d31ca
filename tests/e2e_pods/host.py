"""Signals from the node: a container's first process hears none that would stop it from within its own pod."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.cluster.objects import Object
from tests.e2e_pods.pods import wait_for_pod
from tests.e2e_pods.release import IMAGE, TAG
from tests.e2e_pods.site import Site

STOP: Final = """
import os, pathlib, re, signal
uid = UID.replace("-", "[-_]")
for each in pathlib.Path("/proc").iterdir():
    if not each.name.isdigit():
        continue
    try:
        words = (each / "cmdline").read_bytes().split(b"\\0")
        here = re.search(uid, (each / "cgroup").read_text())
        inner = re.search(r"^NSpid:.*\\t1$", (each / "status").read_text(), re.M)
    except OSError:
        continue
    if here and inner and any(word.endswith(b"wardgate") for word in words):
        os.kill(int(each.name), signal.SIGSTOP)
        print(each.name)
"""


class Host:
    """A pod that sees the node's processes; it is root, so its namespace enforces nothing."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.namespace = site.namespace("host", restricted=False)
        container = {
            "name": "host",
            "image": f"{IMAGE}:{TAG}",
            "imagePullPolicy": "Never",
            "command": ["python3", "-c", "import time; time.sleep(3600)"],
            "securityContext": {"privileged": True, "runAsUser": 0, "runAsNonRoot": False},
        }
        spec: dict[str, Any] = {"hostPID": True, "terminationGracePeriodSeconds": 0, "containers": [container]}
        metadata = {"name": "host", "namespace": self.namespace}
        site.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        wait_for_pod(site, self.namespace, "host")

    def stop(self, pod: Object) -> None:
        """Stop the first process of a pod's container, as if it hung."""
        said = self._site.run_in(self.namespace, "host", f"UID = {json.dumps(pod['metadata']['uid'])}\n{STOP}")
        assert 1 == len(said.split()), f"one process is stopped, not {said!r}"
