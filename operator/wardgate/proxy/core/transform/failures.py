"""A transformation that failed, and the answer that takes the place of its message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wardgate.proxy.core.messages import Reply
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.redaction import redact
from wardgate.proxy.core.replies import ERROR_SOURCE, REFUSALS, failed_transformation

_IN_GLOOS_WORDS = frozenset(
    {ReplyReason.TRANSFORMATION_FAILED, ReplyReason.TRANSFORMATION_TOO_COSTLY, ReplyReason.BODY_TOO_COMPLEX}
)
_OF_A_RESPONSE = {
    ReplyReason.UNSAFE_RENDERING: ReplyReason.UNSAFE_RESPONSE_RENDERING,
    ReplyReason.BODY_TOO_LARGE: ReplyReason.RESPONSE_TOO_LARGE,
}
"""A caller's fault in a request, and the same fault in a response, where it is the upstream's."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that cannot go on, and why. ``text`` tells the caller in Gloo's words, for some reasons.

    ``sealed`` is the text without what it quotes of the message.
    """

    reason: ReplyReason
    text: str = ""
    sealed: str = ""

    def redacted(self, secrets: Iterable[bytes]) -> Failure:
        """Take secrets out of the text, and all that it quotes: a quotation may have been made of them."""
        held = tuple(secrets)
        return Failure(self.reason, redact(self.sealed, held)) if held else self

    def request_reply(self) -> Reply:
        """Answer in the place of a request that failed."""
        return (
            failed_transformation(self.reason, self.text) if self.reason in _IN_GLOOS_WORDS else REFUSALS[self.reason]
        )

    def response_reply(self) -> Reply:
        """Answer in the place of a response that failed: as Gloo, a 400 without content type; what is broken: 502."""
        if self.reason in _OF_A_RESPONSE:
            return REFUSALS[_OF_A_RESPONSE[self.reason]]
        reply = self.request_reply()
        return Reply(reply.status, reply.reason, (ERROR_SOURCE,), reply.body)
