"""The package's entry point for templates: compile once, render often.

Most header templates are text around one variable, ``Bearer {{ token }}``. These skip the general machinery: one lookup
in the data, one concatenation. Any unusual case (no such string, a long one) takes the general path, which knows all
the rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from wardgate.inja.analysis import may_read_body
from wardgate.inja.compiler import Action, compile_statements
from wardgate.inja.context import Context
from wardgate.inja.copies import only_copies
from wardgate.inja.errors import LimitError, ParseError, RenderError, TemplateError
from wardgate.inja.expression_parser import Syntax
from wardgate.inja.expressions import DEFAULT_ARITY, SUPER_ARITIES
from wardgate.inja.functions import CORE_FUNCTIONS, Function
from wardgate.inja.gloo_functions import GLOO_FUNCTIONS
from wardgate.inja.limits import DEFAULT_LIMITS, TemplateLimits
from wardgate.inja.needs import Needs, needs_of
from wardgate.inja.nodes import Print, Statement, Text, Variable
from wardgate.inja.parser import parse
from wardgate.inja.reads import Reads, reads_of
from wardgate.inja.state import RenderState
from wardgate.inja.values import byte_length, canonical

FUNCTIONS: Final[Mapping[str, Function]] = {**CORE_FUNCTIONS, **GLOO_FUNCTIONS}
_NOTHING_HOLLOW: Final[frozenset[str]] = frozenset()


class RenderedTemplate(NamedTuple):
    """A rendered text, and the headers (in lower case) that were found empty and whose value was printed."""

    text: str
    hollow: frozenset[str]


class Template:
    """A compiled template. Rendering does not change it, so any number of renderings may share it."""

    __slots__ = (
        "_advanced",
        "_limits",
        "_one",
        "_reads",
        "_run",
        "_short",
        "_statements",
        "_traces",
        "name",
        "only_copies",
        "source",
    )

    def __init__(
        self,
        source: str,
        *,
        name: str,
        statements: Sequence[Statement],
        run: Action,
        limits: TemplateLimits,
        advanced: bool,
        escape: bool,
        trace: bool,
    ) -> None:
        self.source = source
        self.name = name
        self._statements = statements
        self._run = run
        self._limits = limits
        self._advanced = advanced
        self._traces = trace
        self._reads: Reads | None = None
        self.only_copies = not escape and only_copies(statements)
        """Whether nothing of what a value says decides anything: values are printed as they are."""
        self._one = None if escape else _one_variable(statements)
        self._short = limits.output_bytes // 4

    def render(self, context: Context) -> str:
        """Render for one message. Raises ``RenderError``."""
        if self._one is not None:
            text = self._render_one(context, self._one)
            if text is not None:
                return text
        return self._render(RenderState(context, self._limits))

    def render_traced(self, context: Context) -> RenderedTemplate:
        """Render, and report the hollow headers. The template must have been compiled with ``trace``."""
        if not self._traces:
            msg = f"Template '{self.name}' was compiled without trace."
            raise ValueError(msg)
        if self._one is not None and (self._advanced or not context.hollow):
            text = self._render_one(context, self._one)
            if text is not None:
                return RenderedTemplate(text, _NOTHING_HOLLOW)
        state = RenderState(context, self._limits)
        state.start_tracing(advanced=self._advanced)
        text = self._render(state)
        return RenderedTemplate(text, frozenset(state.printed))

    def may_read_body(self, defined: frozenset[str]) -> bool:
        """Tell whether rendering can depend on the body, where extractors of these names exist."""
        return may_read_body(self._statements, defined, advanced=self._advanced)

    def needs(self) -> Needs:
        """Return the parts of a message without which every rendering fails or prints nothing in their place."""
        return needs_of(self._statements)

    def reads(self) -> Reads:
        """Return the parts of a message on which rendering may depend."""
        if self._reads is None:
            self._reads = reads_of(self._statements)
        return self._reads

    def _render_one(self, context: Context, one: _One) -> str | None:
        data = context.data
        if type(data) is dict:
            value = data.get(one.name)
            if type(value) is str and len(value) < self._short:
                text = f"{one.before}{value}{one.after}"
                # A character has at most four bytes, so the text is within the output limit.
                if len(text) <= self._short:
                    return text
        return None

    def _render(self, state: RenderState) -> str:
        try:
            self._run(state)
            return canonical(state.output())
        except TemplateError as error:
            error.template = self.name
            raise
        except RecursionError as too_deep:
            msg = "The template's data is nested too deeply."
            raise LimitError(msg, template=self.name) from too_deep
        except UnicodeEncodeError as no_text:
            msg = "The template's data holds a character that is no text."
            raise RenderError(msg, template=self.name) from no_text


@dataclass(frozen=True, slots=True)
class _One:
    """A template that is text around one variable with a one-part name."""

    before: str
    name: str
    after: str


def compile_template(
    source: str,
    *,
    name: str,
    advanced: bool = False,
    escape: bool = False,
    limits: TemplateLimits = DEFAULT_LIMITS,
    trace: bool = False,
) -> Template:
    """Compile a template. Raises ``ParseError``.

    ``advanced`` is ``advancedTemplates`` (paths are JSON pointers), ``escape`` is ``escapeCharacters``;
    ``name`` stands in messages.
    """
    try:
        if byte_length(source) > limits.template_bytes:
            msg = f"The template is longer than {limits.template_bytes} bytes."
            raise ParseError(msg)
        statements = parse(source, Syntax(advanced, _knows_function, limits))
        run = compile_statements(statements, FUNCTIONS, escape=escape, trace=trace)
    except TemplateError as error:
        error.template = name
        raise
    except (RecursionError, UnicodeEncodeError) as fault:
        reason = "is nested too deeply" if isinstance(fault, RecursionError) else "holds a character that is no text"
        msg = f"The template {reason}."
        raise ParseError(msg, template=name) from fault
    return Template(
        source,
        name=name,
        statements=statements,
        run=run,
        limits=limits,
        advanced=advanced,
        escape=escape,
        trace=trace,
    )


def _knows_function(name: str, arguments: int) -> bool:
    if name == "default":
        return arguments == DEFAULT_ARITY
    if name == "super":
        return arguments in SUPER_ARITIES
    return name in FUNCTIONS and FUNCTIONS[name].takes(arguments)


def _one_variable(statements: Sequence[Statement]) -> _One | None:
    prints = [statement for statement in statements if isinstance(statement, Print)]
    if len(prints) != 1 or not all(isinstance(statement, Text | Print) for statement in statements):
        return None
    variable = prints[0].expression
    if not isinstance(variable, Variable) or len(variable.path) != 1 or variable.path[0] == "loop":
        return None
    at = list(statements).index(prints[0])
    return _One(_text_of(statements[:at]), variable.path[0], _text_of(statements[at + 1 :]))


def _text_of(statements: Sequence[Statement]) -> str:
    return "".join(statement.text for statement in statements if isinstance(statement, Text))
