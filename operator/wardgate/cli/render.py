"""``wardgate render``: what the gateway would do with one request."""

from __future__ import annotations

import os
import re
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from wardgate.cli.console import Printer
from wardgate.cli.errors import USAGE, CommandError
from wardgate.cli.options import assignments
from wardgate.cli.options.excluding import ExcludeOption
from wardgate.cli.options.option_groups import grouped
from wardgate.cli.options.paths import FolderArgument
from wardgate.cli.options.proxy_options import RootOptions
from wardgate.cli.options.set_option import TranslationSetOption
from wardgate.cli.options.translation_options import TranslationOptions
from wardgate.cli.rehearsal import Performance, Trial, rehearse
from wardgate.ir import GatewayConfig, Listener
from wardgate.printable import printable_json
from wardgate.proxy.core.origin.addresses import read_address
from wardgate.standalone.rounds.engine import Engine
from wardgate.standalone.scan.folder import Folder
from wardgate.text_codec import to_bytes

REFUSED: Final = 3
"""Exit status when the gateway would refuse the request."""

_REQUEST: Final = re.compile(r"(?:([A-Za-z]+)\s+)?(?:https?://([^/\s?]*))?(/\S*|\*)?", re.ASCII)


@grouped
def render(
    folder: FolderArgument,
    *,
    exclude: ExcludeOption = None,
    request: Annotated[
        str,
        typer.Option(
            "--request", "-X", metavar="'METHOD PATH'", help="Method and path, or a whole URL, which names the host."
        ),
    ],
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="A header; may be repeated.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", "-d", metavar="TEXT|@FILE", help="The body; @- is standard input.")
    ] = None,
    listener: Annotated[
        str | None,
        typer.Option("--listener", metavar="PORT", help="Which listener, by port or name, if there are several."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option("--from", metavar="ADDRESS", help="The caller's address, which some keys ask for."),
    ] = None,
    output: Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="Format of the report.")] = "text",
    translation: TranslationOptions = TranslationOptions(),
    roots: RootOptions = RootOptions(),
    assign: TranslationSetOption = None,
) -> None:
    """Show what the gateway would do with a request, decision by decision, without sending anything.

    Listener, host, route, policy, which key by its Secret's name, every header set or removed and by whom, and the
    request as it would go to the provider. Secrets are masked. Exit status 3 if the gateway would refuse the request.

    \b
    Examples:
      $ wardgate render manifests --request 'POST /huggingface' -H 'api-key: mysecretkey' -d @body.json
      $ wardgate render manifests --request 'GET http://api.example.com:8080/v1/models' --output json
      $ wardgate render manifests --request '/v1/models' --set user_id_to_external=true
    """
    settings = assignments.to_the_translation(translation.settings(roots), assign or ())
    config = _translate(Folder([folder], exclude=exclude or ()), Engine(settings))
    trial = _trial(config, request=request, headers=header or [], data=data, listener=listener)
    trial = replace(trial, address=_address(address or ""))
    performance = rehearse(config, trial, environment=os.environ, now=time.time())
    if output == "json":
        typer.echo(printable_json({"version": 1, **asdict(performance)}))
    else:
        _print(performance)
    if performance.kind == "refused":
        raise typer.Exit(REFUSED)


def _address(text: str) -> str:
    shown = read_address(to_bytes(text.strip()))
    if text and shown is None:
        msg = f'"{text}" is not an address, for example 192.0.2.7.'
        raise CommandError(msg, status=USAGE)
    return shown or ""


def _translate(folder: Folder, engine: Engine) -> GatewayConfig:
    scan = folder.scan()
    outcome = engine.take(scan)
    printer = Printer(sys.stderr)
    for one in outcome.diagnostics:
        if one.severity == "error":
            printer.diagnostic(one)
    return outcome.config


def _trial(config: GatewayConfig, *, request: str, headers: list[str], data: str | None, listener: str | None) -> Trial:
    parts = _REQUEST.fullmatch(request.strip())
    if parts is None or not request.strip():
        msg = f"\"{request}\" is not a request, for example 'POST /huggingface'."
        raise CommandError(msg, status=USAGE)
    method, authority, path = parts.groups()
    fields = [_header(text) for text in headers]
    hosts = [value for name, value in fields if name.lower() == "host"]
    host = (hosts or [authority or "localhost"])[0]
    port = authority.rpartition(":")[2] if authority and ":" in authority else None
    body = _body(data)
    return Trial(
        method=method or ("GET" if data is None else "POST"),
        target=path or "/",
        host=host,
        headers=[(name, value) for name, value in fields if name.lower() not in {"host", "content-length"}],
        body=body,
        port=_choose(config, wanted=listener, hint=port).port,
    )


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        msg = f"\"{text}\" is not a header, for example 'api-key: mysecretkey'."
        raise CommandError(msg, status=USAGE)
    return name.strip(), value.strip()


def _body(data: str | None) -> bytes:
    if data is None:
        return b""
    if not data.startswith("@"):
        return to_bytes(data)
    try:
        return sys.stdin.buffer.read() if data == "@-" else Path(data[1:]).read_bytes()
    except OSError as error:
        msg = f"The body {data[1:]} cannot be read: {error.strerror}."
        raise CommandError(msg, status=USAGE) from error


def _choose(config: GatewayConfig, *, wanted: str | None, hint: str | None) -> Listener:
    if not config.listeners:
        msg = "The manifests have no listener: a VirtualGateway is missing or not valid. Try wardgate check."
        raise CommandError(msg)
    if wanted is not None:
        for one in config.listeners:
            if wanted in {str(one.port), one.name}:
                return one
    elif len(config.listeners) == 1:
        return config.listeners[0]
    elif hint is not None and hint in {str(one.port) for one in config.listeners}:
        return next(one for one in config.listeners if str(one.port) == hint)
    there = ", ".join(f"{one.port} ({one.name})" for one in config.listeners)
    msg = f"Choose a listener with --listener PORT: there is {there}."
    raise CommandError(msg, status=USAGE)


def _print(performance: Performance) -> None:
    printer = Printer()
    for one in performance.decisions:
        detail = f"  {one.detail}" if one.detail else ""
        printer.line(f"{one.what:<15} {one.name}{detail}")
    printer.line()
    if performance.kind == "forwarded":
        printer.line(f"goes to {performance.destination}", colour="green")
    else:
        reason = f" ({performance.reason})"
        printer.line(
            f"is {performance.kind} by the gateway{reason}", colour="red" if performance.kind == "refused" else "green"
        )
    printer.line()
    printer.line(performance.head)
    for name, value in performance.headers:
        printer.line(f"{name}: {value}")
    if performance.body is None:
        printer.line()
        printer.line("(the caller's body, if any, streamed past unread)")
    elif performance.body:
        printer.line()
        for line in performance.body.split("\n"):
            printer.line(line)
