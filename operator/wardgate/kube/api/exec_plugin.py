"""Runs the program that a kubeconfig names for a user's credentials (EKS, GKE and AKS have one each).

The contract is ``client.authentication.k8s.io``: what we know goes in by ``KUBERNETES_EXEC_INFO``, an
``ExecCredential`` comes out on standard output. The program's standard error is ours, as with kubectl.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass, field
from typing import Any, Final

from wardgate.kube.api.kubeconfig_file import Fields

SECONDS: Final = 60.0
"""A person may have to log in meanwhile."""
_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_CLUSTER_CONFIG: Final = "client.authentication.k8s.io/exec"
"""The extension of a cluster that is meant for plugins."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token, a client certificate with its key, or both."""

    token: str = field(repr=False)
    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)


async def run_plugin(plugin: Fields, *, cluster: Fields) -> Credentials:
    """Ask the program. Raises ``NoAccess`` with its name: there is none, it fails, or it answers something else."""
    version, command = plugin.text("apiVersion"), plugin.text("command")
    if version not in _VERSIONS:
        raise plugin.wrong(f"apiVersion is none of {', '.join(_VERSIONS)}; update the plugin's entry")
    if not command:
        raise plugin.wrong("command is missing")
    # A name without a slash is searched in the PATH, every other one starts from the kubeconfig.
    program = str(plugin.folder / command) if "/" in command else command
    arguments = [str(each) for each in plugin.several("args")]
    answer = await _run(plugin, program, *arguments, environment=_environment(plugin, cluster))
    return _read_answer(plugin, answer)


def _is_interactive(plugin: Fields) -> bool:
    mode = plugin.text("interactiveMode") or "IfAvailable"
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    if mode == "Always" and not is_terminal:
        raise plugin.wrong("it asks somebody at a terminal, and there is none")
    return is_terminal and mode != "Never"


def _environment(plugin: Fields, cluster: Fields) -> dict[str, str]:
    spec: dict[str, object] = {"interactive": _is_interactive(plugin)}
    if plugin.flag("provideClusterInfo"):
        spec["cluster"] = _told_of(cluster)
    told = {"kind": "ExecCredential", "apiVersion": plugin.text("apiVersion"), "spec": spec}
    own = {}
    for pair in plugin.several("env"):
        if not isinstance(pair, dict) or not {"name", "value"} <= pair.keys():
            raise plugin.wrong("an entry of env has no name or no value")
        own[str(pair["name"])] = str(pair["value"])
    return {**os.environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(told)}


def _told_of(cluster: Fields) -> dict[str, object]:
    """The cluster's fields in the form of a plugin."""
    authority = cluster.pem("certificate-authority")
    texts = {name: cluster.text(name) for name in ("server", "tls-server-name", "proxy-url")}
    told: dict[str, object] = {name: text for name, text in texts.items() if text}
    if authority:
        told["certificate-authority-data"] = base64.b64encode(authority).decode()
    if cluster.flag("insecure-skip-tls-verify"):
        told["insecure-skip-tls-verify"] = True
    for each in cluster.several("extensions"):
        if isinstance(each, dict) and each.get("name") == _CLUSTER_CONFIG:
            told["config"] = each.get("extension")
    return told


async def _run(plugin: Fields, program: str, *arguments: str, environment: dict[str, str]) -> dict[str, Any]:
    stdin = None if _is_interactive(plugin) else DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(program, *arguments, env=environment, stdin=stdin, stdout=PIPE)
    except OSError as error:
        hint = plugin.text("installHint")
        raise plugin.wrong(f"{program} cannot be run ({type(error).__name__}). {hint}".rstrip()) from None
    try:
        async with asyncio.timeout(SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        raise plugin.wrong(f"{program} gave no answer within {SECONDS:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise plugin.wrong(f"{program} ended with status {process.returncode}")
    try:
        answer = json.loads(output)
    except ValueError:
        # Errors of the parser quote the answer.
        raise plugin.wrong(f"the answer of {program} is not JSON") from None
    return answer if isinstance(answer, dict) else {}


def _read_answer(plugin: Fields, answer: dict[str, Any]) -> Credentials:
    version = plugin.text("apiVersion")
    if (answer.get("kind"), answer.get("apiVersion")) != ("ExecCredential", version):
        raise plugin.wrong(f"the answer is not an ExecCredential of {version}")
    status = answer.get("status")
    given = Fields(f"{plugin.title}, answer", plugin.folder, status if isinstance(status, dict) else {})
    token = given.text("token")
    certificate, key = given.text("clientCertificateData"), given.text("clientKeyData")
    if bool(certificate) != bool(key) or not (token or key):
        raise plugin.wrong("the answer has neither a token nor a certificate with its key")
    return Credentials(token, certificate.encode(), key.encode())
