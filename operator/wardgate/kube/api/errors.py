"""The errors of requests to the API server, by who can do something about them."""

from __future__ import annotations


class KubeError(Exception):
    """The request did not succeed. The text names method and path, never a body."""


class ConnectionFailed(KubeError):
    """No answer, or half of one: the API server is away, or the way to it is."""


class UnreadableObject(KubeError):
    """The API server sent something that is no object; the text says of which kind, and no more."""


class ApiError(KubeError):
    """The API server answered with an error. ``reason`` is the word of its Status, for example ``AlreadyExists``."""

    def __init__(self, message: str, *, status: int, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason

    @property
    def is_expired(self) -> bool:
        """The version asked for is no longer known: list again."""
        return self.status == 410 or self.reason in {"Expired", "Gone"}

    @property
    def is_absent(self) -> bool:
        """No such object, or no such kind."""
        return self.status == 404

    @property
    def is_forbidden(self) -> bool:
        """We may not: a missing right, or a token that no longer counts."""
        return self.status in {401, 403}

    @property
    def is_conflict(self) -> bool:
        """Someone else was first: the object exists, or has another version."""
        return self.status == 409
