"""The namespaces that an installation reads. What lies elsewhere may exist: nobody here can say that it does not.

Without lists everything is read. The lists are the operator's (``watchNamespaces`` and ``keyNamespaces`` of the chart);
a folder has none.
"""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.problems import ObjectRef, Reason
from wardgate.settings import Settings


@dataclass(frozen=True, slots=True)
class Sight:
    """``objects`` and ``secrets``: the namespaces of each that are read; empty: all.

    ``refused``: Secrets in them, ``NAMESPACE/NAME``, that the operator's rights do not cover.
    """

    objects: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> Sight:
        """The sight of an installation."""
        return cls(settings.watch_namespaces, settings.key_namespaces, settings.refused_secrets)

    def sees(self, ref: ObjectRef) -> bool:
        """Whether the object would be found if it existed."""
        if self._refuses(ref):
            return False
        read = self.secrets if ref.kind == "Secret" else self.objects
        return not read or ref.namespace in read

    @property
    def of_secrets(self) -> str:
        """A sentence about the Secrets that are not read; empty if all are."""
        return "Secrets are read only in the namespaces that keyNamespaces lists." if self.secrets else ""

    def absence(self, ref: ObjectRef) -> tuple[Reason, str]:
        """The reason why an object was not found, and the words that follow its name and "which"."""
        if self.sees(ref):
            return Reason.REF_NOT_FOUND, "does not exist"
        if self._refuses(ref):
            remedy = f"grant the operator's ServiceAccount get, list and watch on secrets in namespace {ref.namespace}"
            return Reason.REF_NOT_PERMITTED, f"may not be read; {remedy}"
        setting = "keyNamespaces" if ref.kind == "Secret" else "watchNamespaces"
        remedy = f"add namespace {ref.namespace} to the installation's {setting}"
        return Reason.REF_NOT_PERMITTED, f"may not be read; {remedy}"

    def _refuses(self, ref: ObjectRef) -> bool:
        return ref.kind == "Secret" and f"{ref.namespace}/{ref.name}" in self.refused
