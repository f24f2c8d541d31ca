"""Reads a listener's TLS settings: a Secret of the gateway's namespace, or files beside the proxy.

The authorities for MUTUAL stand in the Secret itself, or in its sibling ``<name>-cacert``. Only the proxy sees the
content of a file; a file that does not load costs its own listener.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from wardgate.api.kinds import virtual_gateway as api
from wardgate.ir import FileRef, ListenerTls
from wardgate.problems import FieldPath, ObjectRef, Problem, Reason, format_path
from wardgate.sensitive import Sensitive
from wardgate.translate.contract import Scope
from wardgate.translate.findings import Findings
from wardgate.translate.secrets.file_paths import file_below
from wardgate.translate.secrets.secret_references import Reference, ca_bundle, certificate_pair

_Version: TypeAlias = Literal["TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3"]
_MODES: Final = ("SIMPLE", "MUTUAL")


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: str | FileRef
    private_key: Sensitive | FileRef
    client_ca: str | FileRef | None


@dataclass(frozen=True, slots=True)
class TlsReader:
    """Reads the TLS settings of one gateway's listeners; problems go to ``findings``."""

    ref: ObjectRef
    scope: Scope
    findings: Findings

    def read(self, tls: api.ListenerTls, field: FieldPath) -> ListenerTls | None:
        """The listener's TLS settings; None where an error was reported."""
        if tls.mode not in _MODES:
            mode = tls.mode or "PASSTHROUGH (which an absent mode means)"
            self._error(
                Reason.UNSUPPORTED, f"is {mode}, which is not supported; use SIMPLE or MUTUAL", field=(*field, "mode")
            )
            return None
        pair = self._pair(tls, field)
        if pair is None:
            return None
        if tls.mode == "MUTUAL" and pair.client_ca is None:
            text = "is MUTUAL, but files.caCerts does not say who signs the certificates of clients"
            self._error(Reason.INVALID, text, field=(*field, "mode"))
            return None
        versions = tls.parameters
        return ListenerTls(
            certificate=pair.certificate,
            private_key=pair.private_key,
            client_ca=pair.client_ca if tls.mode == "MUTUAL" else None,
            subject_alt_names=tls.verify_subject_alt_name if tls.mode == "MUTUAL" else (),
            minimum_version=_version(versions.minimum_protocol_version if versions else None) or "TLSv1_2",
            maximum_version=_version(versions.maximum_protocol_version if versions else None),
            cipher_suites=versions.cipher_suites if versions else (),
        )

    def _pair(self, tls: api.ListenerTls, field: FieldPath) -> _Pair | None:
        if tls.secret_name is not None:
            reference = Reference(self.ref, (*field, "secretName"), self.ref.namespace, tls.secret_name)
            return self._from_secret(reference, mutual=tls.mode == "MUTUAL")
        if tls.files is not None:
            return self._from_files(tls.files, (*field, "files"))
        self._error(Reason.INVALID, "needs a certificate; give secretName or files", field=field)
        return None

    def _from_secret(self, reference: Reference, *, mutual: bool) -> _Pair | None:
        pair = certificate_pair(reference, self.scope)
        client_ca = ca_bundle(reference, self.scope) if mutual and not isinstance(pair, Problem) else None
        for problem in (pair, client_ca):
            if isinstance(problem, Problem):
                self.findings.extend((problem,))
        if isinstance(pair, Problem) or isinstance(client_ca, Problem):
            return None
        return _Pair(pair.certificate, pair.private_key, client_ca)

    def _from_files(self, files: api.TlsFiles, field: FieldPath) -> _Pair | None:
        certificate = self._file(files.server_cert, (*field, "serverCert"))
        private_key = self._file(files.private_key, (*field, "privateKey"))
        if certificate is None or private_key is None:
            return None
        client_ca = self._file(files.ca_certs, (*field, "caCerts")) if files.ca_certs else None
        return _Pair(certificate, private_key, client_ca)

    def _file(self, path: str | None, field: FieldPath) -> FileRef | None:
        if not path:
            self._error(Reason.INVALID, "is missing; certificate and key are both needed", field=field)
            return None
        root = self.scope.settings.files_root
        file = file_below(path, root, setting="filesRoot", ref=self.ref, field=field, tenancy=self.scope.tenancy)
        if isinstance(file, Problem):
            self.findings.extend((file,))
            return None
        return file

    def _error(self, reason: Reason, what: str, *, field: FieldPath) -> None:
        self.findings.error(self.ref, reason, message=f"{format_path(field)} of {self.ref} {what}.", field=field)


def _version(written: api.TlsVersion | None) -> _Version | None:
    return None if written is None or written == "TLS_AUTO" else written
