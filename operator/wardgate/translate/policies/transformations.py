"""Reads one TransformationPolicy into one ``TransformationPlan``.

Every template and every extractor is compiled once as a check, and thrown away: the plan carries source text. The
result depends on the policy and the settings alone.

Error texts are worded as Gloo's control plane words them, after the name of the policy. Their positions are the
template library's: line and column from 1. Other modules decide which routes are rewritten, and in which order policies
run.
"""

from __future__ import annotations

from typing import Final, Literal

from wardgate.api.kinds.annotations import CREDENTIAL_HEADERS, parse_list
from wardgate.api.kinds.transformation_policy import TransformationPolicy
from wardgate.inja.limits import TemplateLimits
from wardgate.ir import TransformationPlan
from wardgate.problems import ObjectRef, Reason
from wardgate.translate.contract import ParsedObject, Scope, TransformationOutcome, has_error, plan_name
from wardgate.translate.findings import Findings
from wardgate.translate.policies.header_names import is_token
from wardgate.translate.policies.message_templates import TemplateReader, credential_names

_CONFIG: Final = ("spec", "config")


def translate_transformation(policy: ParsedObject[TransformationPolicy], scope: Scope) -> TransformationOutcome:
    """Read one policy; the plan is None if it has an error."""
    limits = scope.settings.template_limits
    return _translate(policy.ref, policy.model, limits=limits, owner=scope.tenancy.owner(policy.namespace))


def _translate(
    ref: ObjectRef, model: TransformationPolicy, *, limits: TemplateLimits, owner: str
) -> TransformationOutcome:
    findings = Findings()
    config = model.spec.config
    credential_headers = _credential_headers(ref, model, findings=findings)
    request = None if config.request is None else config.request.inja_template
    response = None if config.response is None else config.response.inja_template
    for side, part in (("request", config.request), ("response", config.response)):
        if part is not None and part.xslt_transformation is not None:
            _refuse_xslt(ref, side, findings=findings)
    if config.request is None and config.response is None:
        message = f"{ref} rewrites neither requests nor responses. Add config.request or config.response, or delete it."
        findings.warning(ref, Reason.NO_EFFECT, message=message, field=_CONFIG)
    reader = TemplateReader(ref, "request", limits, findings, credential_names(credential_headers))
    recalculates = config.request is not None and config.request.recalculate_routing_destination
    phase: Literal["pre", "post"] = "post" if config.phase is None else config.phase.name
    plan = TransformationPlan(
        name=plan_name(ref),
        phase=phase,
        request=None if request is None else reader.read(request),
        response=None if response is None else TemplateReader(ref, "response", limits, findings).read(response),
        recalculate=recalculates,
        credential_headers=credential_headers,
        policy=str(ref),
        owner=owner,
    )
    problems = findings.of(ref)
    priority = 0 if config.phase is None else config.phase.priority
    return TransformationOutcome(
        None if has_error(problems) else plan,
        priority=priority,
        problems=problems,
        credentials_read=frozenset(reader.credentials_read),
    )


def _refuse_xslt(ref: ObjectRef, side: str, *, findings: Findings) -> None:
    message = f"{ref} uses xsltTransformation, which Wardgate does not implement. Use injaTemplate."
    findings.error(ref, Reason.UNSUPPORTED, message=message, field=(*_CONFIG, side, "xsltTransformation"))


def _credential_headers(ref: ObjectRef, model: TransformationPolicy, *, findings: Findings) -> tuple[str, ...]:
    names = parse_list(model.metadata.annotations.get(CREDENTIAL_HEADERS, ""))
    wrong = [name for name in names if not is_token(name)]
    if wrong:
        message = f"{ref} lists {wrong[0]!a} in {CREDENTIAL_HEADERS}, which is not the name of a header. Correct it."
        findings.error(ref, Reason.INVALID, message=message, field=("metadata", "annotations", CREDENTIAL_HEADERS))
    return tuple(sorted(names))
