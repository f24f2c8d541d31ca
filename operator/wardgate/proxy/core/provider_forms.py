"""Refusals in the form that a provider's own client reads, on the routes that lead to a known provider.

A client that meets ``{"error": "..."}`` where it knows ``{"error": {"message": ...}}`` shows its user a bare status.
The form is the route's, chosen when the route is compiled; all answers stand ready. Status and reason stay, and so do
answers that somebody else fixed: the recorded 401s, Gloo's words for failed templates, direct responses.

Sources: OpenAI, "Error codes"; Anthropic, "Errors"; Google, AIP-193.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, TypeAlias

from wardgate.proxy.core.messages import Reply
from wardgate.proxy.core.replies import REFUSALS

_Body: TypeAlias = Callable[[Reply], object]


class ProviderForm:
    """The refusals, as the clients of one API read them."""

    __slots__ = ("_answers", "name")

    def __init__(self, name: str, body: _Body | None) -> None:
        """``body`` makes an answer's JSON; None: all stay as they are."""
        self.name = name
        self._answers = {
            str(reason): replace(reply, body=json.dumps(body(reply), separators=(",", ":")).encode())
            for reason, reply in REFUSALS.items()
            if body is not None and reply.text
        }

    def of(self, reply: Reply) -> Reply:
        """Return the answer in this form, or as it is where its form is fixed."""
        return self._answers.get(reply.reason, reply) if reply.text else reply


_OPENAI_TYPES: Final = {403: "permission_error", 429: "rate_limit_error"}
_ANTHROPIC_TYPES: Final = {
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_GOOGLE_STATUSES: Final = {
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def _openai(reply: Reply) -> object:
    kind = _OPENAI_TYPES.get(reply.status, "invalid_request_error" if reply.status < 500 else "server_error")
    return {"error": {"message": reply.text, "type": kind, "param": None, "code": reply.reason}}


def _anthropic(reply: Reply) -> object:
    kind = _ANTHROPIC_TYPES.get(reply.status, "invalid_request_error" if reply.status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": reply.text}}


def _google(reply: Reply) -> object:
    status = _GOOGLE_STATUSES.get(reply.status, "INVALID_ARGUMENT" if reply.status < 500 else "INTERNAL")
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reply.reason.upper(),
        "domain": "wardgate",
    }
    return {"error": {"code": reply.status, "message": reply.text, "status": status, "details": [info]}}


PLAIN: Final = ProviderForm("plain", None)
OPENAI: Final = ProviderForm("openai", _openai)
ANTHROPIC: Final = ProviderForm("anthropic", _anthropic)
GOOGLE: Final = ProviderForm("google", _google)

_KNOWN: Final = {
    **dict.fromkeys(
        (
            "api.openai.com",
            "openai.azure.com",
            "services.ai.azure.com",
            "api.cerebras.ai",
            "api.deepseek.com",
            "api.fireworks.ai",
            "api.groq.com",
            "api.mistral.ai",
            "api.together.xyz",
            "api.x.ai",
            "openrouter.ai",
        ),
        OPENAI,
    ),
    "api.anthropic.com": ANTHROPIC,
    "generativelanguage.googleapis.com": GOOGLE,
    "aiplatform.googleapis.com": GOOGLE,
}
"""By host; names below one count too. The OpenAI form is also that of the APIs that its client is pointed at."""
_REGIONAL: Final = "-aiplatform.googleapis.com"


def form_for(hosts: Iterable[str]) -> ProviderForm:
    """Return the form that all of these hosts share; PLAIN where there is none, or one of them is nobody we know."""
    forms = {_form(host.lower().removesuffix(".")) for host in hosts}
    return forms.pop() if len(forms) == 1 else PLAIN


def _form(host: str) -> ProviderForm:
    if host.endswith(_REGIONAL):
        return GOOGLE
    while host:
        if host in _KNOWN:
            return _KNOWN[host]
        host = host.partition(".")[2]
    return PLAIN
