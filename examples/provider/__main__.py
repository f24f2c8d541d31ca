"""A stand-in for Hugging Face, OpenAI and Anthropic: ``python examples/provider --help``.

It answers in their shapes, over TLS with a certificate for their names, and shows what it was sent. So the examples
run, and are tested, without an account, a token or a network.
"""

from __future__ import annotations

import argparse
import signal
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from server import Behaviour, ProviderServer

HOSTS = ("api-inference.huggingface.co", "router.huggingface.co", "api.openai.com", "api.anthropic.com")


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGINT or SIGTERM."""
    options = _parser().parse_args(arguments)
    hosts = tuple(options.host) or HOSTS
    context = None if options.no_tls else _server_context(hosts, options)
    behaviour = Behaviour(show_tokens=options.show_tokens, delay=options.delay, hold_streams=options.hold_streams)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)  # a shell that starts us in the background has SIGINT ignored
    try:
        server = ProviderServer((options.bind, options.port), behaviour=behaviour, context=context)
    except OSError as error:
        print(f"provider: cannot listen on {options.bind}:{options.port}: {error.strerror}.", file=sys.stderr)
        return 1
    scheme = "http" if options.no_tls else "https"
    try:
        with server:
            print(f"provider: serving {scheme}://{options.bind}:{server.server_port} as {', '.join(hosts)}", flush=True)
            server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        behaviour.stopping.set()
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python examples/provider",
        description="A stand-in for AI providers that shows the headers it received. It accepts every request, "
        "with a token or without.",
        epilog="Example: python examples/provider --port 8443 --ca-file /tmp/ca.pem",
    )
    parser.add_argument("--bind", default="127.0.0.1", metavar="ADDR", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8443, help="port; 0 takes a free one and prints it (default 8443)")
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help=f"name in the certificate; repeatable (default: {', '.join(HOSTS)})",
    )
    parser.add_argument(
        "--ca-file", type=Path, metavar="PATH", help="write the certificate authority that signs it here"
    )
    parser.add_argument(
        "--certificate",
        nargs=2,
        type=Path,
        metavar=("CHAIN", "KEY"),
        help="PEM files of a certificate for the names, in the place of one that is made",
    )
    parser.add_argument("--no-tls", action="store_true", help="serve plain HTTP")
    parser.add_argument("--show-tokens", action="store_true", help="show credentials in full instead of masked")
    parser.add_argument(
        "--delay", type=float, default=0.05, metavar="SECONDS", help="between two pieces of a stream (default 0.05)"
    )
    parser.add_argument(
        "--hold-streams", action="store_true", help="hold streams after their first piece until POST /__release"
    )
    return parser


def _server_context(hosts: Sequence[str], options: argparse.Namespace) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if options.certificate is not None:
        context.load_cert_chain(*options.certificate)
    else:
        _make_certificate(hosts, context, options.ca_file)
    return context


def _make_certificate(hosts: Sequence[str], context: ssl.SSLContext, ca_file: Path | None) -> None:
    """Make an authority and a certificate that live as long as this process; their keys touch no lasting file."""
    import trustme  # noqa: PLC0415 - only here is it needed

    authority = trustme.CA()
    authority.issue_cert(*hosts).configure_cert(context)
    if ca_file is not None:
        authority.cert_pem.write_to_path(str(ca_file))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
