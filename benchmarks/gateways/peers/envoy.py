"""Envoy's form of a site: the native ``api_key_auth`` filter, a header and a prefix of the route, Lua for bodies.

It has the easier part: its one token stands in the route, while the others look it up by the key.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias

from benchmarks.gateways.peers.site import KEY_HEADER, PROVIDER, SHAPED, TLS_VERSION, Certificate, Site, key, token

Node: TypeAlias = dict[str, object]
TYPES = "type.googleapis.com/envoy."
SHAPE = """
function envoy_on_request(handle)
  local headers = handle:headers()
  if string.sub(headers:get(":path"), 1, 8) ~= "/shaped/" then return end
  headers:replace("x-team-name", string.match(headers:get("x-team") or "", "^(%l+)-") or "")
  local body = handle:body(true)
  local text = body:getBytes(0, body:length())
  local model, prompt = string.match(text, '"model":%s*"([^"]*)"'), string.match(text, '"prompt":%s*"([^"]*)"')
  headers:replace("content-length", body:setBytes('{"model": "' .. model .. '", "prompt": "' .. prompt .. '"}'))
end
function envoy_on_response(handle)
  handle:headers():replace("x-served-type", handle:headers():get("content-type") or "")
end
"""


def command(program: Path, site: Site) -> list[str]:
    """Return the command that serves the site, on one thread."""
    path = site.folder / f"envoy-{site.port}.json"
    path.write_text(json.dumps(bootstrap(site), indent=1))
    return [str(program), "-c", str(path), "--concurrency", str(site.workers), "--disable-hot-restart", "-l", "error"]


def bootstrap(site: Site) -> Node:
    """Return the whole configuration."""
    clusters = [_cluster(name, site) for name in (("provider", "provider-b") if site.shaped else ("provider",))]
    return {"static_resources": {"listeners": [_listener(site)], "clusters": clusters}}


def _listener(site: Site) -> Node:
    chain: Node = {"filters": [{"name": "http", "typed_config": _connection_manager(site)}]}
    if site.certificate is not None:
        chain["transport_socket"] = _caller_tls(site.certificate)
    return {"name": "callers", "address": _address(site.port), "filter_chains": [chain]}


def _connection_manager(site: Site) -> Node:
    lua = _typed("extensions.filters.http.lua.v3.Lua", default_source_code={"inline_string": SHAPE})
    authentication = _typed(
        "extensions.filters.http.api_key_auth.v3.ApiKeyAuth",
        credentials=[{"key": key(0), "client": "caller-0"}],
        key_sources=[{"header": KEY_HEADER}],
        forwarding={"hide_credentials": True},
    )
    router = _typed("extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)
    named = [("lua", lua)] if site.shaped else []
    named += [("api_key_auth", authentication), ("router", router)]
    return _typed(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="callers",
        codec_type="HTTP1",
        access_log=[_access_log()] if site.access_log else [],
        http_filters=[{"name": name, "typed_config": filter_} for name, filter_ in named],
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": _routes(site)}]},
    )


def _routes(site: Site) -> list[Node]:
    routes = [_route("/t0/", {"cluster": "provider"})]
    if site.shaped:
        weights = [{"name": "provider", "weight": 90}, {"name": "provider-b", "weight": 10}]
        routes.append(_route(SHAPED, {"weighted_clusters": {"clusters": weights}}))
    return routes


def _route(prefix: str, destination: Node) -> Node:
    header = {
        "header": {"key": "authorization", "value": f"Bearer {token(0)}"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    rewritten = {"prefix_rewrite": "/v1/", "host_rewrite_literal": PROVIDER, "timeout": "300s"}
    return {"match": {"prefix": prefix}, "route": {**destination, **rewritten}, "request_headers_to_add": [header]}


def _cluster(name: str, site: Site) -> Node:
    endpoint = {"endpoint": {"address": _address(site.upstream)}}
    cluster: Node = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    if site.upstream_tls is not None:
        cluster["transport_socket"] = _provider_tls(site.upstream_tls)
    return cluster


def _access_log() -> Node:
    """Return a line of JSON with the fields of Wardgate's that Envoy knows."""
    fields = {
        "time": "%START_TIME%",
        "method": "%REQ(:METHOD)%",
        "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
        "host": "%REQ(:AUTHORITY)%",
        "status": "%RESPONSE_CODE%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "route": "%ROUTE_NAME%",
        "upstream": "%UPSTREAM_HOST%",
        "caller": "%DOWNSTREAM_REMOTE_ADDRESS%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "duration_ms": "%DURATION%",
    }
    format_ = {"json_format": fields}
    typed = _typed("extensions.access_loggers.stream.v3.StdoutAccessLog", log_format=format_)
    return {"name": "stdout", "typed_config": typed}


def _caller_tls(certificate: Certificate) -> Node:
    chain = {
        "certificate_chain": {"filename": str(certificate.chain)},
        "private_key": {"filename": str(certificate.private_key)},
    }
    context = _typed(
        "extensions.transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context={"tls_certificates": [chain]}
    )
    return {"name": "tls", "typed_config": context}


def _provider_tls(certificate: Certificate) -> Node:
    trusted = {"trusted_ca": {"filename": str(certificate.authority)}}
    names = [{"san_type": "DNS", "matcher": {"exact": PROVIDER}}]
    validation = {"validation_context": {**trusted, "match_typed_subject_alt_names": names}}
    # By itself it offers upstreams TLS 1.2 at most.
    params = {"tls_params": {"tls_maximum_protocol_version": TLS_VERSION.replace(".", "_")}}
    context = _typed(
        "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni=PROVIDER,
        common_tls_context={**validation, **params},
    )
    return {"name": "tls", "typed_config": context}


def _address(port: int) -> Node:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _typed(type_: str, **fields: object) -> Node:
    return {"@type": TYPES + type_, **fields}
