"""Options of the proxy, for every command that serves. A field has the name of the setting that it is for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from wardgate.cli.options.option_groups import chosen
from wardgate.cli.options.paths import check_certificates
from wardgate.cli.options.values import Pin, PortMapping, parse_admin, parse_binds, parse_pin, parse_port_mapping
from wardgate.proxy.settings import ProxySettings

_DEFAULTS = ProxySettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class RootOptions:
    """The folders below which a config may name files, for commands that translate and for those that serve."""

    files_root: Annotated[
        Path | None,
        typer.Option(
            "--files-root",
            metavar="DIR",
            exists=True,
            file_okay=False,
            resolve_path=True,
            envvar="WARDGATE_FILES_ROOT",
            help="The one folder whose certificate files manifests may name.",
        ),
    ] = None
    unix_root: Annotated[
        Path | None,
        typer.Option(
            "--unix-root",
            metavar="DIR",
            exists=True,
            file_okay=False,
            resolve_path=True,
            envvar="WARDGATE_UNIX_ROOT",
            help="The one folder whose sockets manifests may name with unix://.",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions:
    """``bind`` is this machine alone, unless a command has another default."""

    bind: Annotated[
        str,
        typer.Option(
            "--bind",
            metavar="ADDR",
            parser=parse_binds,
            envvar="WARDGATE_BIND",
            help="Address to listen on, or several with commas between them; * means all of this machine.",
        ),
    ] = "127.0.0.1"
    ports: Annotated[
        list[PortMapping] | None,
        typer.Option(
            "--port",
            metavar="LISTENER=PORT",
            parser=parse_port_mapping,
            envvar="WARDGATE_PORT",
            help="Bind PORT in the place of a listener's own port; may be repeated. 80=8080 needs no privileges.",
        ),
    ] = None
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            min=0,
            max=512,
            metavar="N",
            envvar="WARDGATE_WORKERS",
            help="Worker processes; 0 follows the CPU quota.",
        ),
    ] = _DEFAULTS.workers
    pins: Annotated[
        list[Pin] | None,
        typer.Option(
            "--resolve",
            metavar="HOST:PORT=ADDR:PORT",
            parser=parse_pin,
            envvar="WARDGATE_RESOLVE",
            help="Dial ADDR:PORT for a destination, as curl --connect-to does; TLS still verifies HOST. "
            "May be repeated.",
        ),
    ] = None
    upstream_ca: Annotated[
        Path | None,
        typer.Option(
            "--upstream-ca",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            callback=check_certificates,
            envvar="WARDGATE_UPSTREAM_CA",
            help="PEM certificates to trust besides the system's.",
        ),
    ] = None
    admin: Annotated[
        str,
        typer.Option(
            "--admin",
            metavar="ADDR:PORT",
            parser=parse_admin,
            envvar="WARDGATE_ADMIN",
            help="Where /healthz, /readyz, /metrics and /revision are; none turns them off.",
        ),
    ] = _DEFAULTS.admin
    access_log: Annotated[
        bool,
        typer.Option(
            "--access-log/--no-access-log",
            envvar="WARDGATE_ACCESS_LOG",
            help="One JSON line a request on standard output.",
        ),
    ] = _DEFAULTS.access_log

    def settings(self, roots: RootOptions) -> ProxySettings:
        """Return the settings that the options are for."""
        return ProxySettings(**chosen(self, roots, many=tuple))
