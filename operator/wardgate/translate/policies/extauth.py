"""Reads one ExtAuthPolicy into one ``AuthPlan``.

Other modules decide which routes the policy guards, which of two policies wins, and what replaces a bad one. A policy
that has an error gets no plan: nothing here can make a route more open than its author wrote (invariant 1).
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from wardgate.api.kinds.annotations import FORWARD_CREDENTIAL, AnnotationError, parse_flag
from wardgate.api.kinds.ext_auth_policy import ExtAuthPolicy, GlooAuth
from wardgate.ir import ApiKeyStep, AuthPlan, BasicAuthStep, BoolExpr
from wardgate.problems import Cause, ObjectRef, Problem, ProblemKind, Reason
from wardgate.translate.contract import KeySetRequest, ParsedObject, PolicyOutcome, Scope, has_error, plan_name
from wardgate.translate.findings import Findings
from wardgate.translate.policies.auth_steps import StepReader
from wardgate.translate.policies.bool_expression import (
    BoolSyntaxError,
    ParsedExpression,
    parse_bool_expression,
    passes_without_proof,
    steps_of,
)
from wardgate.translate.sight import Sight

_CONFIG: Final = ("spec", "config")
_GLOO_AUTH: Final = (*_CONFIG, "glooAuth")
_EXPRESSION: Final = (*_GLOO_AUTH, "booleanExpr")


def translate_ext_auth(policy: ParsedObject[ExtAuthPolicy], scope: Scope) -> PolicyOutcome:
    """Read one policy; the plan is None if it has an error."""
    findings = Findings()
    steps, key_sets = _steps(policy, scope, findings=findings)
    auth = policy.model.spec.config.gloo_auth
    expression = None if auth is None else _expression(auth, policy.ref, findings=findings)
    owner = scope.tenancy.owner(policy.namespace)
    forward = _forwards_credential(policy, findings)
    if forward and owner and expression is not None:
        forward = False
        message = (
            f"{policy.ref} has the annotation {FORWARD_CREDENTIAL} beside a booleanExpr. Under isolated tenancy "
            "callers' keys are forwarded only where every config has accepted its key. Remove the one or the other."
        )
        findings.warning(
            policy.ref, Reason.NO_EFFECT, message=message, field=("metadata", "annotations", FORWARD_CREDENTIAL)
        )
    problems, server = findings.of(policy.ref), _server(policy)
    if has_error(problems):
        return PolicyOutcome(plan=None, problems=problems, server=server)
    plan = AuthPlan(
        name=plan_name(policy.ref),
        steps=tuple(steps),
        expression=expression,
        forward_credential=forward,
        policy=str(policy.ref),
        owner=owner,
    )
    return PolicyOutcome(plan=plan, key_sets=tuple(sorted(set(key_sets))), problems=problems, server=server)


def server_problems(
    policy: ObjectRef, outcome: PolicyOutcome, *, servers: Container[ObjectRef], sight: Sight
) -> tuple[Problem, ...]:
    """Note an ExtAuthServer that does not exist. It has no effect: the proxy authenticates by itself."""
    if outcome.server is None or outcome.server in servers:
        return ()
    reason, absence = sight.absence(outcome.server)
    missing = f"{policy} names {outcome.server}, which {absence}."
    message = f"{missing} No request changes by that: the proxy authenticates by itself."
    return (Problem(ProblemKind.NOTE, reason, message, policy, (*_CONFIG, "server"), Cause(outcome.server)),)


def _server(policy: ParsedObject[ExtAuthPolicy]) -> ObjectRef | None:
    server = policy.model.spec.config.server
    return None if server is None else ObjectRef("ExtAuthServer", server.namespace or policy.namespace, server.name)


def _steps(
    policy: ParsedObject[ExtAuthPolicy], scope: Scope, *, findings: Findings
) -> tuple[list[ApiKeyStep | BasicAuthStep], list[KeySetRequest]]:
    config = policy.model.spec.config
    if config.gloo_auth is None:
        module = "disable" if config.custom_auth is None else "customAuth"
        StepReader(policy.ref, _CONFIG, scope, findings).unsupported(module)
        return [], []
    steps: list[ApiKeyStep | BasicAuthStep] = []
    key_sets: list[KeySetRequest] = []
    places: dict[str, int] = {}
    for number, entry in enumerate(config.gloo_auth.configs):
        name = entry.name or f"config_{number}"
        field = (*_GLOO_AUTH, "configs", number)
        _check_name(name, number, places=places, policy=policy.ref, findings=findings)
        step, keys = StepReader(policy.ref, field, scope, findings).read(entry, name)
        steps += [] if step is None else [step]
        key_sets += [] if keys is None else [keys]
    if config.gloo_auth.fail_on_redirect:
        message = f"{policy.ref} sets failOnRedirect, which has no effect: no module here redirects."
        findings.note(
            policy.ref,
            Reason.NO_EFFECT,
            message=message,
            field=(*_GLOO_AUTH, "failOnRedirect"),
            cause=Cause("failOnRedirect"),
        )
    return steps, key_sets


def _check_name(name: str, number: int, *, places: dict[str, int], policy: ObjectRef, findings: Findings) -> None:
    first = places.setdefault(name, number)
    if first != number:
        message = (
            f"{policy} has the name {name!a} twice among its configs (an entry without a name is called "
            f"config_<index>). Give each a name of its own."
        )
        findings.error(policy, Reason.INVALID, message=message, field=(*_GLOO_AUTH, "configs", number, "name"))


def _expression(auth: GlooAuth, policy: ObjectRef, *, findings: Findings) -> BoolExpr | None:
    """The expression; None where all steps must pass."""
    if auth.boolean_expr is None or not auth.boolean_expr.strip():
        return None
    parsed = parse_bool_expression(auth.boolean_expr)
    if isinstance(parsed, BoolSyntaxError):
        message = f"{policy} has a booleanExpr that cannot be read {parsed}. Correct it."
        findings.error(policy, Reason.INVALID, message=message, field=_EXPRESSION)
        return None
    known = [entry.name or f"config_{number}" for number, entry in enumerate(auth.configs)]
    _check_expression(parsed, policy, findings=findings, known=known)
    return parsed.expression


def _check_expression(parsed: ParsedExpression, policy: ObjectRef, *, findings: Findings, known: list[str]) -> None:
    used = list(dict.fromkeys(steps_of(parsed.expression)))
    for name in used:
        if name not in known:
            message = (
                f'{policy} names "{name}" in booleanExpr, and no config is called that. Known are: {_list(known)}.'
            )
            findings.error(policy, Reason.INVALID, message=message, field=_EXPRESSION)
    if passes_without_proof(parsed.expression):
        message = (
            f"{policy} has a booleanExpr that is true when every config fails: it would let everyone in. Correct it."
        )
        findings.error(policy, Reason.INVALID, message=message, field=_EXPRESSION)
    unused = [name for name in known if name not in used]
    if unused:
        message = f"{policy} does not name {_list(unused)} in booleanExpr: never evaluated. Name or remove them."
        findings.warning(policy, Reason.NO_EFFECT, message=message, field=_EXPRESSION)
    if parsed.mixes_operators:
        message = (
            f"{policy} has && beside || in booleanExpr; here && binds tighter. Set parentheses to say what is meant."
        )
        findings.warning(policy, Reason.NO_EFFECT, message=message, field=_EXPRESSION)


def _list(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _forwards_credential(policy: ParsedObject[ExtAuthPolicy], findings: Findings) -> bool:
    flag = parse_flag(policy.model.metadata.annotations.get(FORWARD_CREDENTIAL, "false"))
    if isinstance(flag, AnnotationError):
        message = (
            f"{policy.ref} has the annotation {FORWARD_CREDENTIAL}, which must be {flag.expected}. Until it is "
            "corrected callers' keys are not forwarded."
        )
        findings.warning(
            policy.ref, Reason.NO_EFFECT, message=message, field=("metadata", "annotations", FORWARD_CREDENTIAL)
        )
        return False
    return flag
