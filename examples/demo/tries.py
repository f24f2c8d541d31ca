"""The requests that the demo offers: what each shows, the ``curl`` line, and what it answers."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

KEY = "mysecretkey"
QUESTION = '{"inputs": "Explain in 1-2 sentences why a gateway should hold the tokens"}'


@dataclass(frozen=True, slots=True)
class Try:
    """``arguments`` are those of ``curl``, the URL last."""

    title: str
    arguments: tuple[str, ...]
    status: int
    outcome: str

    def command_line(self) -> str:
        """Give the line to paste into a shell."""
        return shlex.join(("curl", *self.arguments))


def tries(url: str) -> Sequence[Try]:
    """List the requests, in the order of the lab."""
    question = ("-d", QUESTION, "-H", "Content-Type: application/json")
    return (
        Try(
            title="No key: refused.",
            arguments=("-sS", "-i", url),
            status=401,
            outcome="401, www-authenticate: API key is missing or invalid",
        ),
        Try(
            title="A wrong key: refused in the same words.",
            arguments=("-sS", "-i", "-H", "api-key: guessed", url),
            status=401,
            outcome="401, www-authenticate: API key is missing or invalid",
        ),
        Try(
            title="The caller's key: accepted, and the provider gets its own token instead.",
            arguments=("-sS", "-i", "-H", f"api-key: {KEY}", *question, url),
            status=200,
            outcome='200; below "received": authorization holds the provider\'s token, and there is no api-key',
        ),
        Try(
            title="A caller who tries to choose the token: overruled.",
            arguments=(
                *("-sS", "-i", "-H", f"api-key: {KEY}"),
                *("-H", "x-api-key: forged-token-0000", "-H", "Authorization: Bearer forged-token-0000"),
                *(*question, url),
            ),
            status=200,
            outcome='200; "received" is the same as before: nothing forged arrived',
        ),
    )
