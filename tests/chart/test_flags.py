"""What the chart passes to the containers is what the commands take, by name and by value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
from typer.main import get_command

from tests.chart.helm import Helm, Manifest, container
from tests.chart.values import EVERY_VALUE
from wardgate.cli.main import COMMANDS, application

CACHE = "/run/wardgate"
UPSTREAM_CA = "/etc/wardgate/upstream-ca"
"""The pod's volumes; the command wants them to be there."""

_BOTH = pytest.mark.parametrize("component", ["operator", "proxy"])
_VALUES = pytest.mark.parametrize("values", [{}, EVERY_VALUE], ids=["default", "every value"])


def _command(name: str) -> Any:
    group: Any = get_command(application(*COMMANDS))
    assert name in group.commands, f"There is no command {name!r} yet."
    return group.commands[name]


def _flags(found: Manifest) -> dict[str, list[str]]:
    flags: dict[str, list[str]] = {}
    for argument in found["args"][1:]:
        name, _, value = argument.partition("=")
        flags.setdefault(name, []).append(value)
    return flags


@_BOTH
@_VALUES
def test_every_flag_is_an_option_of_the_command(helm: Helm, component: str, values: dict[str, Any]) -> None:
    found = container(helm.render(values), component)
    options = {
        name for parameter in _command(component).params for name in (*parameter.opts, *parameter.secondary_opts)
    }

    assert component == found["args"][0]
    assert set() == set(_flags(found)) - options


@_BOTH
@_VALUES
def test_the_command_understands_every_value(
    helm: Helm, component: str, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = container(helm.render(values), component)
    (tmp_path / "root.pem").write_bytes(trustme.CA().cert_pem.bytes())
    arguments = [
        argument.replace(CACHE, str(tmp_path)).replace(UPSTREAM_CA, str(tmp_path)) for argument in found["args"][1:]
    ]
    for variable in found.get("env", ()):
        monkeypatch.setenv(variable["name"], "from-the-pod")
    command = _command(component)

    context = command.make_context(component, arguments)

    assert "wardgate" == context.params["release"]


@_BOTH
def test_every_variable_is_read_by_the_command(helm: Helm, component: str) -> None:
    command = _command(component)
    with command.make_context(component, [], resilient_parsing=True) as context:
        explained = command.get_help(context)

    assert [] == [
        variable["name"]
        for variable in container(helm.render(), component).get("env", ())
        if variable["name"] not in explained
    ]


def test_the_operator_is_told_every_value(helm: Helm) -> None:
    assert {
        "--release": ["wardgate"],
        "--config-namespace": ["gateway-config"],
        "--bind": ["*:9902"],
        "--tenancy": ["isolated"],
        "--foreign-guards": ["ignore"],
        "--status": ["off"],
        "--require-auth": [""],
        "--watch-namespace": ["platform", "team-a"],
        "--key-namespace": ["keys"],
        "--platform-namespace": ["platform"],
        "--gateways": ["team=ai,stage=live"],
        "--opaque-key-selector": ["wardgate.dev/key=true"],
        "--set": [
            "cluster_domain=example.local",
            "credential_bytes=67108864",
            "user_id_to_external=true",
            "watch_silence=30",
        ],
    } == _flags(container(helm.render(EVERY_VALUE), "operator"))


def test_the_proxy_is_told_every_value(helm: Helm) -> None:
    assert {
        "--cluster": [""],
        "--release": ["wardgate"],
        "--config-namespace": ["gateway-config"],
        "--bind": ["*"],
        "--admin": ["*:9901"],
        "--cache-dir": ["/run/wardgate"],
        "--workers": ["3"],
        "--port": ["80=18080", "443=43"],
        "--resolve": ["api.openai.com:443=10.20.0.5:443", "huggingface.co:443=[fd00::5]:443"],
        "--upstream-ca": ["/etc/wardgate/upstream-ca/root.pem"],
        "--max-config-age": ["1000000"],
        "--set": [
            "timeouts.shutdown_delay=7",
            "timeouts.drain=120",
            "limits.body_bytes=67108864",
            "timeouts.connect=2.5",
            "watch_silence=30",
        ],
    } == _flags(container(helm.render(EVERY_VALUE), "proxy"))


def test_by_default_the_operator_is_told_what_its_defaults_are(helm: Helm) -> None:
    assert {
        "--release": ["wardgate"],
        "--config-namespace": ["wardgate-config"],
        "--bind": ["*:9902"],
        "--tenancy": ["shared"],
        "--foreign-guards": ["close"],
        "--status": ["on"],
    } == _flags(container(helm.render(), "operator"))
