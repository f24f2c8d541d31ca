"""A kubeconfig is read as kubectl reads it, and what cannot be obeyed is refused."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme

from wardgate.kube.api.access import Access, ClientCertificate, NoAccess
from wardgate.kube.api.kubeconfig import kubeconfig_access

URL = "https://192.0.2.7:6443"
AUTHORITY = trustme.CA()
V1 = "client.authentication.k8s.io/v1"
PLUGIN = """#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/told"
echo "$1 $REGION" > "$(dirname "$0")/called"
cat "$(dirname "$0")/answer"
"""


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Home:
    """A folder with kubeconfigs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(
        self,
        user: Mapping[str, object] | None = None,
        cluster: Mapping[str, object] | None = None,
        *,
        name: str = "config",
        context: str = "here",
    ) -> Path:
        """Write a kubeconfig whose only context has the given user and cluster."""
        config = {
            "current-context": context,
            "contexts": [{"name": context, "context": {"cluster": "c", "user": "me"}}],
            "clusters": [{"name": "c", "cluster": {"server": URL, **(cluster or {})}}],
            "users": [{"name": "me", "user": user or {}}],
        }
        path = self.folder / name
        path.write_text(json.dumps(config), encoding="utf-8")
        return path

    def access(self, user: Mapping[str, object] | None = None, cluster: Mapping[str, object] | None = None) -> Access:
        """Read one."""
        return read(str(self.write(user, cluster)))

    def refusal(self, user: Mapping[str, object] | None = None, cluster: Mapping[str, object] | None = None) -> str:
        """Read one that is refused."""
        with pytest.raises(NoAccess) as refused:
            self.access(user, cluster)
        return str(refused.value).removeprefix(f"{self.folder}/")


def read(file: str | None, context: str | None = None) -> Access:
    return asyncio.run(kubeconfig_access(file, context))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


class TestFiles:
    def test_first_file_that_holds_a_name_or_a_current_context_decides(self, home: Home) -> None:
        first = home.write({"token": "one"}, name="first")
        second = home.write({"token": "two"}, {"server": "https://other"}, name="second", context="there")
        named = os.pathsep.join([str(home.folder / "absent"), str(first), str(second)])

        assert (URL, "Bearer one") == (read(named).url, read(named).authorization)
        assert (URL, "Bearer one") == (read(named, "there").url, read(named, "there").authorization)

    def test_variable_names_the_files(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBECONFIG", str(home.write({"token": "t"})))

        assert "Bearer t" == read(None).authorization

    def test_default_is_in_the_home_folder(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("KUBECONFIG", raising=False)
        monkeypatch.setenv("HOME", str(home.folder))
        with pytest.raises(NoAccess, match=r"^~/\.kube/config does not exist$"):
            read(None)
        (home.folder / ".kube").mkdir()
        home.write({"token": "t"}, name=".kube/config")

        assert "Bearer t" == read(None).authorization

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("[]", "config is not a kubeconfig"),
            ("a: [", "config is not YAML"),
            ("\x00", "config is not YAML"),
            ("[" * 5000, "config is not YAML"),
            ("", "config has no current-context; name one with --context"),
            ("current-context: x", 'config has no context "x"'),
            ("users: {}", "config has no current-context; name one with --context"),
            ("users: {a: 1}", "config: users is not a list"),
            ("users: [{user: {}}]", "config: an entry of users has no name"),
            ("contexts: [{name: x, context: 1}]", 'config, context "x": context has no fields'),
        ],
    )
    def test_what_is_no_kubeconfig_is_told(self, home: Home, text: str, expected: str) -> None:
        (home.folder / "config").write_text(text, encoding="utf-8")
        with pytest.raises(NoAccess) as refused:
            read(str(home.folder / "config"))

        assert expected == str(refused.value).removeprefix(f"{home.folder}/")

    def test_text_of_a_broken_file_is_not_shown(self, home: Home) -> None:
        (home.folder / "config").write_text("token: 'sesame", encoding="utf-8")
        with pytest.raises(NoAccess) as refused:
            read(str(home.folder / "config"))

        assert "sesame" not in f"{refused.value!r} {refused.value.__cause__!r}"


class TestCluster:
    def test_relative_path_starts_from_the_kubeconfig(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir("/")
        AUTHORITY.cert_pem.write_to_path(home.folder / "ca.crt")

        assert AUTHORITY.cert_pem.bytes() == home.access(None, {"certificate-authority": "ca.crt"}).ca_pem

    def test_data_counts_before_the_file(self, home: Home) -> None:
        cluster = {"certificate-authority-data": base64_of(b"data"), "certificate-authority": "absent"}

        assert b"data" == home.access(None, cluster).ca_pem

    @pytest.mark.parametrize(
        ("cluster", "expected"),
        [
            ({"server": "here:6443"}, "server is no URL of https or http"),
            ({"server": ""}, "server is no URL of https or http"),
            ({"server": 6443}, "server is not a text"),
            ({"proxy-url": "socks5://proxy:1080"}, "proxy-url is no URL of https or http"),
            ({"insecure-skip-tls-verify": "no"}, "insecure-skip-tls-verify is neither true nor false"),
            ({"certificate-authority-data": "="}, "certificate-authority-data is not base64"),
        ],
    )
    def test_what_makes_no_sense_is_told_with_its_field(
        self, home: Home, cluster: Mapping[str, object], expected: str
    ) -> None:
        assert f'config, cluster "c": {expected}' == home.refusal(None, cluster)

    def test_file_that_is_absent_is_named(self, home: Home) -> None:
        expected = f'config, cluster "c": {home.folder}/ca.crt cannot be read (FileNotFoundError)'

        assert expected == home.refusal(None, {"certificate-authority": "ca.crt"})


def id_token(**claims: float) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln"


class TestUser:
    def test_nobody_sends_nothing(self, home: Home) -> None:
        assert ("", None) == (home.access().authorization, home.access().certificate)

    @pytest.mark.parametrize(
        ("user", "expected"),
        [
            ({"token": "t"}, "Bearer t"),
            ({"tokenFile": "token"}, "Bearer of-the-file"),
            ({"tokenFile": "token", "token": "t"}, "Bearer of-the-file"),
            ({"tokenFile": "absent", "token": "t"}, "Bearer t"),
            ({"username": "me", "password": "päss"}, f"Basic {base64_of('me:päss'.encode())}"),
            ({"token": "t", "exec": {"apiVersion": V1, "command": "/absent"}}, "Bearer t"),
        ],
    )
    def test_identity_is_the_one_that_kubectl_shows(
        self, home: Home, user: Mapping[str, object], expected: str
    ) -> None:
        (home.folder / "token").write_text("of-the-file\n", encoding="ascii")

        assert expected == home.access(user).authorization

    @pytest.mark.parametrize("name", ["as", "as-uid", "as-groups", "as-user-extra"])
    def test_impersonation_is_refused_and_not_passed_over(self, home: Home, name: str) -> None:
        expected = f'config, user "me": {name} (to act as somebody else) is not supported; use a user without it'

        assert expected == home.refusal({"token": "t", name: ["somebody"]})

    def test_certificate_and_key_are_shown_to_the_server(self, home: Home) -> None:
        leaf = AUTHORITY.issue_cert("me.test")
        chain = b"".join(each.bytes() for each in leaf.cert_chain_pems)
        user = {"client-certificate-data": base64_of(chain), "client-key-data": base64_of(leaf.private_key_pem.bytes())}
        access = home.access(user)

        assert ClientCertificate(chain, leaf.private_key_pem.bytes()) == access.certificate
        assert "PRIVATE" not in repr(access)
        access.context()

    def test_key_lies_in_no_file_afterwards(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        leaf = AUTHORITY.issue_cert("me.test")
        monkeypatch.setattr("tempfile.tempdir", str(home.folder))
        ClientCertificate(leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()).load_into(
            Access(URL).context()
        )

        assert [] == list(home.folder.iterdir())

    def test_certificate_without_its_key_is_told(self, home: Home) -> None:
        expected = "client-certificate and client-key belong together, and one of them is missing"

        assert f'config, user "me": {expected}' == home.refusal({"client-certificate-data": base64_of(b"x")})

    def test_valid_token_of_openid_connect_is_used(self, home: Home) -> None:
        token = id_token(exp=time.time() + 600)
        user = {"auth-provider": {"name": "oidc", "config": {"id-token": token}}}

        assert f"Bearer {token}" == home.access(user).authorization

    @pytest.mark.parametrize(
        ("provider", "expected"),
        [
            ({"name": "gcp"}, "of the providers only oidc is known; Kubernetes has exec plugins in their place"),
            ({"name": "oidc"}, "there is no id-token; "),
            ({"name": "oidc", "config": {"id-token": "a.b.c"}}, "there is no id-token; "),
            ({"name": "oidc", "config": {"id-token": id_token(exp=1)}}, "the id-token has expired; "),
        ],
    )
    def test_provider_that_gives_no_token_is_told(
        self, home: Home, provider: Mapping[str, object], expected: str
    ) -> None:
        refusal = home.refusal({"auth-provider": provider})

        assert refusal.startswith(f'config, user "me", auth-provider: {expected}')


class TestPlugin:
    @pytest.fixture
    def plugin(self, home: Home) -> Path:
        path = home.folder / "plugin"
        path.write_text(PLUGIN, encoding="ascii")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def user(self, **fields: object) -> dict[str, object]:
        return {"exec": {"apiVersion": V1, "command": "./plugin", **fields}}

    def answer(self, home: Home, status: object, **fields: object) -> None:
        text = json.dumps({"kind": "ExecCredential", "apiVersion": V1, "status": status, **fields})
        (home.folder / "answer").write_text(text, encoding="ascii")

    def told(self, home: Home) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((home.folder / "told").read_text())
        return told

    def test_token_is_the_one_of_the_program(self, home: Home, plugin: Path) -> None:
        self.answer(home, {"token": "t"})
        access = home.access(self.user(args=["get-token"], env=[{"name": "REGION", "value": "eu-1"}]))

        assert "Bearer t" == access.authorization
        assert "get-token eu-1\n" == plugin.with_name("called").read_text()
        assert {"kind": "ExecCredential", "apiVersion": V1, "spec": {"interactive": False}} == self.told(home)

    @pytest.mark.usefixtures("plugin")
    def test_program_is_told_of_the_cluster_where_it_asks(self, home: Home) -> None:
        self.answer(home, {"token": "t"})
        config = {"audience": "a"}
        extensions = [{"name": "client.authentication.k8s.io/exec", "extension": config}]
        cluster = {"certificate-authority-data": base64_of(b"x"), "extensions": extensions}
        home.access(self.user(provideClusterInfo=True), cluster)

        told = {"server": URL, "certificate-authority-data": base64_of(b"x"), "config": config}
        assert told == self.told(home)["spec"]["cluster"]

    @pytest.mark.usefixtures("plugin")
    def test_program_may_give_a_certificate(self, home: Home) -> None:
        self.answer(home, {"clientCertificateData": "certificate", "clientKeyData": "key"})

        assert ClientCertificate(b"certificate", b"key") == home.access(self.user()).certificate

    @pytest.mark.usefixtures("plugin")
    @pytest.mark.parametrize(
        ("status", "fields", "expected"),
        [
            ({}, {}, "the answer has neither a token nor a certificate with its key"),
            (None, {}, "the answer has neither a token nor a certificate with its key"),
            ({"clientCertificateData": "c"}, {}, "the answer has neither a token nor a certificate with its key"),
            ({"token": "t"}, {"kind": "Pod"}, f"the answer is not an ExecCredential of {V1}"),
            ({"token": "t"}, {"apiVersion": f"{V1}beta1"}, f"the answer is not an ExecCredential of {V1}"),
        ],
    )
    def test_answer_without_credentials_is_no_access(
        self, home: Home, status: object, fields: Mapping[str, object], expected: str
    ) -> None:
        self.answer(home, status, **fields)

        assert f'config, user "me", exec: {expected}' == home.refusal(self.user())

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"command": "absent-plugin", "installHint": "Install it."}, "absent-plugin cannot be run"),
            ({"command": "false"}, "false ended with status 1"),
            ({"command": "echo", "args": ["sesame"]}, "the answer of echo is not JSON"),
            ({"command": "echo", "args": ["[]"]}, "the answer is not an ExecCredential"),
            ({"command": ""}, "command is missing"),
            ({"apiVersion": f"{V1}alpha1"}, "apiVersion is none of client.authentication.k8s.io/v1, "),
            ({"interactiveMode": "Always"}, "it asks somebody at a terminal, and there is none"),
            ({"env": [{"name": "A"}]}, "an entry of env has no name or no value"),
        ],
    )
    def test_program_that_fails_is_named(self, home: Home, fields: Mapping[str, object], expected: str) -> None:
        refusal = home.refusal(self.user(**fields))

        assert refusal.startswith(f'config, user "me", exec: {expected}')
        assert str(fields.get("installHint", "")) in refusal
        assert "sesame" not in refusal

    def test_program_that_hangs_is_ended(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("wardgate.kube.api.exec_plugin.SECONDS", 0.5)
        told = home.folder / "told"
        refusal = home.refusal(self.user(command="sh", args=["-c", f"echo $$ >{told}; exec sleep 600"]))

        assert 'config, user "me", exec: sh gave no answer within 0.5 s' == refusal
        assert not Path("/proc", told.read_text().strip()).exists()
