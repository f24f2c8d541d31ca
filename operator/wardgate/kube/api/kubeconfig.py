"""Access to an API server as a kubeconfig describes it.

Read as kubectl reads it: merged files, tokens, client certificates, exec plugins (EKS needs them), clusters' proxies.
Loaded late, because PyYAML is something that a proxy in a pod does without. What cannot be obeyed is refused: nobody
becomes somebody else because a field was passed over.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from typing import Final

from wardgate.kube.api.access import Access, ClientCertificate, NoAccess
from wardgate.kube.api.exec_plugin import run_plugin
from wardgate.kube.api.kubeconfig_file import Fields, read_kubeconfig

_IMPERSONATION: Final = ("as", "as-uid", "as-groups", "as-user-extra")
_RENEWAL: Final = "any command of kubectl renews it, and an exec plugin (kubelogin) does so by itself"


async def kubeconfig_access(file: str | None, context: str | None) -> Access:
    """Read ``file``, else what ``KUBECONFIG`` names, else ``~/.kube/config``. Raises ``NoAccess``."""
    config = read_kubeconfig(file)
    chosen = context or config.current
    if not chosen:
        msg = f"{config.place} has no current-context; name one with --context"
        raise NoAccess(msg)
    names = config.entry("context", chosen)
    cluster = config.entry("cluster", names.text("cluster"))
    user = names.text("user")
    authorization, certificate = await _identity(config.entry("user", user), cluster) if user else ("", None)
    return Access(
        url=_url(cluster, "server"),
        authorization=authorization,
        ca_pem=cluster.pem("certificate-authority"),
        certificate=certificate,
        server_name=cluster.text("tls-server-name") or None,
        verify=not cluster.flag("insecure-skip-tls-verify"),
        proxy=_url(cluster, "proxy-url") if cluster.text("proxy-url") else None,
    )


def _url(cluster: Fields, name: str) -> str:
    url = cluster.text(name)
    if not url.startswith(("https://", "http://")):
        raise cluster.wrong(f"{name} is no URL of https or http")
    return url.rstrip("/")


async def _identity(user: Fields, cluster: Fields) -> tuple[str, ClientCertificate | None]:
    """Give the value of ``Authorization``, and the certificate."""
    if asked := [name for name in _IMPERSONATION if user.values.get(name)]:
        raise user.wrong(f"{asked[0]} (to act as somebody else) is not supported; use a user without it")
    certificate, key = user.pem("client-certificate"), user.pem("client-key")
    plugin, provider = user.below("exec"), user.below("auth-provider")
    token = _token(user)
    if not token and plugin is not None:
        given = await run_plugin(plugin, cluster=cluster)
        token, certificate, key = given.token, given.certificate or certificate, given.key or key
    elif not token and provider is not None:
        token = _id_token(provider)
    if bool(certificate) != bool(key):
        raise user.wrong("client-certificate and client-key belong together, and one of them is missing")
    shown = ClientCertificate(certificate, key) if certificate else None
    return f"Bearer {token}" if token else _password(user), shown


def _token(user: Fields) -> str:
    """The token of the file, which may be a newer one, else the token that stands there."""
    written, path = user.text("token"), user.path("tokenFile")
    if path is None or (written and not path.exists()):
        return written
    return user.read(path).decode("ascii", "replace").strip()


def _password(user: Fields) -> str:
    name, password = user.text("username"), user.text("password")
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}" if name or password else ""


def _id_token(provider: Fields) -> str:
    """The token that kubectl keeps for OpenID Connect, which is not renewed here."""
    if provider.text("name") != "oidc":
        raise provider.wrong("of the providers only oidc is known; Kubernetes has exec plugins in their place")
    config = provider.below("config")
    token = config.text("id-token") if config else ""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        ends = float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        raise provider.wrong(f"there is no id-token; {_RENEWAL}") from None
    if ends <= time.time():
        raise provider.wrong(f"the id-token has expired; {_RENEWAL}")
    return token
