"""The site that every server serves: routes ``/t0/``, ``/t1/`` and so on, each of which asks for its own callers' keys.

Key ``k`` opens route ``k % routes``. A request for ``/tN/rest`` reaches the upstream as ``/v1/rest``, with the token of
its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

KEY_HEADER = "api-key"
PROVIDER = "provider.test"
"""The name of the upstream: its ``Host``, and the name in its certificate."""
TLS_VERSION = "TLSv1.3"
TLS_CIPHER = "TLS_AES_256_GCM_SHA384"
PROTECTION = f"{TLS_VERSION} {TLS_CIPHER}"
"""Of every connection with TLS, so that no gateway is measured with a lighter one."""
SHAPED = "/shaped/"
"""The prefix of a route that is not plain; see ``Site.shaped``."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files: a chain, its private key, and the authority that signed it."""

    chain: Path
    private_key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class Size:
    """Routes, and keys over all of them. Only Wardgate serves more than one."""

    routes: int = 1
    keys: int = 1


ONE: Final = Size()


@dataclass(frozen=True, slots=True)
class Site:
    """``port`` is where callers come, ``upstream`` where requests go; configuration files go into ``folder``.

    ``shaped`` adds a second route, ``/shaped/``: before the key is checked, a header is made from another by a pattern
    and the JSON body is written anew; two upstreams share the requests 90 to 10; responses get a header made from
    another.
    ``certificate`` serves TLS to callers, ``upstream_tls`` speaks it to the upstream.
    """

    port: int
    upstream: int
    folder: Path
    shaped: bool = False
    access_log: bool = False
    workers: int = 1
    certificate: Certificate | None = None
    upstream_tls: Certificate | None = None
    size: Size = ONE

    @property
    def scheme(self) -> str:
        """Of the callers' addresses."""
        return "http" if self.certificate is None else "https"


def key(number: int) -> str:
    """Return a caller's key."""
    return f"caller-key-{number:06}"


def token(number: int, version: int = 0) -> str:
    """Return the token that belongs to a key; each version is another one of the same length."""
    return f"provider-token-{version:03}-{number:06}"


def expected(path: str, *, number: int = 0, version: int = 0, team: str = "", tls: bool = False) -> str:
    """Return the text that the upstream shows at ``/v1/seen`` if the server did its job and took the key off."""
    protected = f" {PROTECTION}" if tls else ""
    return f"{PROVIDER} {path} [Bearer {token(number, version)}] [] [{team}]{protected}"
