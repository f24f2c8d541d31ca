"""Any configuration that is consistent: strategies made from the model's type hints."""

from __future__ import annotations

import dataclasses
import functools
import typing
from types import NoneType, UnionType

from hypothesis import strategies as st

from wardgate import ir
from wardgate.inja.limits import TemplateLimits
from wardgate.sensitive import Sensitive

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
"""Lone surrogates too: a manifest may hold bytes that are not UTF-8."""

_SCALARS: dict[object, st.SearchStrategy[object]] = {
    str: ANY_TEXT,
    int: st.integers(),
    bool: st.booleans(),
    NoneType: st.none(),
    Sensitive: st.builds(Sensitive, ANY_TEXT),
}


@functools.cache
def of(hint: object) -> st.SearchStrategy[typing.Any]:
    """Any value of a type hint."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return st.deferred(lambda: with_fields(hint))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(of(arguments[0]), max_size=2).map(tuple)
    assert origin in {typing.Union, UnionType}
    return st.one_of([of(argument) for argument in arguments])


def with_fields(cls: type, **fields: st.SearchStrategy[typing.Any]) -> st.SearchStrategy[typing.Any]:
    """Any value of a dataclass, with some of its fields given."""
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{name: fields.get(name, of(hint)) for name, hint in hints.items()})


def _references(names: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), max_size=2).map(tuple) if names else st.just(())


def _routes(plans: list[str], transformations: list[str], upstreams: list[str]) -> st.SearchStrategy[ir.Route]:
    one = _references(upstreams).flatmap(
        lambda names: with_fields(ir.Forward, upstreams=st.just(tuple(ir.WeightedUpstream(name, 1) for name in names)))
    )
    return with_fields(
        ir.Route,
        action=st.one_of(one, of(ir.Redirect), of(ir.DirectResponse), of(ir.Refuse)),
        auth=st.one_of(st.none(), st.sampled_from(plans)) if plans else st.none(),
        transformations=_references(transformations),
    )


@st.composite
def configs(draw: st.DrawFn) -> ir.GatewayConfig:
    """Names are unique and every reference leads somewhere; credentials are sorted."""

    def named(cls: type, size: int = 3) -> tuple[typing.Any, ...]:
        return tuple(draw(st.lists(of(cls), max_size=size, unique_by=lambda one: one.name)))

    plans, transformations, upstreams = named(ir.AuthPlan), named(ir.TransformationPlan), named(ir.Upstream)
    route = _routes(*([one.name for one in parts] for parts in (plans, transformations, upstreams)))
    host = with_fields(ir.VirtualHost, routes=st.lists(route, max_size=3).map(tuple))
    listener = with_fields(ir.Listener, virtual_hosts=st.lists(host, max_size=2).map(tuple))
    credentials = st.lists(of(ir.Credential), max_size=4, unique_by=lambda one: (one.key_set, one.digest))
    sources = st.lists(of(ir.TokenSource), max_size=3, unique_by=lambda one: (one.namespace, one.name))
    return ir.GatewayConfig(
        listeners=tuple(draw(st.lists(listener, max_size=2, unique_by=lambda one: one.name))),
        upstreams=upstreams,
        auth_plans=plans,
        transformations=transformations,
        credentials=tuple(sorted(draw(credentials), key=lambda one: (one.key_set, one.digest))),
        token_sources=tuple(draw(sources)),
        template_env=draw(of(tuple[str, ...])),
        template_limits=draw(of(TemplateLimits)),
        guard=draw(of(ir.Guard)),
    )
