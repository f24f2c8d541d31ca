"""Gloo's template language and extractors: a faithful, bounded reimplementation (docs/decisions/0031).

Templates (`compile_template`), extractors (`compile_extractor`), the regular expressions of routes
(`compile_route_regex`), and JSON as the original library reads and writes it (`loads_json`, `dumps_json`). Nothing in
this package does I/O, logs or reads a clock, and no template or expression takes more than its ``TemplateLimits``
allow. "The library" in this package is inja with nlohmann::json, in C++; "the filter" is Gloo's transformation filter
around it.
"""

from wardgate.inja.context import Context, Environment
from wardgate.inja.errors import ConfigError, LimitError, ParseError, RenderError, TemplateError
from wardgate.inja.extractors import CompiledExtractor, compile_extractor
from wardgate.inja.jsontext import JsonTextError
from wardgate.inja.jsontext import dumps as dumps_json
from wardgate.inja.jsontext import loads as loads_json
from wardgate.inja.limits import DEFAULT_LIMITS, TemplateLimits
from wardgate.inja.needs import Needs
from wardgate.inja.reads import Reads
from wardgate.inja.route_regex import RouteRegex, compile_route_regex
from wardgate.inja.template import RenderedTemplate, Template, compile_template
from wardgate.inja.values import JsonValue

__all__ = [
    "DEFAULT_LIMITS",
    "CompiledExtractor",
    "ConfigError",
    "Context",
    "Environment",
    "JsonTextError",
    "JsonValue",
    "LimitError",
    "Needs",
    "ParseError",
    "Reads",
    "RenderError",
    "RenderedTemplate",
    "RouteRegex",
    "Template",
    "TemplateError",
    "TemplateLimits",
    "compile_extractor",
    "compile_route_regex",
    "compile_template",
    "dumps_json",
    "loads_json",
]
