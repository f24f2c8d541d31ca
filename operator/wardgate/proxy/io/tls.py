"""TLS contexts of listeners and upstreams.

Upstream certificates are verified against the system's roots, or the upstream's own CA, unless the insecure mode is
spelled out (invariant 8). Python loads keys from files only: key material is handed over through an anonymous file in
memory and never touches a disk.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeGuard

from wardgate.ir import FileRef, ListenerTls, ServerCertificate, UpstreamTls
from wardgate.proxy.io.tls_object import RecordReader
from wardgate.sensitive import Sensitive

_VERSIONS = {
    "TLSv1_0": ssl.TLSVersion.TLSv1,
    "TLSv1_1": ssl.TLSVersion.TLSv1_1,
    "TLSv1_2": ssl.TLSVersion.TLSv1_2,
    "TLSv1_3": ssl.TLSVersion.TLSv1_3,
}


Stamp: TypeAlias = tuple[tuple[int, int, int], ...]
"""Of files: inode, time of the last change in nanoseconds, size. Zeros for one that is not there."""


class TlsConfigError(Exception):
    """Certificates that a config names cannot be used; the message names the field and holds no key material."""


class TlsFactory:
    """Builds contexts. ``files_root`` is the one folder certificate files may lie in; empty: none."""

    def __init__(self, *, files_root: str, extra_ca: str) -> None:
        self._files_root = files_root
        self._extra_ca = extra_ca
        self._plain: ssl.SSLContext | None = None

    def upstream(self, tls: UpstreamTls) -> ssl.SSLContext:
        """A client's context. Upstreams without certificates of their own share one: loading roots is slow."""
        if tls.verify and not tls.verify_names and tls.ca is None and tls.certificate is None:
            if self._plain is None:
                self._plain = self._client(tls)
            return self._plain
        return self._client(tls)

    def listener(self, tls: ListenerTls) -> ssl.SSLContext:
        """A server's context. Where there are several certificates, it goes by the host that the caller asks for."""
        first = ServerCertificate(tls.certificate, tls.private_key, tls.hosts)
        context = self._server(tls, first)
        if tls.others:
            by_host = dict.fromkeys(tls.hosts, context)
            for other in tls.others:
                by_host.update(dict.fromkeys(other.hosts, self._server(tls, other)))
            context.sni_callback = partial(_choose, by_host=by_host)
        return context

    def _server(self, tls: ListenerTls, shown: ServerCertificate) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sslobject_class = RecordReader
        context.minimum_version = _VERSIONS[tls.minimum_version]
        if tls.maximum_version is not None:
            context.maximum_version = _VERSIONS[tls.maximum_version]
        context.set_alpn_protocols(["http/1.1"])
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        if tls.cipher_suites:
            self._guarded("cipherSuites", lambda: context.set_ciphers(":".join(tls.cipher_suites)))
        self._load_pair(context, certificate=shown.certificate, private_key=shown.private_key)
        if tls.client_ca is not None:
            client_ca = self._text(tls.client_ca)
            self._guarded("client CA", lambda: context.load_verify_locations(cadata=client_ca))
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def stamp(self, tls: ListenerTls | UpstreamTls) -> Stamp:
        """Return what tells the present content of the files from a later one; it is empty where there are none."""
        sources: list[object] = [tls.certificate, tls.private_key]
        if isinstance(tls, UpstreamTls):
            sources.append(tls.ca)
        else:
            sources += (
                tls.client_ca,
                *(text for other in tls.others for text in (other.certificate, other.private_key)),
            )
        return tuple(map(_version, filter(_is_file, sources)))

    def _client(self, tls: UpstreamTls) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.sslobject_class = RecordReader
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        # A name counts in subjectAltName alone (RFC 9110, 4.3.4); authorities do not vet the common name as a host.
        context.hostname_checks_common_name = False
        if not tls.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context.check_hostname = not tls.verify_names
            self._load_roots(context, tls)
        if tls.certificate is not None and tls.private_key is not None:
            self._load_pair(context, certificate=tls.certificate, private_key=tls.private_key)
        return context

    def _load_roots(self, context: ssl.SSLContext, tls: UpstreamTls) -> None:
        if tls.ca is not None:
            own = self._text(tls.ca)
            self._guarded("caCertificates", lambda: context.load_verify_locations(cadata=own))
            return
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        if self._extra_ca:
            self._guarded("--upstream-ca", lambda: context.load_verify_locations(cafile=self._extra_ca))

    def _load_pair(
        self, context: ssl.SSLContext, *, certificate: str | FileRef, private_key: Sensitive | FileRef
    ) -> None:
        key = private_key.reveal() if isinstance(private_key, Sensitive) else self._text(private_key)
        with _in_memory(self._text(certificate) + "\n" + key) as path:
            self._guarded("certificate and private key", lambda: context.load_cert_chain(path, password=_no_password))

    def _text(self, source: str | FileRef) -> str:
        if isinstance(source, str):
            return source
        root = Path(self._files_root).resolve() if self._files_root else None
        path = Path(source.path).resolve()
        if root is None or not path.is_relative_to(root):
            msg = f"The file {source.path} is not below the folder that this proxy may read (--files-root)."
            raise TlsConfigError(msg)
        try:
            return path.read_text(encoding="ascii", errors="replace")
        except OSError as error:
            msg = f"The file {source.path} cannot be read: {error.strerror}."
            raise TlsConfigError(msg) from error

    @staticmethod
    def _guarded(what: str, load: Callable[[], object]) -> None:
        try:
            load()
        except (ssl.SSLError, OSError, ValueError) as error:
            msg = f"The {what} cannot be used: {getattr(error, 'reason', None) or type(error).__name__}."
            raise TlsConfigError(msg) from None


def _choose(connection: ssl.SSLObject, name: str | None, *_: object, by_host: Mapping[str, ssl.SSLContext]) -> None:
    """Show the certificate of the host that a caller asks for; the first one stays where there is none."""
    found = None if name is None else by_host.get(name.lower()) or _by_pattern(by_host, name.lower())
    if found is not None:
        connection.context = found


def _by_pattern(by_host: Mapping[str, ssl.SSLContext], name: str) -> ssl.SSLContext | None:
    """Return the context of the longest pattern that a name fits."""
    while "." in name:
        name = name.partition(".")[2]
        found = by_host.get(f"*.{name}")
        if found is not None:
            return found
    return by_host.get("*")


def _is_file(source: object) -> TypeGuard[FileRef]:
    return isinstance(source, FileRef)


def _version(file: FileRef) -> tuple[int, int, int]:
    try:
        found = Path(file.path).stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def _no_password() -> str:
    """An encrypted key is an error: without this, the library would ask at the terminal."""
    return ""


def alt_names(peer_certificate: object) -> list[tuple[str, str]]:
    """The subject alternative names of a certificate as ``getpeercert`` gives it; none where there is none."""
    names = peer_certificate.get("subjectAltName", ()) if isinstance(peer_certificate, dict) else ()
    return [(str(kind), str(value)) for kind, value in names]


@contextmanager
def _in_memory(text: str) -> Iterator[str]:
    """A path under which ``text`` can be read while the block lasts."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("wardgate-tls")
        try:
            os.write(descriptor, text.encode())
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile("w", prefix="wardgate-tls-") as file:
        file.write(text)
        file.flush()
        yield file.name
