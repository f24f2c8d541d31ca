"""``wardgate operator`` as a command: mistakes on its line, and what it says where there is no cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_line import Wardgate


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pod, and no kubeconfig."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


@pytest.mark.usefixtures("nowhere")
def test_operator_without_a_cluster_says_where_to_name_one(wardgate: Wardgate) -> None:
    ended = wardgate("operator")
    assert 1 == ended.status
    assert "No cluster to talk to" in ended.err
    assert "--kubeconfig" in ended.err


@pytest.mark.parametrize("option", ["--gateways", "--opaque-key-selector"])
def test_selector_that_is_none_is_told(option: str, wardgate: Wardgate) -> None:
    ended = wardgate("operator", option, "team")
    assert 2 == ended.status
    assert "LABEL=VALUE" in ended.err


def test_setting_of_the_proxy_is_refused(wardgate: Wardgate) -> None:
    ended = wardgate("operator", "--set", "timeouts.connect=3")
    assert 2 == ended.status
    assert "is a setting of the proxy" in " ".join(ended.err.split())
