"""The compiler of transformations: every template and extractor compiled, every header name checked, once per config.

A plan that cannot be used whole is not used at all (its routes are closed); why that is so the operator has told the
policy's author when it translated the policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from secrets import token_bytes

from wardgate.field_names import CREDENTIAL_HEADERS, fold
from wardgate.inja.context import Environment
from wardgate.inja.errors import TemplateError
from wardgate.inja.extractors import compile_extractor
from wardgate.inja.limits import TemplateLimits
from wardgate.inja.template import Template, compile_template
from wardgate.ir import AppendedHeader, HeaderTemplate, MessageTemplate, TransformationPlan
from wardgate.ir import Extractor as ExtractorSpec
from wardgate.proxy.core.fields.connection import is_of_connection
from wardgate.proxy.core.fields.pseudo import is_settable
from wardgate.proxy.core.transform.parts import Extraction, HeaderSetting, MetadataSetting, Parts
from wardgate.proxy.core.transform.surroundings import header_key
from wardgate.proxy.core.transform.transformation import CompiledMessage, CompiledTransformation


def compile_transformation(
    plan: TransformationPlan, *, environment: Mapping[str, str], limits: TemplateLimits
) -> CompiledTransformation | None:
    """Compile a plan; None: a template, an extractor or a header name in it cannot be used."""
    compiler = _MessageCompiler(
        Environment(env=environment, random_bytes=cache(lambda: token_bytes(16))),
        limits=limits,
        credentials=CREDENTIAL_HEADERS.union(map(fold, plan.credential_headers)),
        blind=bool(plan.owner),
    )
    try:
        request = None if plan.request is None else compiler.message(plan.request, is_request=True)
        response = None if plan.response is None else compiler.message(plan.response, is_request=False)
    except (TemplateError, ValueError):
        return None
    return CompiledTransformation(
        plan.name,
        policy=plan.policy,
        owner=plan.owner,
        phase=plan.phase,
        request=request,
        response=response,
        recalculate=plan.recalculate,
    )


class _MessageCompiler:
    """Compiles the messages of one plan. Raises ``TemplateError``, or ``ValueError`` for an illegal header name."""

    def __init__(
        self, environment: Environment, *, limits: TemplateLimits, credentials: frozenset[str], blind: bool
    ) -> None:
        self._blind = blind
        self._environment = environment
        self._limits = limits
        self._credentials = credentials

    def message(self, spec: MessageTemplate, *, is_request: bool) -> CompiledMessage:
        credentials = self._credentials if is_request else frozenset[str]()
        parts = Parts(
            spec=spec,
            environment=replace(self._environment, data_sources={each.name: each.text for each in spec.data_sources}),
            limits=self._limits,
            extractions=tuple(self._extraction(each) for each in spec.extractors),
            headers=self._settings(spec.headers, spec=spec, credentials=credentials),
            append=self._settings(spec.append, spec=spec, credentials=credentials),
            remove=tuple(_header_name(name) for name in spec.remove),
            metadata=tuple(
                MetadataSetting(m.namespace, m.key, self._template(m.key, m.text, spec=spec), m.as_json)
                for m in spec.dynamic_metadata
            ),
            body=self._template("body", spec.body, spec=spec) if spec.body_mode == "template" else None,
        )
        return CompiledMessage(parts, is_request=is_request, blind=self._blind)

    def _extraction(self, spec: ExtractorSpec) -> Extraction:
        extractor = compile_extractor(
            regex=spec.regex,
            mode=spec.mode,
            subgroup=spec.subgroup,
            replacement=spec.replacement,
            limits=self._limits,
        )
        header = None if spec.header is None else _header_name(spec.header)
        return Extraction(spec.name, tuple(spec.name.split(".")), header, extractor)

    def _settings(
        self, given: Sequence[HeaderTemplate | AppendedHeader], *, spec: MessageTemplate, credentials: frozenset[str]
    ) -> tuple[HeaderSetting, ...]:
        """Compile the settings of headers; fields of the connection can be read and not set."""
        settings = (
            self._setting(each.name, each.text, spec=spec, traced=fold(each.name) in credentials) for each in given
        )
        return tuple(setting for setting in settings if not is_of_connection(setting.name))

    def _setting(self, name: str, text: str | None, *, spec: MessageTemplate, traced: bool) -> HeaderSetting:
        template = None if text is None else self._template(name, text, spec=spec, trace=traced)
        return HeaderSetting(_header_name(name), template, traced)

    def _template(self, name: str, text: str, *, spec: MessageTemplate, trace: bool = False) -> Template:
        return compile_template(
            text, name=name, advanced=spec.advanced, escape=spec.escape, limits=self._limits, trace=trace
        )


def _header_name(name: str) -> bytes:
    encoded = header_key(name)
    if not is_settable(encoded):
        msg = f"The header name {name!r} is not legal."
        raise ValueError(msg)
    return encoded
