"""``docs/findings.md`` shows what ``wardgate check`` prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.command_line import run_main
from tests.documents.blocks import ROOT

CORPUS = ROOT / "tests" / "corpus" / "gateway-elsewhere"
NAMES = {
    "shared-gateway": "in",
    "namespace: gateways": "namespace: gw",
    "namespace: api": "namespace: gw",
    "root": "web",
}


def test_the_line_that_is_shown_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of a folder in which one table, one policy and one transformation follow from a gateway that is elsewhere."""
    (shown,) = re.findall(r"```\n(routes\.yaml:.*)\n```", (ROOT / "docs" / "findings.md").read_text())
    for source in (CORPUS / "routes.yaml", CORPUS / "policies.yaml", CORPUS / "billing" / "routes.yaml"):
        text = source.read_text()
        for name, other in NAMES.items():
            text = text.replace(name, other)
        (tmp_path / source.relative_to(CORPUS).as_posix().replace("/", "-")).write_text(text)
    monkeypatch.chdir(tmp_path)

    ended = run_main(capsys, monkeypatch, ("check", "routes.yaml", "policies.yaml", "billing-routes.yaml"), b"")

    assert shown == ended.out.splitlines()[0]
