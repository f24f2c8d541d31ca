"""Headers set and removed by each stage of an exchange, found by comparison and told to an observer."""

from __future__ import annotations

from collections.abc import Iterable

from wardgate.field_names import CREDENTIAL_HEADERS
from wardgate.proxy.core.fields.folded import fold, folded_names
from wardgate.proxy.core.fields.key_copies import without_scheme
from wardgate.proxy.core.fields.pseudo import request_path
from wardgate.proxy.core.messages import Request
from wardgate.proxy.core.observer import Observer
from wardgate.text_codec import from_bytes


class HeaderWatch:
    """Tells an observer what each stage did to a request, by comparing it before and after.

    A value is secret if its header is a credential or if it holds a secret: the caller's key, or metadata of the key's
    Secret. So a token that a template moves to another place is not shown there either.
    """

    def __init__(self, observer: Observer, request: Request) -> None:
        self.observer = observer
        self.secrets: set[bytes] = set()
        self._request = request
        self._secret_names = set(folded_names(CREDENTIAL_HEADERS))
        self._before = self._snapshot()

    def keep_secret(self, names: Iterable[bytes], values: Iterable[bytes] = ()) -> None:
        """Treat these headers (folded names), their present values, and these values as secret from now on."""
        self._secret_names.update(names)
        present = [value for name, value in self._request.headers if fold(name) in self._secret_names]
        self.secrets.update(filter(None, (*values, *present, *map(without_scheme, present))))

    def tell_route(self, name: str, *, policy: str) -> None:
        """Tell which route the request is on, by which host, and what guards it."""
        self.observer.decided("host", self._request.authority.decode("utf-8", "replace"))
        self.observer.decided("route", name)
        if policy:
            self.observer.decided("policy", policy)

    def report(self, by: str) -> None:
        """Tell what changed since the last report, done by ``by``."""
        after = self._snapshot()
        for name in self._before:
            if name not in after:
                self.observer.header_removed(from_bytes(name), by=by)
        for name, values in after.items():
            if values != self._before.get(name):
                for value in values:
                    self.observer.header_set(from_bytes(name), value, by=by, secret=self.is_secret(name, value))
        self._before = after

    def is_secret(self, name: bytes, value: bytes) -> bool:
        """Whether a value must not be shown."""
        return fold(name) in self._secret_names or any(secret in value for secret in self.secrets)

    def _snapshot(self) -> dict[bytes, list[bytes]]:
        request = self._request
        found: dict[bytes, list[bytes]] = {
            b":method": [request.method],
            b":path": [request_path(request)],
            b":authority": [request.authority],
        }
        for name, value in request.headers:
            found.setdefault(name, []).append(value)
        return found
