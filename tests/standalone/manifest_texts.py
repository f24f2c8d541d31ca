"""Manifests for the tests of this package, as text."""

from __future__ import annotations

import textwrap


def text(content: str) -> str:
    """Take the indentation of the test away."""
    return textwrap.dedent(content).lstrip("\n")


def secret(name: str, *, namespace: str | None = None, key: str = "bXlzZWNyZXRrZXk=") -> str:
    where = f"\n  namespace: {namespace}" if namespace else ""
    return f"""\
apiVersion: v1
kind: Secret
metadata:
  name: {name}{where}
type: extauth.solo.io/apikey
data:
  api-key: {key}
"""


def table(name: str, *, weight: int = 0) -> str:
    return f"""\
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata:
  name: {name}
spec:
  weight: {weight}
"""


BROKEN = """\
kind: "RouteTable
metadata:
"""
