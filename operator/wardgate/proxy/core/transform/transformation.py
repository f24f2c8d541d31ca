"""Transformations made ready: what they read of a message, within which bounds, and how they fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from wardgate.inja.budget import StepBudget
from wardgate.inja.errors import JsonTooComplexError, JsonTooLargeError, LimitError, TemplateError
from wardgate.inja.json_bounds import Loaded, load
from wardgate.inja.jsontext import JsonTextError
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.transform.failures import Failure
from wardgate.proxy.core.transform.message_run import MessageRun
from wardgate.proxy.core.transform.message_view import MessageView
from wardgate.proxy.core.transform.parts import Parts
from wardgate.proxy.core.transform.surroundings import Surroundings
from wardgate.proxy.core.transform.veil import VeiledView

_FEW_HEADERS = 64
"""So few are looked through too quickly to be charged for."""
_NOTHING = Loaded(None, 0)


class CompiledMessage:
    """One ``injaTemplate``. ``needs_body``: the whole body must be known before ``run``.

    ``blind``: a tenant's, which works behind the veil where there is one.
    ``longest_body``: bytes of the longest body that it takes; None: any.
    """

    __slots__ = (
        "_blind",
        "_header_steps",
        "_is_request",
        "_limits",
        "_parse",
        "longest_body",
        "needs_body",
        "parts",
    )

    def __init__(
        self,
        parts: Parts,
        *,
        is_request: bool,
        blind: bool,
    ) -> None:
        spec = parts.spec
        self.parts = parts
        self._is_request = is_request
        self._blind = blind
        self._limits = parts.limits
        self._header_steps = len(parts.extractions) + len(parts.headers) + len(parts.append) + len(parts.remove)
        reads = _reads_body(parts)
        passthrough = spec.body_mode == "passthrough"
        self._parse = not passthrough and (spec.parse_body == "ParseAsJson" or (spec.parse_body is None and reads))
        replaces = spec.body_mode in ("template", "merge_extractors")
        self.needs_body = not passthrough and (self._parse or reads or replaces)
        self.longest_body = parts.limits.json_bytes if self._parse else None

    @property
    def merges(self) -> bool:
        """Whether the new body is the old one with the extractors' values."""
        return self.parts.spec.body_mode == "merge_extractors"

    def run(self, view: MessageView, around: Surroundings) -> Failure | None:
        """Transform the message in place."""
        budget = around.budget
        if budget is None:
            budget = around.budget = StepBudget(self._limits.steps)
        veil = around.veil
        if veil is not None and self._blind:
            view = VeiledView(view, veil.request if self._is_request else veil.response)
            around = around.behind(veil)
        try:
            if view.header_count > _FEW_HEADERS:
                budget.charge(self._header_steps * view.header_count >> 2)
            loaded = self._loaded(view.body, budget)
            return MessageRun(self.parts, around).run(view, loaded)
        except JsonTooLargeError:
            return Failure(ReplyReason.BODY_TOO_LARGE)
        except JsonTooComplexError as too_complex:
            return Failure(ReplyReason.BODY_TOO_COMPLEX, too_complex.message, too_complex.sealed)
        except LimitError as too_costly:
            return Failure(ReplyReason.TRANSFORMATION_TOO_COSTLY, too_costly.message, too_costly.sealed)
        except TemplateError as error:
            return Failure(ReplyReason.TRANSFORMATION_FAILED, error.message, error.sealed)
        except JsonTextError as no_json:
            return Failure(ReplyReason.TRANSFORMATION_FAILED, str(no_json), no_json.sealed)

    def new_body(self, view: MessageView, around: Surroundings) -> bytes | None:
        """Make the body alone, with half of the work that ``run`` may do; None: ``run`` has to say what comes of it.

        The rest must not read the body, and nothing must be hidden.
        """
        budget = around.budget = StepBudget(self._limits.steps // 2)
        try:
            return MessageRun(self.parts, around).new_body(view, self._loaded(view.body, budget))
        except (TemplateError, JsonTextError):
            return None

    def _loaded(self, body: bytes | None, budget: StepBudget) -> Loaded:
        if not self._parse or not body:
            return _NOTHING
        try:
            return load(body, limits=self._limits, meter=budget)
        except JsonTextError:
            if self.parts.spec.ignore_parse_error:
                return _NOTHING
            raise


@dataclass(frozen=True, slots=True, eq=False)
class CompiledTransformation:
    """One plan, ready. ``policy`` names whom to blame in a log; ``owner``: as ``ir.Route.owner``."""

    name: str
    policy: str
    owner: str
    phase: Literal["pre", "post"]
    request: CompiledMessage | None
    response: CompiledMessage | None
    recalculate: bool

    @property
    def reads_response(self) -> bool:
        """Whether the response's whole body must be known."""
        return self.response is not None and self.response.needs_body


def in_response_order(
    plans: Sequence[CompiledTransformation],
) -> list[tuple[CompiledTransformation, CompiledMessage]]:
    """List plans with what each does to a response, in the order in which they see it: the last one first."""
    return [(plan, plan.response) for plan in reversed(plans) if plan.response is not None]


def _reads_body(parts: Parts) -> bool:
    """Whether the message's own body can show in what comes out; what an extractor defines is not the body's."""
    spec = parts.spec
    if spec.body_mode == "merge_extractors" or any(each.header is None for each in parts.extractions):
        return True
    defined = frozenset[str]() if spec.advanced else frozenset(each.name for each in parts.extractions)
    templates = [parts.body, *(each.template for each in (*parts.headers, *parts.append))]
    templates += [each.template for each in parts.metadata]
    return any(each is not None and each.may_read_body(defined) for each in templates)
