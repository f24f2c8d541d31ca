"""Wrong files and folders on the command line: refused at the start, with a remedy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cli.command_line import Wardgate
from wardgate.cli.errors import CommandError
from wardgate.cli.options.paths import check_certificates, check_folder

COMMANDS = (("run",), ("render", "--request", "/"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples" / "huggingface").mkdir(parents=True)
    (tmp_path / "examples" / "huggingface" / "routes.yaml").write_text("")
    (tmp_path / "file.yaml").write_text("")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("exmples/huggingface", "does not exist; @ The nearest that exists is examples/huggingface."),
        ("examples/hugingface", "does not exist; @ The nearest that exists is examples/huggingface."),
        ("examples/other", "does not exist; @ The nearest that exists is examples."),
        ("nowhere", "does not exist; @"),
        ("/nowhere-at-all", "does not exist; @"),
        ("file.yaml", "is a file, not a folder; @"),
        ("file.yaml/more", "does not exist; @"),
        (
            "examples/huggingface/routes.yaml",
            "is a file, not a folder; @ The nearest that exists is examples/huggingface.",
        ),
    ],
)
def test_what_is_no_folder_is_refused_with_a_remedy(
    wardgate: Wardgate, command: tuple[str, ...], given: str, words: str
) -> None:
    ended = wardgate(*command, given)
    expected = words.replace("@", "give the folder that holds the manifests.")

    assert 2 == ended.status
    assert ended.err.endswith(f"'DIR': {given} {expected}\n")


def test_folder_is_taken_as_it_was_given() -> None:
    assert Path("examples/huggingface") == check_folder(Path("examples/huggingface"))
    assert Path() == check_folder(Path())


@pytest.mark.parametrize("command", [("run", "examples"), ("proxy", "--config", "file.yaml")])
@pytest.mark.parametrize(
    "content",
    [
        "",
        "a: 1\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ],
)
def test_upstream_ca_without_a_certificate_is_refused(
    wardgate: Wardgate, here: Path, command: tuple[str, ...], content: str
) -> None:
    (here / "examples" / "huggingface" / "routes.yaml").write_text("kind: [")  # nothing is served in any case
    (here / "ca.pem").write_text(content)
    ended = wardgate(*command, "--upstream-ca", "ca.pem")

    assert 2 == ended.status
    assert (
        "wardgate: --upstream-ca: the file ca.pem holds no PEM certificate; give the authority's, which begins with "
        "-----BEGIN CERTIFICATE-----.\n"
    ) == ended.err


def test_upstream_ca_that_is_a_revocation_list_is_refused(here: Path) -> None:
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    builder = x509.CertificateRevocationListBuilder(issuer_name=name, last_update=now, next_update=now + timedelta(1))
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    (here / "ca.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    with pytest.raises(CommandError, match="holds no PEM certificate"):
        check_certificates(here / "ca.pem")


def test_upstream_ca_with_a_certificate_is_taken(here: Path) -> None:
    trustme.CA().cert_pem.write_to_path(here / "ca.pem")

    assert here / "ca.pem" == check_certificates(here / "ca.pem")
    assert check_certificates(None) is None
