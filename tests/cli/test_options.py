"""How values on the command line are read."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import Literal

import pytest
import typer

from wardgate.cli.options.assignments import parse_assignment, to_the_proxy
from wardgate.cli.options.proxy_options import ProxyOptions, RootOptions
from wardgate.cli.options.translation_options import TranslationOptions
from wardgate.cli.options.values import (
    Pin,
    PortMapping,
    parse_admin,
    parse_bind,
    parse_binds,
    parse_pin,
    parse_port_mapping,
)
from wardgate.proxy.settings import Limits, Timeouts


def test_port_mapping_is_read() -> None:
    assert PortMapping(80, 8080) == parse_port_mapping("80=8080")
    assert PortMapping(80, 0) == parse_port_mapping("80=0")
    assert PortMapping(1, 2) == parse_port_mapping(PortMapping(1, 2))


@pytest.mark.parametrize("text", ["80", "80=", "=80", "a=b", "0=80", "80=70000", "80=-1", "80=٣"])
def test_wrong_port_mapping_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_port_mapping(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("api.openai.com:443=127.0.0.1:8443", Pin("api.openai.com:443", "127.0.0.1:8443")),
        ("API.OpenAI.com:443=[::1]:8443", Pin("api.openai.com:443", "::1:8443")),
    ],
)
def test_pin_is_read(text: str, expected: Pin) -> None:
    assert expected == parse_pin(text)
    assert expected == parse_pin(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("api.openai.com", "is not HOST:PORT=ADDR:PORT"),
        ("api.openai.com=1.2.3.4:5", "is not HOST:PORT=ADDR:PORT"),
        ("api.openai.com:443=1.2.3.4", "is not HOST:PORT=ADDR:PORT"),
        ("api.openai.com:443=localhost:8443", "is not an IP address"),
        ("api openai:443=1.2.3.4:5", "is not a host name"),
        ("api.openai.com:x=1.2.3.4:5", "is not a port"),
        ("api.openai.com:443=1.2.3.4:0", "is not a port"),
    ],
)
def test_wrong_pin_is_refused_with_a_reason(text: str, words: str) -> None:
    with pytest.raises(typer.BadParameter, match=words):
        parse_pin(text)


def test_bind_address_is_read() -> None:
    assert ("127.0.0.1", "0.0.0.0", "::1") == (parse_bind("localhost"), parse_bind("0.0.0.0"), parse_bind("[::1]"))


def test_several_addresses_are_read() -> None:
    assert "10.0.0.1,fd00::1" == parse_binds("10.0.0.1, [fd00:0::1],10.0.0.1")


def test_all_addresses_are_ipv6_and_ipv4_alike() -> None:
    assert ("::", "[::]:9901") == (parse_bind("*"), parse_admin("*:9901"))


def test_all_addresses_are_ipv4_where_the_kernel_has_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr("wardgate.cli.options.values.socket.socket", none)
    assert "0.0.0.0" == parse_bind("*")


def test_name_as_bind_address_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="is not an IP address"):
        parse_bind("gateway.local")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:9901", "127.0.0.1:9901"), ("[::]:0", "[::]:0"), ("none", ""), ("", "")],
)
def test_admin_address_is_read(text: str, expected: str) -> None:
    assert expected == parse_admin(text)


@pytest.mark.parametrize("text", ["9901", "x:9901", "127.0.0.1:x"])
def test_wrong_admin_address_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_admin(text)


def test_proxy_settings_are_put_together(tmp_path: Path) -> None:
    given = ProxyOptions(
        bind="0.0.0.0",
        ports=[PortMapping(80, 8080)],
        workers=3,
        pins=[Pin("a:1", "1.2.3.4:5")],
        upstream_ca=tmp_path / "ca.pem",
        admin="",
        access_log=False,
    )
    settings = to_the_proxy(
        given.settings(RootOptions(files_root=tmp_path)),
        [parse_assignment("limits.body_bytes=7"), parse_assignment("timeouts.drain=2.5")],
    )

    assert (((80, 8080),), (("a:1", "1.2.3.4:5"),)) == (settings.ports, settings.pins)
    assert (str(tmp_path / "ca.pem"), str(tmp_path), "") == (
        settings.upstream_ca,
        settings.files_root,
        settings.unix_root,
    )
    assert (Limits(body_bytes=7), Timeouts(drain=2.5)) == (settings.limits, settings.timeouts)
    assert (3, "", False) == (settings.workers, settings.admin, settings.access_log)


def test_a_gateway_of_this_machine_may_reach_this_machine() -> None:
    given = TranslationOptions(
        tenancy="isolated",
        platform_namespaces=["infra"],
        require_auth=True,
        foreign_guards="ignore",
        template_env=["REGION"],
    )
    settings = given.settings(RootOptions(unix_root=Path("/run/sockets")))

    assert settings.allow_loopback
    assert (frozenset({"infra"}), frozenset({"REGION"})) == (settings.platform_namespaces, settings.template_env)
    assert ("isolated", True, None, "/run/sockets") == (
        settings.tenancy,
        settings.require_auth,
        settings.files_root,
        settings.unix_root,
    )


@pytest.mark.parametrize(
    ("tenancy", "platform", "warning"),
    [
        ("shared", [], ""),
        ("shared", ["infra"], "warning: --platform-namespace infra has no effect without --tenancy isolated.\n"),
        ("isolated", ["infra"], ""),
        (
            "isolated",
            [],
            "warning: --tenancy isolated without --platform-namespace: no VirtualGateway opens a listener.\n",
        ),
    ],
)
def test_half_of_isolated_tenancy_is_warned_about(
    capsys: pytest.CaptureFixture[str], tenancy: Literal["shared", "isolated"], platform: list[str], warning: str
) -> None:
    TranslationOptions(tenancy=tenancy, platform_namespaces=platform).settings()

    assert ("", warning) == capsys.readouterr()


def test_run_binds_this_machine_only_by_default() -> None:
    assert ("127.0.0.1", "127.0.0.1:9901") == (ProxyOptions().bind, ProxyOptions().admin)
