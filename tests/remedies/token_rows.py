"""Remedies about the way of a token into a credential, about routes without a policy, and about what is not read."""

from __future__ import annotations

from typing import Final

from tests.remedies.gateway import Changes
from tests.remedies.parts import copy_of
from tests.remedies.row import Row, row
from wardgate.settings import Settings

_A: Final = "keys config glooAuth configs 0 apiKeyAuth"
_T: Final = "tp config request injaTemplate"
_DEMAND: Final = "gateway.gloo.solo.io/require_auth"
_TOKEN: Final[Changes] = {
    f"{_A} headersFromMetadataEntry": {"x-llm-token": {"name": "token"}},
    "key data token": "dA==",
}
_EXTRACTOR: Final = {"token": {"header": "x-llm-token", "regex": ".*"}}
_RIGHT: Final = {"authorization": {"text": 'Bearer {{ header("x-llm-token") }}'}}
_HMAC: Final = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "hmac", "namespace": "a"},
    "data": {"shared-secret": "eA=="},
}


def _printing(text: str) -> Changes:
    """Make a credential of this, behind a policy that sets the token as a header."""
    return {**_TOKEN, f"{_T} headers": {"authorization": {"text": text}}}


def _advanced(text: str) -> Changes:
    template = {"advancedTemplates": True, "extractors": _EXTRACTOR, "headers": {"x-one": {"text": text}}}
    return {**_TOKEN, _T: template}


ROWS: Final[tuple[Row, ...]] = (
    row(
        "makes a credential of it. Add the entry.",
        {**_printing('Bearer {{ header("x-llm-token") }}'), "key data": {"api-key": "eA=="}},
        {"key data token": "dA=="},
    ),
    row(
        "only after the phase preAuthz: set phase.postAuthz.",
        {**_printing('Bearer {{ header("x-llm-token") }}'), "tp config phase": {"preAuthz": {}}},
        {"tp config phase": {"postAuthz": {}}},
    ),
    row(
        "because callers send their keys in it. Name another header.",
        _printing('Bearer {{ header("api-key") }}'),
        {f"{_T} headers": _RIGHT},
    ),
    row(
        "which authentication does not set. Did you mean x-llm-token?",
        _printing('Bearer {{ header("x-llm-tokn") }}'),
        {f"{_T} headers": _RIGHT},
    ),
    row(
        'Write extraction("token").',
        _advanced("{{ token }}"),
        {f"{_T} headers": {"x-one": {"text": '{{ extraction("token") }}'}}},
    ),
    row(
        "which is always empty, because no extractor has that name. Correct it.",
        _advanced('{{ extraction("none") }}'),
        {f"{_T} headers": {"x-one": {"text": '{{ extraction("token") }}'}}},
    ),
    row(
        "Add an extractor 'provider', or correct the name.",
        _printing("Bearer {{ provider }}"),
        {f"{_T} extractors": {"provider": {"header": "x-llm-token", "regex": ".*"}}},
        {f"{_T} headers": _RIGHT},
    ),
    row(
        "Correct the label, or remove it if the route is meant to be open.",
        {"rt http 0 labels": {"rout": "llm"}},
        {"rt http 0 labels": {"route": "llm"}},
    ),
    row(
        f"which the label {_DEMAND} demands. Have a policy select the route.",
        {"rt http 0 labels": {_DEMAND: "true"}},
        {"keys applyToRoutes 0 route labels": {_DEMAND: "true"}},
    ),
    row(
        "which this installation demands (requireAuth). Have a policy select the labels of the route.",
        {"rt http 0 labels": {"app": "web"}},
        {"keys applyToRoutes 0 route labels": {"app": "web"}},
        settings=Settings(require_auth=True),
    ),
    row(
        "did you mean a/llm? Correct the reference, or create the service.",
        {"rt http 0 forwardTo destinations 0 ref name": "lllm"},
        {"rt http 0 forwardTo destinations 0 ref name": "llm"},
        {"+lllm": {**copy_of("llm"), "metadata": {"name": "lllm", "namespace": "a"}}},
    ),
    row(
        "which does not exist; correct the reference, or create the service.",
        {"rt http 0 forwardTo destinations 0 ref name": "other"},
        {"rt http 0 forwardTo destinations 0 ref name": "llm"},
    ),
    row(
        "add namespace a to the installation's keyNamespaces, or move the Secret.",
        {f"{_A} hmac": {"sharedSecretRef": {"name": "hmac"}}},
        {"+hmac": _HMAC},
        settings=Settings(key_namespaces=frozenset({"keys"})),
        mended=Settings(key_namespaces=frozenset({"keys", "a"})),
    ),
    row(
        "may not be read; grant the operator's ServiceAccount get, list and watch on secrets in namespace a, or move",
        {f"{_A} hmac": {"sharedSecretRef": {"name": "hmac"}}},
        {"+hmac": _HMAC},
        settings=Settings(refused_secrets=frozenset({"a/hmac"})),
        mended=Settings(),
    ),
)
