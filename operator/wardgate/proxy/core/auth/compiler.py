"""Authentication plans made ready: their steps, and the expression over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wardgate.ir import ApiKeyStep, AuthPlan, AuthStep, BasicAuthStep, BoolAnd, BoolExpr, BoolNot, BoolOr, BoolStep
from wardgate.ir import Digest as DigestStorage
from wardgate.ir import Hmac as HmacStorage
from wardgate.proxy.core.auth.api_key import ApiKeyCheck
from wardgate.proxy.core.auth.authentication import CompiledAuth, Expression, StepCheck
from wardgate.proxy.core.auth.basic import BasicCheck
from wardgate.proxy.core.fields.pseudo import is_ordinary_name
from wardgate.text_codec import to_bytes


def compile_auth(plan: AuthPlan) -> CompiledAuth | None:
    """Compile a plan; None: it has a step or an expression that this version does not know, or sets no legal header."""
    steps: list[StepCheck] = []
    places: dict[str, int] = {}
    for index, step in enumerate(plan.steps):
        check = _compile_step(step)
        # Two steps of one name: an expression would not say which of them it asks.
        if check is None or check.name in places:
            return None
        places[check.name] = index
        steps.append(check)
    expression = None
    if plan.expression is not None:
        expression = _compile_expression(plan.expression, places)
        if expression is None:
            return None
    return CompiledAuth(plan, tuple(steps), expression=expression)


def _compile_step(step: AuthStep) -> StepCheck | None:
    kind: object = step
    if isinstance(kind, ApiKeyStep):
        known = kind.stored is None or isinstance(kind.stored, DigestStorage | HmacStorage)
        settable = all(is_ordinary_name(to_bytes(each.header)) for each in kind.metadata_headers)
        return ApiKeyCheck(kind) if known and settable else None
    if isinstance(kind, BasicAuthStep) and kind.encryption in ("apr1", "sha1"):
        return BasicCheck(kind)
    return None


def _compile_expression(expression: BoolExpr, places: Mapping[str, int]) -> Expression | None:
    if isinstance(expression, BoolStep):
        index = places.get(expression.step)
        return None if index is None else (lambda passes: passes(index))
    if isinstance(expression, BoolNot):
        operand = _compile_expression(expression.operand, places)
        return None if operand is None else (lambda passes: not operand(passes))
    if isinstance(expression, BoolAnd | BoolOr):
        operands = [_compile_expression(operand, places) for operand in expression.operands]
        known = [operand for operand in operands if operand is not None]
        return _junction(known, every=isinstance(expression, BoolAnd)) if len(known) == len(operands) else None
    return None


def _junction(operands: Sequence[Expression], *, every: bool) -> Expression:
    if every:
        return lambda passes: all(operand(passes) for operand in operands)
    return lambda passes: any(operand(passes) for operand in operands)
