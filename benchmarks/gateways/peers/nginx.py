"""nginx, once as a gateway (a map from keys to tokens) and once as the upstream behind all gateways.

The upstream answers 418 to whatever a gateway got wrong, so that every response of a measurement is also a check.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.gateways.peers.site import KEY_HEADER, PROVIDER, TLS_CIPHER, TLS_VERSION, Certificate, Site, key, token

ANSWER = '{"answer": "42"}'
LARGE_KIB = 16
OUTER = """\
daemon off;
worker_processes {workers};
pid {folder}/nginx-{port}.pid;
error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {folder}/nginx-{port}-body;
  proxy_temp_path {folder}/nginx-{port}-proxy;
  fastcgi_temp_path {folder}/nginx-{port}-fastcgi;
  uwsgi_temp_path {folder}/nginx-{port}-uwsgi;
  scgi_temp_path {folder}/nginx-{port}-scgi;
  client_max_body_size 0;
  client_body_buffer_size 64k;
  tcp_nodelay on;
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  ssl_protocols {tls_version};
  ssl_conf_command Ciphersuites {tls_cipher};
  proxy_ssl_protocols {tls_version};
{inner}}}
"""
GATEWAY = """\
  map $http_{variable} $token {{ default ""; "{key}" "{token}"; }}
{log}  upstream provider {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port}{listen};
{tls}    location /t0/ {{
      if ($token = "") {{ return 401 "API key is missing or invalid"; }}
      proxy_http_version 1.1;
      proxy_set_header connection "";
      proxy_set_header host {provider};
      proxy_set_header {header} "";
      proxy_set_header authorization "Bearer $token";
      proxy_set_header x-request-id $request_id;
{upstream_tls}      proxy_pass {scheme}://provider/v1/;
    }}
  }}
"""
LOG = """\
  log_format line escape=json '{"time":"$time_iso8601","method":"$request_method","path":"$request_uri",'
    '"status":$status,"upstream":"$upstream_addr","caller":"$remote_addr","request_id":"$request_id",'
    '"bytes_in":$request_length,"bytes_out":$bytes_sent,"duration":$request_time}';
  access_log /dev/stdout line;
"""
UPSTREAM = """\
  map "$http_authorization $http_{variable} $uri" $right {{ default 0; "~^Bearer provider-token-[0-9-]+  /v1/" 1; }}
  map $ssl_protocol $tls {{ default " $ssl_protocol $ssl_cipher"; "" ""; }}
  map "" $kib {{ default "{kib}"; }}
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls_port} ssl;
    ssl_certificate {chain};
    ssl_certificate_key {private_key};
    default_type application/json;
    location / {{
      if ($right = 0) {{ return 418; }}
      return 200 '{answer}';
    }}
    location /v1/large {{
      if ($right = 0) {{ return 418; }}
      return 200 "{large}";
    }}
    location /v1/seen {{
      return 200 "$http_host $uri [$http_authorization] [$http_{variable}] [$http_x_team_name]$tls";
    }}
  }}
"""


def command(program: Path, site: Site) -> list[str]:
    """Return the command that serves the site as a gateway."""
    return _started(program, site.folder, site.port, configuration(site))


def configuration(site: Site) -> str:
    """Return a gateway's configuration."""
    inner = GATEWAY.format(
        variable=KEY_HEADER.replace("-", "_"),
        header=KEY_HEADER,
        key=key(0),
        token=token(0),
        log=LOG if site.access_log else "",
        upstream=site.upstream,
        port=site.port,
        listen="" if site.certificate is None else " ssl",
        tls=_certificate(site.certificate),
        provider=PROVIDER,
        upstream_tls=_provider_tls(site.upstream_tls),
        scheme="http" if site.upstream_tls is None else "https",
    )
    return _outer(site.folder, port=site.port, workers=site.workers, inner=inner)


def upstream_command(program: Path, folder: Path, certificate: Certificate, *, port: int, tls_port: int) -> list[str]:
    """Return the command of the upstream, which listens in clear and with TLS."""
    return _started(program, folder, port, upstream(folder, certificate, port=port, tls_port=tls_port))


def upstream(folder: Path, certificate: Certificate, *, port: int, tls_port: int) -> str:
    """Return the upstream's configuration."""
    inner = UPSTREAM.format(
        variable=KEY_HEADER.replace("-", "_"),
        port=port,
        tls_port=tls_port,
        chain=certificate.chain,
        private_key=certificate.private_key,
        answer=ANSWER,
        kib="x" * 1024,
        large="$kib" * LARGE_KIB,
    )
    return _outer(folder, port=port, workers=1, inner=inner)


def _outer(folder: Path, *, port: int, workers: int, inner: str) -> str:
    return OUTER.format(
        folder=folder, port=port, workers=workers, tls_version=TLS_VERSION, tls_cipher=TLS_CIPHER, inner=inner
    )


def _started(program: Path, folder: Path, port: int, text: str) -> list[str]:
    path = folder / f"nginx-{port}.conf"
    path.write_text(text)
    return [str(program), "-p", str(folder), "-c", str(path), "-e", "stderr"]


def _certificate(certificate: Certificate | None) -> str:
    if certificate is None:
        return ""
    return f"    ssl_certificate {certificate.chain};\n    ssl_certificate_key {certificate.private_key};\n"


def _provider_tls(certificate: Certificate | None) -> str:
    if certificate is None:
        return ""
    verify = f"proxy_ssl_verify on;\n      proxy_ssl_trusted_certificate {certificate.authority};"
    return f"      proxy_ssl_server_name on;\n      proxy_ssl_name {PROVIDER};\n      {verify}\n"
