"""A collection of the API server: the objects of one kind that somebody lists or watches."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.kube.api.resources import Resource


@dataclass(frozen=True, slots=True)
class Collection:
    """A kind's objects in one namespace or in all (None), perhaps only those that ``selectors`` (of the API) match.

    ``metadata_only``: nothing else of an object is transferred, so that no Secret's entries are sent to be thrown away.
    """

    resource: Resource
    namespace: str | None = None
    selectors: tuple[tuple[str, str], ...] = ()
    metadata_only: bool = False

    @property
    def path(self) -> str:
        """The path of the collection."""
        return self.resource.path(self.namespace)

    @property
    def parameters(self) -> dict[str, str | int]:
        """The selectors, as the parameters of a request."""
        return dict(self.selectors)

    def __str__(self) -> str:
        chosen = " and ".join(value for _, value in self.selectors)
        where = "all namespaces" if self.namespace is None else f"namespace {self.namespace}"
        return f"{self.resource.plural}{f' ({chosen})' if chosen else ''} in {where}"
