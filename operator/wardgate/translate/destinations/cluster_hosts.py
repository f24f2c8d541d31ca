"""Host names with a meaning inside the cluster, and who may use them under isolated tenancy.

``web.b.svc.cluster.local`` is the Service ``b/web`` by another name, so it follows the rule for destinations of kind
SERVICE. Shorter forms (``web.b``) cannot be told from public names. They are harmless because a tenant's names are
looked up as whole names (``absolute``), without the search path of the proxy's pod.
"""

from __future__ import annotations

from typing import Final

from wardgate.problems import FieldPath, ObjectRef, Reason, format_path
from wardgate.translate.contract import Scope
from wardgate.translate.findings import Findings
from wardgate.translate.matching.host_names import is_dns_name, is_ip
from wardgate.translate.tenancy import Tenancy

_DEFAULT_DOMAIN: Final = "cluster.local"
_KINDS: Final = ("svc", "pod")


def may_dial(host: str, ref: ObjectRef, *, field: FieldPath, scope: Scope, findings: Findings) -> bool:
    """Whether an object may name ``host``, which is in normal form; reports a refusal."""
    if scope.tenancy.is_platform(ref.namespace):
        return True
    namespace = _namespace(host, scope.settings.cluster_domain)
    if namespace is None or (namespace and scope.tenancy.may_reference(ref.namespace, namespace)):
        return True
    where = f"namespace {namespace}" if namespace else "a namespace that cannot be told"
    message = (
        f"{format_path(field)} of {ref} is a name of {where} inside the cluster, which a tenant may not reach. For a "
        "Service of your own use a destination of kind SERVICE."
    )
    findings.error(ref, Reason.REF_NOT_PERMITTED, message=message, field=field)
    return False


def absolute(host: str, ref: ObjectRef, *, tenancy: Tenancy) -> str:
    """The name to look up: a tenant's ends with a dot, so that no search domain is appended to it."""
    return f"{host}." if tenancy.owner(ref.namespace) and is_dns_name(host) and not is_ip(host) else host


def _namespace(host: str, domain: str) -> str | None:
    """The namespace that a name lies in; empty for an unknown one inside the cluster, None outside."""
    for suffix in (domain.lower(), _DEFAULT_DOMAIN):
        if host == suffix or host.endswith(f".{suffix}"):
            labels = host.removesuffix(suffix).rstrip(".").split(".")
            return labels[-2] if len(labels) > 1 and labels[-1] in _KINDS else ""
    return "" if host.rpartition(".")[2] in _KINDS else None
