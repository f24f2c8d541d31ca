"""Remedies that have to fit the field: names for statuses, units for durations, empty mappings for emptied ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import BaseModel, ValidationError

from tests.api.lab import Manifest
from tests.api.manifests import api_key_policy, errors_of, external_service, gateway, manifest, messages_of, route_table
from wardgate.api.kinds.registry import KINDS
from wardgate.api.reading.complaints import complaint
from wardgate.api.reading.parse import parse_object
from wardgate.api.rules.shape import Shape, properties


def _redirect(code: object) -> Manifest:
    return route_table({"redirect": {"hostRedirect": "a.example", "responseCode": code}})


@pytest.mark.parametrize("code", [307, "307"])
def test_status_as_a_number_is_given_its_name(code: object) -> None:
    assert messages_of(_redirect(code)) == [
        (
            "RouteTable team/one: spec.http[0].redirect.responseCode must be one of MOVED_PERMANENTLY, FOUND, "
            "SEE_OTHER, TEMPORARY_REDIRECT, PERMANENT_REDIRECT, not 307; did you mean TEMPORARY_REDIRECT?"
        )
    ]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (_redirect(301), "MOVED_PERMANENTLY"),
        (_redirect(308), "PERMANENT_REDIRECT"),
        (gateway({"appProtocol": 2}), "HTTP2"),
        (gateway({"tls": {"parameters": {"minimumProtocolVersion": 1.3}}}), "TLSv1_3"),
        (external_service(hosts=["a"], ports=[{"number": 1, "protocol": 2}]), "HTTP2"),
        (api_key_policy({"digest": {"algorithm": 256}}), "SHA256"),
    ],
)
def test_number_in_place_of_a_name_is_answered_with_the_name(given: Manifest, name: str) -> None:
    (message,) = messages_of(given)
    assert message.endswith(f"; did you mean {name}?")


def _choices(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[tuple[type[BaseModel], str]]:
    """Every field of a closed set of names, below every kind."""
    if model in seen:
        return
    seen.add(model)
    for name, part in properties(model).items():
        shape: Shape | None = part.shape
        while shape is not None:
            if shape.choices:
                yield model, name
            if shape.model is not None:
                yield from _choices(shape.model, seen)
            shape = shape.items or shape.values


_SEEN: set[type[BaseModel]] = set()
_CHOICES = [found for kind in KINDS.values() for found in _choices(kind.model, _SEEN)]


@pytest.mark.parametrize(("model", "field"), _CHOICES, ids=lambda one: one if isinstance(one, str) else one.__name__)
@pytest.mark.parametrize("value", [0, 307, 2.5, True])
def test_no_name_out_of_a_set_is_asked_for_in_quotes(model: type[BaseModel], field: str, value: object) -> None:
    with pytest.raises(ValidationError) as raised:
        model.model_validate({field: value})
    (text,) = [complaint(error) for error in raised.value.errors() if error["loc"][0] == field]
    assert "must be one of " in text
    assert text.endswith(("; write one of these", "?"))


def test_number_in_place_of_a_duration_is_told_to_have_a_unit() -> None:
    assert messages_of(manifest("ExtAuthServer", {"requestTimeout": 5})) == [
        (
            "ExtAuthServer team/one: spec.requestTimeout must be a duration with its unit, but is a number; write it "
            "like 2s, 500ms or 1m30s."
        )
    ]


_UNKNOWN = "is not a field of this kind and has no effect."


@pytest.mark.parametrize(
    ("selector", "remedy"),
    [
        ({"route": {"q": 1}}, "Remove it, and write route: {} because nothing else is left in there."),
        ({"route": {"q": 1, "zz": 1}}, "Remove it, and write route: {} because nothing else is left in there."),
        ({"route": {"q": 1, "labels": {}}}, "Remove it."),
        ({"route": {"q": 1, "label": {}}}, "Remove it."),
        ({"q": 1}, "Remove it, and write {} because nothing else is left in the entry."),
    ],
)
def test_unknown_field_that_stands_alone_leaves_an_empty_mapping(selector: Manifest, remedy: str) -> None:
    given = manifest("ExtAuthPolicy", {"applyToRoutes": [selector], "config": {}})
    assert f"{_UNKNOWN} {remedy}" in " ".join(messages_of(given))


def test_encryption_without_users_is_told_both_ways_out() -> None:
    given = manifest(
        "ExtAuthPolicy", {"config": {"glooAuth": {"configs": [{"basicAuth": {"encryption": {"apr": {}}}}]}}}
    )
    assert (
        "encryption needs userList: add it, or give the users under apr and remove encryption."
        in errors_of(given)[-1].message
    )
    assert parse_object(given).model is None
