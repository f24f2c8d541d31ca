"""HAProxy's form of a site: a map from keys to tokens. It writes no bodies, so it takes no part where they change."""

from __future__ import annotations

from pathlib import Path

from benchmarks.gateways.peers.site import KEY_HEADER, PROVIDER, Certificate, Site, key, token

BASE = """\
global
    nbthread {workers}
    maxconn 8192
    log stdout len 4096 format raw local0
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    http-reuse always
    option http-no-delay
frontend callers
    bind 127.0.0.1:{port}{tls}
    http-request set-var(txn.token) req.hdr({header}),map_str({keys})
    http-request return status 401 content-type text/plain string "API key is missing or invalid" \
unless {{ var(txn.token) -m found }}
    http-request del-header {header}
    http-request set-header authorization "Bearer %[var(txn.token)]"
    http-request set-header host {provider}
    http-request replace-path ^/t0/(.*) /v1/\\1
    unique-id-format %{{+X}}o%ci%cp%ts%rt%pid
    unique-id-header x-request-id
{log}    use_backend provider
backend provider
    server provider 127.0.0.1:{upstream} maxconn 4096 pool-max-conn 4096{upstream_tls}
"""
LOG = """\
    log global
    log-format '{{"time":"%Tl","method":"%HM","path":"%HPO","status":%ST,"upstream":"%si:%sp","caller":"%ci:%cp",\
"request_id":"%ID","bytes_in":%U,"bytes_out":%B,"duration_ms":%Ta}}'
"""


def command(program: Path, site: Site) -> list[str]:
    """Return the command that serves the site, on one thread."""
    keys = site.folder / f"haproxy-{site.port}.map"
    keys.write_text(f"{key(0)} {token(0)}\n")
    path = site.folder / f"haproxy-{site.port}.cfg"
    path.write_text(configuration(site, keys, _pem(site)))
    return [str(program), "-db", "-q", "-f", str(path)]


def configuration(site: Site, keys: Path, pem: Path | None) -> str:
    """Return the configuration; ``pem`` holds the certificate for callers and its private key."""
    return BASE.format(
        workers=site.workers,
        port=site.port,
        tls="" if pem is None else f" ssl crt {pem} alpn http/1.1",
        header=KEY_HEADER,
        keys=keys,
        provider=PROVIDER,
        log=LOG.format() if site.access_log else "",
        upstream=site.upstream,
        upstream_tls=_provider_tls(site.upstream_tls),
    )


def _provider_tls(certificate: Certificate | None) -> str:
    if certificate is None:
        return ""
    return f" ssl verify required ca-file {certificate.authority} sni str({PROVIDER}) verifyhost {PROVIDER}"


def _pem(site: Site) -> Path | None:
    if site.certificate is None:
        return None
    path = site.folder / f"haproxy-{site.port}.pem"
    path.write_text(site.certificate.chain.read_text() + site.certificate.private_key.read_text())
    return path
