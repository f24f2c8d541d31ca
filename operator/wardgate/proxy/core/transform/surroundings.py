"""The surroundings of a message: all that templates know of its exchange beside the message itself."""

from __future__ import annotations

from wardgate.inja.budget import StepBudget
from wardgate.inja.values import JsonValue
from wardgate.proxy.core.transform.message_view import MessageView
from wardgate.proxy.core.transform.veil import Veil, VeiledView
from wardgate.text_codec import from_bytes, to_bytes


class Surroundings:
    """The surroundings of one exchange.

    ``metadata_headers``: the headers that the route's policy sets from the key's Secret, under folded names.

    ``veil``: hides parts of the message from tenants' templates; None: hides nothing.
    ``budget``: the work that is left for the message in hand; None: no transformation of it has begun.
    """

    __slots__ = ("_request", "budget", "dynamic_metadata", "metadata_headers", "veil")

    def __init__(self, request: MessageView) -> None:
        self._request = request
        self.budget: StepBudget | None = None
        self.dynamic_metadata: dict[str, dict[str, JsonValue]] = {}
        self.metadata_headers: frozenset[str] = frozenset()
        self.veil: Veil | None = None

    @property
    def request_header_steps(self) -> int:
        """Number of steps that a look-up of a request header is charged."""
        return 1 + (self._request.header_count >> 3)

    def request_header(self, name: str) -> str:
        """Return a request header's first value, also while a response is transformed."""
        return from_bytes(self._request.first(header_key(name)) or b"")

    @property
    def spent(self) -> int:
        """Steps of work that were done on the message in hand."""
        return 0 if self.budget is None else self.budget.spent

    def leave(self, namespace: str, key: str, *, value: JsonValue) -> None:
        """Set a value of dynamic metadata."""
        self.dynamic_metadata.setdefault(namespace, {})[key] = value

    def behind(self, veil: Veil) -> Surroundings:
        """Return the surroundings as they look behind a veil."""
        return _Veiled(self, VeiledView(self._request, veil.request), veil=veil)


class _Veiled(Surroundings):
    """Surroundings behind a veil: less is seen, and values left there are left for everybody."""

    __slots__ = ("_whole",)

    def __init__(self, whole: Surroundings, request: MessageView, *, veil: Veil) -> None:
        super().__init__(request)
        self._whole = whole
        self.budget = whole.budget
        self.dynamic_metadata = veil.visible(whole.dynamic_metadata)
        self.metadata_headers = whole.metadata_headers

    def leave(self, namespace: str, key: str, *, value: JsonValue) -> None:
        super().leave(namespace, key, value=value)
        self._whole.leave(namespace, key, value=value)


def header_key(name: str) -> bytes:
    """Return the name under which a header is kept: lower case, as bytes."""
    # Names are ASCII but in odd templates, and a template asks for one with every request.
    return name.lower().encode() if name.isascii() else to_bytes(name.lower())
