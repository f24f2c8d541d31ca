"""``wardgate render``: a request, decision by decision, and an exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_line import Ended, Wardgate
from tests.cli.golden import golden
from tests.standalone.lab import GATEWAY, KEY, ROUTES, TOKEN, TRANSFORMATION, write_lab

REQUEST = ("--request", "POST /huggingface")
WITH_KEY = (*REQUEST, "-H", f"api-key: {KEY}")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_lab(tmp_path / "lab")


def test_excluded_policy_guards_nothing(wardgate: Wardgate, lab: Path) -> None:
    ended = wardgate("render", "lab", "--request", "POST /huggingface", "--exclude", "policy.yaml")

    assert "auth step" not in ended.out


def test_accepted_request_is_shown_decision_by_decision(wardgate: Wardgate, lab: Path) -> None:
    ended = wardgate("render", "lab", *WITH_KEY, "-H", "x-api-key: evil", "-d", '{"inputs": "hi"}')

    assert (0, "") == (ended.status, ended.err)
    assert golden("render-accepted.txt", ended.out) == ended.out


def test_accepted_request_for_programs(wardgate: Wardgate, lab: Path) -> None:
    ended = wardgate("render", "lab", *WITH_KEY, "--output", "json")

    assert 0 == ended.status
    assert golden("render-accepted.json", ended.out) == ended.out


def test_copies_of_the_key_are_shown_as_removed_by_authentication(wardgate: Wardgate, lab: Path) -> None:
    copies = ("-H", f"x-goog-api-key: Bearer {KEY}", "-H", f"cookie: a=b; key={KEY}")
    ended = wardgate("render", "lab", "--request", f"/huggingface?key={KEY}&a=1", "-H", f"api-key: {KEY}", *copies)

    assert 0 == ended.status
    assert "header removed  x-goog-api-key  by authentication" in ended.out
    assert "header set      cookie: <secret>  by authentication" in ended.out
    assert "header set      :path: /huggingface?a=1  by authentication" in ended.out
    assert KEY not in ended.out


def test_refused_request_has_its_own_exit_status(wardgate: Wardgate, lab: Path) -> None:
    ended = wardgate("render", "lab", *REQUEST)

    assert 3 == ended.status
    assert golden("render-refused.txt", ended.out) == ended.out


@pytest.mark.parametrize("matcher", ["prefix: /huggingface", "prefix: /a/../%68ugging%66ace", "exact: //huggingface"])
@pytest.mark.parametrize("path", ["/huggingface", "/%68uggingfac%65", "//huggingface", "/a/%2E%2e/huggingface"])
def test_guard_beside_an_open_route_is_met_however_either_is_written(
    matcher: str, path: str, wardgate: Wardgate, lab: Path
) -> None:
    anything = "  - {name: open, directResponse: {status: 204}}\n"
    (lab / "routes.yaml").write_text(ROUTES.replace("prefix: /huggingface", matcher) + anything)

    assert 0 == wardgate("render", "lab", "--request", "/other").status
    assert "key_missing" in wardgate("render", "lab", "--request", path).out


def test_method_is_taken_as_it_is_written(wardgate: Wardgate, lab: Path) -> None:
    ended = wardgate("render", "lab", "--request", "post /huggingface", "-H", f"api-key: {KEY}")

    assert 3 == ended.status
    assert "method_case" in ended.out


@pytest.mark.parametrize("path", ["/huggingface%00", "/x/..%2Fhuggingface", "/%%368uggingface"])
def test_path_that_readers_take_differently_is_refused(path: str, wardgate: Wardgate, lab: Path) -> None:
    ended = wardgate("render", "lab", "--request", path)

    assert 3 == ended.status
    assert "bad_target" in ended.out


def test_answer_of_the_route_itself_is_shown(wardgate: Wardgate, lab: Path) -> None:
    (lab / "routes.yaml").write_text(
        ROUTES.replace(
            "    delegate:\n      routeTables:\n      - namespace: ai-demo\n", "    directResponse: {status: 204}\n"
        )
    )
    ended = wardgate("render", "lab", "--request", "/x")

    assert 0 == ended.status
    assert "is answered by the gateway (direct_response)\n\n204\n" in ended.out


def test_body_that_a_template_reads_is_rendered(wardgate: Wardgate, lab: Path, tmp_path: Path) -> None:
    body = TRANSFORMATION.replace(
        "        extractors:", "        body: {text: 'model is {{ model }}'}\n        extractors:"
    )
    (lab / "transformation.yaml").write_text(body)
    (tmp_path / "body.json").write_text('{"model": "gpt2"}')

    assert "\nmodel is gpt2\n" in wardgate("render", "lab", *WITH_KEY, "-d", "@body.json").out
    assert "\nmodel is o1\n" in wardgate("render", "lab", *WITH_KEY, "-d", "@-", stdin=b'{"model": "o1"}').out


@pytest.mark.parametrize("output", ["text", "json"])
def test_no_secret_is_printed(wardgate: Wardgate, lab: Path, output: str) -> None:
    printed = wardgate("render", "lab", *WITH_KEY, "-o", output).out

    assert "<secret>" in printed
    assert KEY not in printed
    assert TOKEN not in printed


def decisions(ended: Ended) -> dict[str, str]:
    return {one["what"]: one["name"] for one in json.loads(ended.out)["decisions"]}


@pytest.mark.parametrize(
    ("request_line", "method", "host"),
    [
        ("/huggingface", "GET", "localhost"),
        ("http://gateway.example.com/huggingface", "GET", "gateway.example.com"),
        ("PUT https://gateway.example.com:8081/huggingface", "PUT", "gateway.example.com:8081"),
    ],
)
def test_request_may_be_written_short_or_as_a_url(
    wardgate: Wardgate, lab: Path, request_line: str, method: str, host: str
) -> None:
    ended = wardgate("render", "lab", "--request", request_line, "-H", f"api-key: {KEY}", "-o", "json")

    assert host == decisions(ended)["host"]
    assert json.loads(ended.out)["head"].startswith(f"{method} ")


def test_request_with_a_body_is_a_post(wardgate: Wardgate, lab: Path) -> None:
    ended = wardgate("render", "lab", "--request", "/huggingface", "-H", f"api-key: {KEY}", "-d", "x", "-o", "json")

    assert json.loads(ended.out)["head"].startswith("POST ")


def test_host_header_counts(wardgate: Wardgate, lab: Path) -> None:
    ended = wardgate("render", "lab", *WITH_KEY, "-H", "Host: other.example.com", "-o", "json")

    assert "other.example.com" == decisions(ended)["host"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--request", "POST huggingface"), "is not a request"),
        (("--request", " "), "is not a request"),
        ((*REQUEST, "-H", "nonsense"), '"nonsense" is not a header'),
        ((*REQUEST, "-d", "@nowhere.json"), "nowhere.json cannot be read: No such file"),
        ((*REQUEST, "--listener", "9999"), "Choose a listener with --listener PORT: there is 8081 ("),
        ((), "--request"),
    ],
)
def test_mistake_on_the_command_line_is_a_sentence(
    wardgate: Wardgate, lab: Path, arguments: tuple[str, ...], words: str
) -> None:
    ended = wardgate("render", "lab", *arguments)

    assert 2 == ended.status
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_listener_is_chosen_among_several(wardgate: Wardgate, lab: Path) -> None:
    (lab / "second.yaml").write_text(GATEWAY.replace("ai-ingress-gw", "second").replace("8081", "9090"))
    undecided = wardgate("render", "lab", *REQUEST)
    by_port = wardgate("render", "lab", *WITH_KEY, "--listener", "8081", "-o", "json")
    by_url = wardgate("render", "lab", "--request", "http://h:9090/huggingface", "-o", "json")

    assert 2 == undecided.status
    assert "8081" in undecided.err
    assert "9090" in undecided.err
    assert "ai-ingress-gw" in decisions(by_port)["listener"]
    assert "second" in decisions(by_url)["listener"]


def test_policy_that_cannot_be_read_is_told_with_its_place_and_closes_its_route(wardgate: Wardgate, lab: Path) -> None:
    (lab / "policy.yaml").write_text("kind: [")
    ended = wardgate("render", "lab", *WITH_KEY)

    assert 3 == ended.status
    assert "lab/policy.yaml:1:" in ended.err
    assert "policy_invalid" in ended.out


def test_invalid_object_is_mentioned_and_the_rest_is_rendered(wardgate: Wardgate, lab: Path) -> None:
    (lab / "transformation.yaml").write_text(TRANSFORMATION.replace("{{", "{{ ("))
    ended = wardgate("render", "lab", *WITH_KEY)

    assert 3 == ended.status
    assert "lab/transformation.yaml:15:13: error: " in ended.err


def test_manifests_without_a_listener_end_it(wardgate: Wardgate, lab: Path) -> None:
    (lab / "gateway.yaml").unlink()
    ended = wardgate("render", "lab", *WITH_KEY)

    assert 1 == ended.status
    assert "The manifests have no listener" in ended.err
