"""Gloo's template language and extractors: a faithful, bounded reimplementation (docs/decisions/0031).

Templates (`template`), extractors (`extractors`), the regular expressions of routes (`route_regex`), and JSON as the
original library reads and writes it (`jsontext`). Nothing is imported here: a proxy's first process knows the limits
alone, and starts in two thirds of the time without the rest. Nothing in
this package does I/O, logs or reads a clock, and no template or expression takes more than its ``TemplateLimits``
allow. "The library" in this package is inja with nlohmann::json, in C++; "the filter" is Gloo's transformation filter
around it.
"""
