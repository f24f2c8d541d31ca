"""Whether this machine can run the node at all, and the words for it if not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from typing import Final

from tests.node.cgroups import HIERARCHIES

PACKAGES: Final = {
    "containerd": ("containerd", "ctr"),
    "runc": ("runc",),
    "containernetworking-plugins": ("/usr/lib/cni/bridge", "/usr/lib/cni/host-local", "/usr/lib/cni/portmap"),
    "iptables": ("iptables",),
    "iproute2": ("ip",),
    "conntrack": ("conntrack",),
    "util-linux": ("unshare", "nsenter", "mount"),
    "debootstrap": ("debootstrap",),
}
"""Debian's packages, and what of each must be there."""


class CannotRunError(Exception):
    """This machine cannot run a node. The message says what is missing and what to do."""


def require_root() -> None:
    """Raise ``CannotRunError`` unless this process may make namespaces, mounts and cgroups."""
    if os.geteuid() != 0:
        raise CannotRunError(
            "A node with real pods needs root: run this as root, or use kind with `make e2e`, which needs a Docker."
        )
    if not HIERARCHIES.is_dir():
        raise CannotRunError(f"A node with real pods needs Linux with cgroups, and {HIERARCHIES} is not there.")


def require_packages(packages: Iterable[str] = tuple(PACKAGES)) -> None:
    """Raise ``CannotRunError`` that names the Debian packages which are missing."""
    missing = [package for package in packages if not all(map(shutil.which, PACKAGES[package]))]
    if missing:
        raise CannotRunError(
            f"A node with real pods needs {', '.join(missing)}: run "
            f"`apt-get install --no-install-recommends {' '.join(missing)}` (Debian and Ubuntu)."
        )
