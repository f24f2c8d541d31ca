"""The site as each server's configuration."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gateways.peers import envoy, haproxy, nginx, wardgate
from benchmarks.gateways.peers.site import (
    PROTECTION,
    TLS_CIPHER,
    TLS_VERSION,
    Certificate,
    Site,
    Size,
    expected,
    key,
    token,
)
from benchmarks.gateways.stage import certified
from wardgate.standalone.handover.bundle_file import read_bundle
from wardgate.wire import decode, encode


@pytest.fixture(name="site")
def plain_site(tmp_path: Path) -> Site:
    return Site(port=20001, upstream=20002, folder=tmp_path)


@pytest.fixture(name="certificate")
def made_certificate(tmp_path: Path) -> Certificate:
    return certified(tmp_path)


def filters(bootstrap: dict[str, Any]) -> list[str]:
    chain = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]
    return [each["name"] for each in chain["filters"][0]["typed_config"]["http_filters"]]


def test_envoy_checks_the_key_and_puts_on_the_token(site: Site) -> None:
    bootstrap: Any = envoy.bootstrap(site)
    manager = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    (route,) = manager["route_config"]["virtual_hosts"][0]["routes"]

    assert ["api_key_auth", "router"] == filters(bootstrap)
    assert [{"key": key(0), "client": "caller-0"}] == manager["http_filters"][0]["typed_config"]["credentials"]
    assert f"Bearer {token(0)}" == route["request_headers_to_add"][0]["header"]["value"]
    assert ("/t0/", "/v1/") == (route["match"]["prefix"], route["route"]["prefix_rewrite"])
    assert [] == manager["access_log"]


def test_envoy_shapes_with_lua_before_the_key_and_weighs_two_clusters(site: Site) -> None:
    bootstrap: Any = envoy.bootstrap(replace(site, shaped=True))
    clusters = [each["name"] for each in bootstrap["static_resources"]["clusters"]]

    assert ["lua", "api_key_auth", "router"] == filters(bootstrap)
    assert ["provider", "provider-b"] == clusters


def test_envoy_speaks_tls_on_either_side(site: Site, certificate: Certificate) -> None:
    both: Any = envoy.bootstrap(replace(site, certificate=certificate, upstream_tls=certificate))
    neither: Any = envoy.bootstrap(site)

    for bootstrap, there in ((both, True), (neither, False)):
        resources = bootstrap["static_resources"]
        assert there == ("transport_socket" in resources["listeners"][0]["filter_chains"][0])
        assert there == ("transport_socket" in resources["clusters"][0])


def test_envoy_offers_the_upstream_the_version_that_all_have(site: Site, certificate: Certificate) -> None:
    bootstrap: Any = envoy.bootstrap(replace(site, upstream_tls=certificate))
    context = bootstrap["static_resources"]["clusters"][0]["transport_socket"]["typed_config"]

    assert "TLSv1_3" == context["common_tls_context"]["tls_params"]["tls_maximum_protocol_version"]
    assert "TLSv1.3" == TLS_VERSION


def test_the_upstream_takes_one_version_and_cipher_and_shows_them(site: Site, certificate: Certificate) -> None:
    text = nginx.upstream(site.folder, certificate, port=20002, tls_port=20003)

    assert f"ssl_protocols {TLS_VERSION};" in text
    assert f"ssl_conf_command Ciphersuites {TLS_CIPHER};" in text
    assert '[$http_x_team_name]$tls";' in text
    assert f"{expected('/v1/seen')} {PROTECTION}" == expected("/v1/seen", tls=True)


def test_haproxy_logs_and_speaks_tls_only_where_the_site_does(site: Site, certificate: Certificate) -> None:
    pem = site.folder / "callers.pem"
    bare = haproxy.configuration(site, site.folder / "keys.map", None)
    full = haproxy.configuration(
        replace(site, access_log=True, upstream_tls=certificate), site.folder / "keys.map", pem
    )

    assert [] == re.findall(r"log-format|ssl", bare)
    assert f"bind 127.0.0.1:20001 ssl crt {pem}" in full
    assert f"ca-file {certificate.authority} sni str(provider.test) verifyhost provider.test" in full
    assert '"status":%ST' in full


def test_haproxy_has_the_keys_in_a_map(site: Site) -> None:
    command = haproxy.command(Path("/usr/sbin/haproxy"), site)

    assert f"{key(0)} {token(0)}\n" == (site.folder / "haproxy-20001.map").read_text()
    assert str(site.folder / "haproxy-20001.cfg") == command[-1]


def test_nginx_has_the_keys_in_a_map_and_verifies_the_upstream(site: Site, certificate: Certificate) -> None:
    text = nginx.configuration(replace(site, access_log=True, certificate=certificate, upstream_tls=certificate))

    assert f'map $http_api_key $token {{ default ""; "{key(0)}" "{token(0)}"; }}' in text
    assert "listen 127.0.0.1:20001 ssl;" in text
    assert "proxy_ssl_verify on;" in text
    assert "proxy_pass https://provider/v1/;" in text
    assert "access_log /dev/stdout line;" in text
    assert "proxy_pass http://provider/v1/;" in nginx.configuration(site)


def test_the_upstream_refuses_what_a_gateway_got_wrong(site: Site, certificate: Certificate) -> None:
    text = nginx.upstream(site.folder, certificate, port=20002, tls_port=20003)
    pattern = re.search(r'"~([^"]*)" 1;', text)

    assert pattern is not None
    assert re.match(pattern[1], f"Bearer {token(7)}  /v1/chat")
    assert not re.match(pattern[1], f"Bearer {token(7)} {key(7)} /v1/chat")
    assert not re.match(pattern[1], f"Bearer {token(7)}  /t0/chat")
    assert 2 == text.count("return 418;")


@pytest.mark.parametrize("text", ["nginx", "upstream", "haproxy"])
def test_no_placeholder_is_left(text: str, site: Site, certificate: Certificate) -> None:
    texts = {
        "nginx": nginx.configuration(site),
        "upstream": nginx.upstream(site.folder, certificate, port=20002, tls_port=20003),
        "haproxy": haproxy.configuration(replace(site, access_log=True), site.folder / "keys.map", None),
    }

    assert [] == re.findall(r"\{[a-z_]+\}", texts[text])
    assert texts[text].count("{") == texts[text].count("}")


def test_wardgate_serves_every_route_and_every_key(site: Site) -> None:
    config = wardgate.config(replace(site, shaped=True, size=Size(routes=3, keys=7)), [0] * 7)

    assert 4 == len(config.listeners[0].virtual_hosts[0].routes)
    assert 7 == len({credential.digest for credential in config.credentials})
    assert {"t0": 3, "t1": 2, "t2": 2} == {
        key_set: sum(credential.key_set == key_set for credential in config.credentials)
        for key_set in ("t0", "t1", "t2")
    }
    assert config == decode(encode(config)).config


def test_a_prepared_bundle_is_served_once_it_is_put(site: Site) -> None:
    bundle = wardgate.BundleFile(replace(site, size=Size(keys=4)))
    bundle.prepare()
    bundle.put()
    before = tokens_in(bundle.path)
    bundle.prepare(changed=2, version=5)

    assert before == tokens_in(bundle.path)
    bundle.put()
    assert {token(0, 5), token(1, 5), token(2), token(3)} == tokens_in(bundle.path)


def tokens_in(path: Path) -> set[str]:
    config = decode(read_bundle(path.read_bytes())).config
    return {entry.value.reveal() for credential in config.credentials for entry in credential.metadata}
