"""Nothing that a stranger writes into a manifest or a file's name reaches a terminal raw."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.command_line import Wardgate
from tests.standalone.lab import write_lab
from wardgate.cli.console import Printer
from wardgate.cli.main import main
from wardgate.cli.operator import _OneLine
from wardgate.problems import Reason
from wardgate.settings import Settings
from wardgate.snapshot import ClusterSnapshot
from wardgate.standalone.findings.diagnostics import Diagnostic
from wardgate.standalone.rounds.engine import Engine
from wardgate.standalone.scan.folder import Folder
from wardgate.translate import translate

EVIL = "\x1b[31mred\x1b[0m\x1b]8;;http://evil\x07\u202e\u2066\u2028\x85\x7f\x9b\u200b[bold]\r\n"
HOSTILE = st.text(alphabet=st.one_of(st.sampled_from(EVIL), st.characters(exclude_categories=["Cs"])), min_size=1)

TEXT = "@TEXT@"
MANIFESTS = [
    {"apiVersion": TEXT, "kind": "ExtAuthPolicy", "metadata": {"name": "a"}},
    {"apiVersion": "security.policy.gloo.solo.io/v2", "kind": TEXT, "metadata": {"name": "a"}},
    {"apiVersion": "security.policy.gloo.solo.io/v2", "kind": "ExtAuthPolicy", "metadata": {"name": TEXT}},
    {
        "apiVersion": "security.policy.gloo.solo.io/v2",
        "kind": "ExtAuthPolicy",
        "metadata": {"name": "a", "namespace": "b", "labels": {TEXT: TEXT}, "annotations": {"wardgate.dev/x": TEXT}},
        "spec": {
            TEXT: TEXT,
            "applyToRoutes": [{"route": {"labels": {TEXT: TEXT}}}],
            "config": {"server": {"name": TEXT}, "glooAuth": {"configs": [{"apiKeyAuth": {"headerName": TEXT}}]}},
        },
    },
    {
        "apiVersion": "trafficcontrol.policy.gloo.solo.io/v2",
        "kind": "TransformationPolicy",
        "metadata": {"name": "t"},
        "spec": {
            "applyToRoutes": [{"route": {"labels": {"a": "b"}}}],
            "config": {"request": {"injaTemplate": {"headers": {TEXT: {"text": "{{ " + TEXT}}}}},
        },
    },
    {
        "apiVersion": "networking.gloo.solo.io/v2",
        "kind": "RouteTable",
        "metadata": {"name": "r", "annotations": {TEXT: TEXT}},
        "spec": {
            "hosts": [TEXT],
            "virtualGateways": [{"name": TEXT, "namespace": TEXT}],
            "http": [
                {
                    "name": TEXT,
                    "matchers": [{"uri": {"regex": f"({TEXT}"}}],
                    "forwardTo": {"destinations": [{"kind": TEXT, "ref": {"name": TEXT}}]},
                }
            ],
        },
    },
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "annotations": {"wardgate.dev/expires-at": TEXT}},
        "type": "extauth.solo.io/apikey",
        "stringData": {"api-key": "k", TEXT: "v"},
    },
]


def with_text(value: object, text: str) -> object:
    """The value with the text in each place that waits for it."""
    if isinstance(value, str):
        return value.replace(TEXT, text)
    if isinstance(value, list):
        return [with_text(one, text) for one in value]
    if isinstance(value, dict):
        return {name.replace(TEXT, text): with_text(one, text) for name, one in value.items()}
    return value


def output_of(*arguments: str) -> str:
    """Everything that a command prints."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out), pytest.raises(SystemExit):
        main(arguments)
    return out.getvalue()


def unshowable(text: str) -> list[str]:
    return [line for line in text.split("\n") if not line.isprintable()]


@contextmanager
def folder_of(text: str) -> Iterator[Path]:
    """A lab, and beside it one file for each manifest, whose names hold the text."""
    with TemporaryDirectory() as parent:
        root = write_lab(Path(parent) / "lab")
        name = text.replace("/", "").replace("\0", "").encode()[:80].decode(errors="ignore")
        for number, manifest in enumerate(MANIFESTS):
            content = json.dumps(with_text(manifest, text))
            (root / f"{number}{name}.yaml").write_text(content, encoding="utf-8")
            (root / f"{number}{name}-broken.yaml").write_text(f"a: [{content!r}\n", encoding="utf-8")
        yield root


@pytest.mark.no_cover
@settings(max_examples=15, deadline=None)
@given(HOSTILE)
def test_no_output_holds_what_a_terminal_obeys_whatever_the_manifests_say(text: str) -> None:
    with folder_of(text) as root:
        assert unshowable(output_of("check", str(root))) == []
        report = output_of("check", "--output", "json", str(root))
        assert unshowable(report) == []
        json.loads(report)
        assert unshowable(output_of("render", str(root), "--request", "GET /huggingface")) == []


@settings(max_examples=15, deadline=None)
@given(HOSTILE)
def test_no_status_holds_what_a_terminal_obeys_whatever_the_manifests_say(text: str) -> None:
    with folder_of(text) as root:
        scan = Folder([root]).scan()
        outcome = Engine(Settings()).take(scan)
        assert len(outcome.diagnostics) > 0
        snapshot = ClusterSnapshot(scan.objects)
        statuses = translate(snapshot, Settings()).statuses
        assert [one.message for one in statuses if not one.message.isprintable()] == []


def test_evil_text_is_shown_escaped_and_without_markup(wardgate: Wardgate, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(json.dumps(with_text(MANIFESTS[1], "\x1b[31m[red]\u202e")), encoding="utf-8")
    ended = wardgate("check", str(path))
    assert 'Wardgate knows no kind "\\x1b[31m[red]\\u202e"' in ended.out


def test_a_command_that_fails_shows_a_files_name_escaped(wardgate: Wardgate, tmp_path: Path) -> None:
    ended = wardgate("check", f"{tmp_path}/\x1b[2J\udcff")
    assert "/\\x1b[2J\\udcff does not exist." in ended.err


def test_a_body_that_a_template_makes_is_shown_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    Printer(sys.stdout).line("one\ntwo\x1b")
    assert capsys.readouterr().out == "one\\ntwo\\x1b\n"


def test_a_problem_that_is_gone_is_shown_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    Printer(sys.stdout).resolved(Diagnostic("error", "a\x1b.yaml", 1, 1, "x\u202e", "", Reason.INVALID, "m\x9b."))
    assert capsys.readouterr().out == "a\\x1b.yaml: resolved: x\\u202e: m\\x9b. [Invalid]\n"


def test_a_record_of_the_log_is_one_line() -> None:
    record = logging.makeLogRecord({"msg": "refused: %s", "args": ("a\nINFO forged\x1b[2J",)})
    assert _OneLine("%(message)s").format(record) == "refused: a\\nINFO forged\\x1b[2J"
