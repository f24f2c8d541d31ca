"""Options that several commands share, and how their values are read. Every one has a variable ``WARDGATE_...``."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import typer

from wardgate.cli import assignments
from wardgate.cli.assignments import Assignment, Part
from wardgate.cli.paths import check_certificates
from wardgate.printable import printable
from wardgate.proxy.settings import ProxySettings
from wardgate.settings import Settings

_HOST: Final = re.compile(r"[0-9A-Za-z]([-._0-9A-Za-z]*[0-9A-Za-z])?")


class PortMapping(NamedTuple):
    """A listener's port, and the one to bind in its place."""

    listener: int
    bound: int


class Pin(NamedTuple):
    """A destination as the manifests name it, and what to dial in its place."""

    name: str
    address: str


def parse_port_mapping(text: str | PortMapping) -> PortMapping:
    """Read ``80=8080``."""
    if isinstance(text, PortMapping):
        return text
    listener, _, bound = text.partition("=")
    if not bound:
        raise typer.BadParameter(f'"{text}" is not LISTENER=PORT, for example 80=8080.')
    return PortMapping(_port(listener), _port(bound, lowest=0))


def parse_pin(text: str | Pin) -> Pin:
    """Read ``api.openai.com:443=127.0.0.1:8443``."""
    if isinstance(text, Pin):
        return text
    name, _, address = text.partition("=")
    host, _, port = name.rpartition(":")
    ip, _, target_port = address.rpartition(":")
    if not host or not ip:
        raise typer.BadParameter(f'"{text}" is not HOST:PORT=ADDR:PORT, for example api.openai.com:443=127.0.0.1:8443.')
    if _HOST.fullmatch(host) is None:
        raise typer.BadParameter(f'"{host}" is not a host name.')
    try:
        ipaddress.ip_address(ip.strip("[]"))
    except ValueError as error:
        raise typer.BadParameter(f'"{ip}" is not an IP address; put one on the right of "=".') from error
    return Pin(f"{host.lower().rstrip('.')}:{_port(port)}", f"{ip.strip('[]')}:{_port(target_port)}")


def parse_bind(text: str) -> str:
    """Read an address to listen on."""
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError as error:
        raise typer.BadParameter(f'"{text}" is not an IP address; use 127.0.0.1, or 0.0.0.0 for all.') from error


def parse_admin(text: str) -> str:
    """Read ``ADDR:PORT``, or ``none``."""
    if text in {"", "none"}:
        return ""
    address, _, port = text.rpartition(":")
    if not address:
        raise typer.BadParameter(f'"{text}" is not ADDR:PORT, for example 127.0.0.1:9901, or "none".')
    bound = parse_bind(address)
    return f"[{bound}]:{_port(port, lowest=0)}" if ":" in bound else f"{bound}:{_port(port, lowest=0)}"


def _port(text: str, *, lowest: int = 1) -> int:
    if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= 65535:
        raise typer.BadParameter(f'"{text}" is not a port; ports are {lowest} to 65535.')
    return int(text)


# Options of the proxy.

BindOption = Annotated[
    str, typer.Option("--bind", metavar="ADDR", parser=parse_bind, envvar="WARDGATE_BIND", help="Address to listen on.")
]
PortOption = Annotated[
    list[PortMapping] | None,
    typer.Option(
        "--port",
        metavar="LISTENER=PORT",
        parser=parse_port_mapping,
        envvar="WARDGATE_PORT",
        help="Bind PORT in the place of a listener's own port; may be repeated. 80=8080 needs no privileges.",
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option(
        "--workers",
        min=0,
        max=512,
        metavar="N",
        envvar="WARDGATE_WORKERS",
        help="Worker processes; 0 follows the CPU quota.",
    ),
]
ResolveOption = Annotated[
    list[Pin] | None,
    typer.Option(
        "--resolve",
        metavar="HOST:PORT=ADDR:PORT",
        parser=parse_pin,
        envvar="WARDGATE_RESOLVE",
        help="Dial ADDR:PORT for a destination, as curl --connect-to does; TLS still verifies HOST. May be repeated.",
    ),
]
UpstreamCaOption = Annotated[
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
]
AdminOption = Annotated[
    str,
    typer.Option(
        "--admin",
        metavar="ADDR:PORT",
        parser=parse_admin,
        envvar="WARDGATE_ADMIN",
        help="Where /healthz, /readyz, /metrics and /revision are; none turns them off.",
    ),
]
AccessLogOption = Annotated[
    bool,
    typer.Option(
        "--access-log/--no-access-log", envvar="WARDGATE_ACCESS_LOG", help="One JSON line a request on standard output."
    ),
]
FilesRootOption = Annotated[
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
]
UnixRootOption = Annotated[
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
]
# Options of the translation.

TenancyOption = Annotated[
    Literal["shared", "isolated"],
    typer.Option(
        "--tenancy",
        envvar="WARDGATE_TENANCY",
        help="shared: policies act in all namespaces. isolated: outside --platform-namespace only in their own.",
    ),
]
PlatformNamespaceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--platform-namespace",
        metavar="NAME",
        envvar="WARDGATE_PLATFORM_NAMESPACES",
        help="A namespace whose objects act everywhere under --tenancy isolated; may be repeated.",
    ),
]
RequireAuthOption = Annotated[
    bool,
    typer.Option(
        "--require-auth/--no-require-auth",
        envvar="WARDGATE_REQUIRE_AUTH",
        help="Answer 401 on routes without a valid ExtAuthPolicy.",
    ),
]
ForeignGuardsOption = Annotated[
    Literal["close", "ignore"],
    typer.Option(
        "--foreign-guards",
        envvar="WARDGATE_FOREIGN_GUARDS",
        help="Routes that only a JWTPolicy, a WAFPolicy or another kind that Wardgate does not implement guards: "
        "close (403), or ignore, which leaves them open.",
    ),
]
TemplateEnvOption = Annotated[
    list[str] | None,
    typer.Option(
        "--template-env",
        metavar="NAME",
        envvar="WARDGATE_TEMPLATE_ENV",
        help="An environment variable that templates may read with env(); may be repeated.",
    ),
]

# Options of whoever talks to a cluster.

ReleaseOption = Annotated[
    str,
    typer.Option("--release", metavar="NAME", envvar="WARDGATE_RELEASE", help="Name of the installation."),
]
ConfigNamespaceOption = Annotated[
    str | None,
    typer.Option(
        "--config-namespace",
        metavar="NAME",
        envvar="WARDGATE_CONFIG_NAMESPACE",
        help="Where the published configs are. [default: RELEASE-config]",
    ),
]
KubeconfigOption = Annotated[
    str | None,
    typer.Option(
        "--kubeconfig",
        metavar="FILE",
        envvar="KUBECONFIG",
        help="Which cluster. [default: the pod's own, else ~/.kube/config]",
    ),
]
ContextOption = Annotated[
    str | None,
    typer.Option("--context", metavar="NAME", help="Context of the kubeconfig. [default: its current one]"),
]


def _set_option(*parts: Part, example: str) -> object:
    return typer.Option(
        "--set",
        metavar="NAME=VALUE",
        parser=assignments.parse_assignment,
        callback=assignments.only(*parts),
        envvar="WARDGATE_SET",
        help=f"A setting by its name, for example {example}; may be repeated. docs/settings.md says what each one does "
        f"and its default. Names: {assignments.names(*parts)}.",
    )


SetOption = Annotated[list[Assignment] | None, _set_option("proxy", "translate", example="limits.head_bytes=128KiB")]
ProxySetOption = Annotated[list[Assignment] | None, _set_option("proxy", "cluster", example="timeouts.connect=3")]
TranslationSetOption = Annotated[
    list[Assignment] | None, _set_option("translate", example="template_limits.steps=1000000")
]
OperatorSetOption = Annotated[
    list[Assignment] | None, _set_option("translate", "cluster", example="template_limits.steps=1000000")
]

DEFAULT_BIND: Final = "127.0.0.1"
DEFAULT_ADMIN: Final = "127.0.0.1:9901"


def proxy_settings(
    *,
    bind: str,
    ports: list[PortMapping] | None,
    workers: int,
    resolve: list[Pin] | None,
    upstream_ca: Path | None,
    admin: str,
    access_log: bool,
    files_root: Path | None,
    unix_root: Path | None,
    assigned: Sequence[Assignment] | None,
) -> ProxySettings:
    """Put the proxy's settings together."""
    return ProxySettings(
        bind=bind,
        ports=tuple((mapping.listener, mapping.bound) for mapping in ports or ()),
        workers=workers,
        admin=admin,
        pins=tuple((pin.name, pin.address) for pin in resolve or ()),
        upstream_ca=str(upstream_ca or ""),
        files_root=str(files_root or ""),
        unix_root=str(unix_root or ""),
        access_log=access_log,
        installation=assignments.installation(assigned or ()),
        limits=assignments.limits(assigned or ()),
        timeouts=assignments.timeouts(assigned or ()),
    )


def translation_settings(
    *,
    tenancy: Literal["shared", "isolated"],
    platform_namespaces: list[str] | None,
    require_auth: bool,
    foreign_guards: Literal["close", "ignore"],
    template_env: list[str] | None,
    files_root: Path | None,
    unix_root: Path | None,
    allow_loopback: bool = True,
    assigned: Sequence[Assignment] | None,
) -> Settings:
    """Put the translation's settings together. A gateway of this machine may reach this machine, unless told not to."""
    if platform_namespaces and tenancy != "isolated":
        named = " ".join(f"--platform-namespace {name}" for name in platform_namespaces)
        typer.echo(f"warning: {printable(named)} has no effect without --tenancy isolated.", err=True)
    if tenancy == "isolated" and not platform_namespaces:
        typer.echo(
            "warning: --tenancy isolated without --platform-namespace: no VirtualGateway opens a listener.", err=True
        )
    options = Settings(
        tenancy=tenancy,
        platform_namespaces=frozenset(platform_namespaces or ()),
        require_auth=require_auth,
        foreign_guards=foreign_guards,
        template_env=frozenset(template_env or ()),
        files_root=str(files_root) if files_root else None,
        unix_root=str(unix_root) if unix_root else None,
        allow_loopback=allow_loopback,
    )
    return assignments.of_the_translation(options, assigned or ())
