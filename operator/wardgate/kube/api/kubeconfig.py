"""Access to an API server as a kubeconfig describes it, with all that one may hold.

``kubernetes.aio`` reads it: exec plugins (EKS needs them), clusters' proxies, certificates in the file itself. Loaded
late, because the library brings pydantic, PyYAML and 25 MB that a proxy in a pod does without.
"""

from __future__ import annotations

from types import MappingProxyType

from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.client.configuration import Configuration

from wardgate.kube.api.access import Access, NoAccess


async def kubeconfig_access(file: str | None, context: str | None) -> Access:
    """Read ``file``, else what ``KUBECONFIG`` names, else ``~/.kube/config``. Raises ``NoAccess``."""
    configuration = Configuration()
    try:
        await kubernetes_config.load_kube_config(file, context, configuration, persist_config=False)
    except (kubernetes_config.ConfigException, OSError, ValueError, TypeError) as error:
        raise NoAccess(str(error)) from error
    return Access(
        url=str(configuration.host),
        authorization=await configuration.get_api_key_with_prefix("BearerToken") or "",
        ca_file=configuration.ssl_ca_cert,
        certificate_file=configuration.cert_file,
        key_file=configuration.key_file,
        server_name=configuration.tls_server_name,
        verify=bool(configuration.verify_ssl),
        proxy=configuration.proxy,
        proxy_headers=MappingProxyType(dict(configuration.proxy_headers or {})),
    )
