"""The stage of a case: servers that are started on their cores, checked once, and ended with the case."""

from __future__ import annotations

import random
import ssl
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.gateways.load.caller import Caller, CallerError
from benchmarks.gateways.machine import Cores
from benchmarks.gateways.peers import envoy, haproxy, nginx, wardgate
from benchmarks.gateways.peers.site import KEY_HEADER, PROTECTION, PROVIDER, SHAPED, Certificate, Site, expected, key
from benchmarks.gateways.process import Server
from benchmarks.gateways.rounds import say
from benchmarks.gateways.tools import Tools
from tests.cluster.ports import stable_ports

PEERS: Mapping[str, Callable[[Path, Site], list[str]]] = {
    "envoy": envoy.command,
    "haproxy": haproxy.command,
    "nginx": nginx.command,
}
SHAPED_BODY = b'{"model": "gpt-5", "stream": false, "prompt": "Hello"}'


@dataclass(frozen=True, slots=True)
class Upstream:
    """The ports of the upstream that answers at the speed of C."""

    clear: int
    tls: int


@dataclass(frozen=True, slots=True)
class Stage:
    """``environments`` has the virtual environments of Wardgate, by the names of their columns.

    ``chosen`` are the servers that may take part; ``folder`` is empty at first. ``rounds`` counts where a case asks for
    no other number; a burst of wrk takes ``seconds``. ``profile``: tell where the time goes of what misses its goal.
    """

    environments: Mapping[str, Path]
    chosen: Collection[str]
    tools: Tools
    folder: Path
    cores: Cores
    rounds: int
    seconds: int
    requests: int
    certificate: Certificate
    chance: random.Random
    profile: bool = False

    def of(self, servers: Sequence[str]) -> tuple[str, ...]:
        """Return those of the servers that take part."""
        return tuple(server for server in servers if server in self.chosen)

    def upstream(self, stack: ExitStack) -> Upstream:
        """Start the upstream."""
        clear, tls = stable_ports(2)
        command = nginx.upstream_command(
            self.tools.path("nginx"), self.folder, self.certificate, port=clear, tls_port=tls
        )
        self.start(stack, "upstream", command, port=clear, cpus=self.cores.load)
        return Upstream(clear, tls)

    def event_source(self, stack: ExitStack, *, events_a_second: float = 20.0) -> int:
        """Start the stand-in provider in Python; return its port."""
        (port,) = stable_ports(1)
        command = python_module("load.event_source", port, events_a_second)
        self.start(stack, "event source", command, port=port, cpus=self.cores.load)
        return port

    def site(self, upstream: int) -> Site:
        """Return a plain site at a new port."""
        return Site(port=stable_ports(1)[0], upstream=upstream, folder=self.folder)

    def serve(self, stack: ExitStack, server: str, site: Site, *, cpus: Sequence[int] = ()) -> Server:
        """Start a gateway, by default on its core, and see that it does its job. Raises ``ServerError``."""
        say(f"    starting {server}")
        command = self._command(server, site)
        running = self.start(stack, server, command, port=site.port, cpus=cpus or self.cores.gateway)
        try:
            check(site)
        except (OSError, CallerError) as error:
            raise running.trouble(f"does not do its job: {error}") from error
        running.settle()
        return running

    def start(self, stack: ExitStack, name: str, command: Sequence[str], *, port: int, cpus: Sequence[int]) -> Server:
        """Start a program and wait until it listens. Raises ``ServerError``."""
        said = self.folder / f"{name}-{port}.log"
        server = stack.enter_context(
            Server(name, command, port=port, cpus=cpus, reader_cpus=self.cores.load, said=said)
        )
        server.wait()
        return server

    def _command(self, server: str, site: Site) -> list[str]:
        if server in self.environments:
            bundle = wardgate.BundleFile(site)
            bundle.prepare()
            bundle.put()
            return wardgate.command(self.environments[server], site, bundle.path)
        program = self.tools.path(server)
        return PEERS[server](program, site)


def python_module(name: str, *arguments: object) -> list[str]:
    """Return the command that runs a module of this package with this interpreter."""
    return [sys.executable, "-m", f"benchmarks.gateways.{name}", *map(str, arguments)]


def check(site: Site) -> None:
    """See that a gateway refuses a wrong key, sends what is expected, and protects both sides as the others do.

    Raises ``CallerError``.
    """
    with closing(_caller(site, f"{KEY_HEADER}: {key(0)}\r\n")) as caller:
        _compare(caller.get("/t0/seen"), expected("/v1/seen", tls=site.upstream_tls is not None))
        if site.certificate is not None and caller.protection != PROTECTION:
            msg = f"Callers get {caller.protection} and not {PROTECTION}."
            raise CallerError(msg)
    if site.shaped:
        with closing(_caller(site, f"{KEY_HEADER}: {key(0)}\r\nx-team: blue-7\r\n")) as caller:
            _compare(caller.post(f"{SHAPED}seen", SHAPED_BODY), expected("/v1/seen", team="blue"))
    try:
        with closing(_caller(site, f"{KEY_HEADER}: wrong\r\n")) as caller:
            caller.get("/t0/seen")
    except CallerError as refused:
        _compare(str(refused).partition("HTTP/1.1 ")[2][:3], "401")
    else:
        msg = "A wrong key is accepted."
        raise CallerError(msg)


def _caller(site: Site, headers: str) -> Caller:
    tls = None if site.certificate is None else ssl.create_default_context(cafile=site.certificate.authority)
    return Caller(site.port, headers=headers, tls=tls)


def certified(folder: Path) -> Certificate:
    """Write a certificate for callers and upstream, and the authority that signed it."""
    authority = trustme.CA()
    issued = authority.issue_cert(PROVIDER, "localhost", "127.0.0.1")
    certificate = Certificate(folder / "chain.pem", folder / "key.pem", folder / "authority.pem")
    certificate.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(certificate.private_key))
    authority.cert_pem.write_to_path(str(certificate.authority))
    return certificate


def _compare(found: str, wanted: str) -> None:
    if found != wanted:
        msg = f"The upstream saw {found!r} and not {wanted!r}."
        raise CallerError(msg)
