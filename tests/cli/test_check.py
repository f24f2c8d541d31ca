"""``wardgate check``: what is wrong, where, and the exit status that CI acts on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_line import Wardgate
from tests.cli.golden import golden
from tests.standalone.lab import POLICY, ROUTES, SECRET, TRANSFORMATION, write_lab


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one, so that paths in outputs are short and stable."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_mistakes(root: Path) -> None:
    write_lab(
        root,
        policy=POLICY.replace("headerName", "headerNane").replace(
            "headersFromMetadataEntry", "headersFromMetadatEntry"
        ),
        transformation=TRANSFORMATION.replace("{{ huggingface-api-key }}", "{{ huggingface-api-key"),
        routes=ROUTES + "---\nkind: Deployment\nmetadata: [\n",
        secret=SECRET.replace("api-key: api-huggingface", "api-key: another"),
    )


def test_good_manifests_are_no_problem(wardgate: Wardgate, here: Path) -> None:
    write_lab(here / "lab")
    ended = wardgate("check", "lab")

    assert (0, "No problems in 6 files (7 objects).\n", "") == (ended.status, ended.out, ended.err)


def test_report_for_people(wardgate: Wardgate, here: Path) -> None:
    write_mistakes(here / "lab")
    ended = wardgate("check", "lab")

    assert 1 == ended.status
    assert golden("check.txt", ended.out) == ended.out


def test_report_for_programs(wardgate: Wardgate, here: Path) -> None:
    write_mistakes(here / "lab")
    ended = wardgate("check", "--output", "json", "lab")

    assert 1 == ended.status
    assert golden("check.json", ended.out) == ended.out


def test_warnings_alone_are_no_failure(wardgate: Wardgate, here: Path) -> None:
    write_lab(here / "lab", policy=POLICY.replace("route: huggingface", "route: nothing"))
    ended = wardgate("check", "lab")

    assert 0 == ended.status
    assert "selects no route" in ended.out


@pytest.mark.parametrize("arguments", [["--exclude", "broken/"], ["--exclude", "*.tpl.yaml", "--exclude", "bad.yaml"]])
def test_what_is_excluded_is_not_looked_at(wardgate: Wardgate, here: Path, arguments: list[str]) -> None:
    (write_lab(here / "lab") / "broken").mkdir()
    for name in ("x.tpl.yaml", "bad.yaml"):
        (here / "lab" / "broken" / name).write_text("kind: RouteTable\n")
    all_of_it = wardgate("check", "lab")

    assert 1 == all_of_it.status
    assert 0 == wardgate("check", "lab", *arguments).status
    (here / "lab" / ".wardgateignore").write_text("broken/\n")
    assert 0 == wardgate("check", "lab").status


def test_exclusion_that_is_no_pattern_is_refused(wardgate: Wardgate, here: Path) -> None:
    write_lab(here / "lab")
    ended = wardgate("check", "lab", "--exclude", "!")

    assert 2 == ended.status
    assert '"!" is not a pattern as in a .gitignore' in " ".join(ended.err.split())


def test_documents_of_other_tools_are_one_note(wardgate: Wardgate, here: Path) -> None:
    lab = write_lab(here / "lab")
    for name, content in {
        "Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
        "ci.yaml": "stages: [a]\n---\nversion: 1\n",
        "docker-compose.yaml": "services: {web: {image: x}}\n",
        "playbook.yml": "- hosts: all\n",
        "values.yaml": "image: {tag: v1}\n",
        "templates.yaml": "{{- if .Values.x }}\nkind: {{ .Values.kind }}\n{{- end }}\n",
        "tsconfig.json": '{"compilerOptions": {"strict": true} // yes\n}',
    }.items():
        (lab / name).write_text(content)
    ended = wardgate("check", "lab")

    assert 0 == ended.status
    assert 1 == ended.out.count("note: ")
    assert "lab/Chart.yaml:1:1: note: This is not a Kubernetes object, and is left alone." in ended.out
    assert "8 times" in ended.out
    assert ended.out.endswith("No problems and 1 note in 13 files (7 objects).\n")


def test_notes_are_told_and_are_no_problem(wardgate: Wardgate, here: Path) -> None:
    write_lab(
        here / "lab", routes=ROUTES.replace("- name: ai-ingress-gw\n", "- name: ai-ingress-gw\n    cluster: here\n")
    )
    ended = wardgate("check", "lab")
    report = json.loads(wardgate("check", "lab", "-o", "json").out)

    assert 0 == ended.status
    assert "routes.yaml:11:5: note: " in ended.out
    assert ended.out.endswith("No problems and 1 note in 6 files (7 objects).\n")
    assert 1 == report["summary"]["notes"]
    assert ["note"] == [one["severity"] for one in report["diagnostics"]]


def test_unknown_field_names_the_nearest_known_one(wardgate: Wardgate, here: Path) -> None:
    write_lab(here / "lab", policy=POLICY.replace("headerName", "headerNane"))
    ended = wardgate("check", "lab")

    assert "lab/policy.yaml:15:11: warning: " in ended.out
    assert "headerName" in ended.out


def test_key_that_no_policy_uses_is_a_warning(wardgate: Wardgate, here: Path) -> None:
    write_lab(here / "lab", policy="")
    ended = wardgate("check", "lab")

    assert 0 == ended.status
    assert "lab/secret.yaml:1:1: warning: Secret default/api-huggingface-key is selected by no policy" in ended.out


def test_standard_input_is_read(wardgate: Wardgate) -> None:
    ended = wardgate("check", "-", stdin=b"kind: RouteTable\n---\na: [")

    assert 1 == ended.status
    assert "<stdin>:1:1: error: The object has no apiVersion." in ended.out
    assert "<stdin>:3:5: error: " in ended.out
    assert "2 errors in 1 file (0 objects).\n" in ended.out


def test_several_paths_are_one_set(wardgate: Wardgate, here: Path) -> None:
    write_lab(here / "lab", policy="")
    (here / "policy.txt").write_text(POLICY)
    ended = wardgate("check", "lab", "policy.txt")

    assert "No problems in 6 files (7 objects).\n" == ended.out


def test_objects_of_others_are_counted(wardgate: Wardgate, here: Path) -> None:
    write_lab(here / "lab")
    (here / "lab" / "deployment.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n")

    assert "No problems in 7 files (7 objects, 1 other left alone).\n" == wardgate("check", "lab").out


@pytest.mark.parametrize(
    ("paths", "words"),
    [(["nowhere"], "nowhere does not exist."), (["."], "No manifest (*.yaml, *.yml, *.json) in ."), ([], "PATH")],
)
def test_nothing_to_check_is_a_mistake_of_the_command_line(
    wardgate: Wardgate, here: Path, paths: list[str], words: str
) -> None:
    ended = wardgate("check", *paths)

    assert 2 == ended.status
    assert words in ended.err


def test_tenancy_is_checked_as_it_will_be_served(wardgate: Wardgate, here: Path) -> None:
    write_lab(here / "lab")
    ended = wardgate("check", "lab", "--tenancy", "isolated", "--platform-namespace", "gloo-mesh-gateways")

    assert "No problems" not in ended.out


def test_no_value_of_a_secret_is_printed(wardgate: Wardgate, here: Path) -> None:
    write_lab(here / "lab", secret=SECRET.replace("bXlzZWNyZXRrZXk=", "bXlzZWNyZXQKa2V5") + "  broken: !!\n")

    for output in ("text", "json"):
        printed = wardgate("check", "lab", "--output", output).out
        assert "bXlz" not in printed
        assert "aGZf" not in printed


def test_json_report_has_a_version_and_counts(wardgate: Wardgate, here: Path) -> None:
    write_lab(here / "lab")
    report = json.loads(wardgate("check", "lab", "-o", "json").out)

    assert {"version": 1, "diagnostics": []} == {key: report[key] for key in ("version", "diagnostics")}
    assert {"errors": 0, "warnings": 0, "notes": 0, "files": 6, "objects": 7, "foreign": 0} == report["summary"]
