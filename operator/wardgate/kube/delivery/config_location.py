"""The location of a release's published config."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.kube.api.resources import SECRETS
from wardgate.kube.delivery.index import index_name


@dataclass(frozen=True, slots=True)
class ConfigLocation:
    """The config namespace of a release."""

    release: str
    namespace: str

    @property
    def index(self) -> str:
        """The index, as messages name it."""
        return f"Secret {self.namespace}/{index_name(self.release)}"

    def path(self, name: str | None = None) -> str:
        """The path of a Secret in it, or of all of them."""
        return SECRETS.path(self.namespace, name)
