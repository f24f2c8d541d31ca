"""Which schemas are read."""

from __future__ import annotations

import pytest

from tests.wire.samples import FULL
from tests.wire.walking import changed, load, write
from wardgate.wire import READ_MAJORS, SCHEMA, SchemaError, decode_credentials, decode_routes, encode
from wardgate.wire.schema import check_schema

MAJOR = int(SCHEMA.split(".", maxsplit=1)[0])


def test_the_own_major_is_the_newest_that_is_read_and_at_most_one_other_is() -> None:
    assert max(READ_MAJORS) == MAJOR
    assert set(READ_MAJORS) <= {MAJOR, MAJOR - 1}


@pytest.mark.parametrize("schema", ["1.0", "1.1", "1.999"])
def test_any_minor_of_a_known_major_is_read(schema: str) -> None:
    check_schema(schema)


@pytest.mark.parametrize("schema", ["0.9", "2.0", "10.0"])
def test_another_major_is_refused_and_named(schema: str) -> None:
    with pytest.raises(SchemaError, match=schema):
        check_schema(schema)


@pytest.mark.parametrize(
    "schema", [None, 1, 1.0, "", "1", "1.", "01.0", "1.0.0", "1.0\n", "\u0661.0", "1" * 5000 + ".0"]
)
def test_what_is_no_version_is_refused(schema: object) -> None:
    with pytest.raises(SchemaError, match=r"major\.minor"):
        check_schema(schema)


def test_every_group_carries_its_schema() -> None:
    groups = encode(FULL).groups
    assert {name: load(data)["schema"] for name, data in groups.items()} == dict.fromkeys(groups, SCHEMA)


def test_a_group_of_another_major_is_refused() -> None:
    for name, data in encode(FULL).groups.items():
        newer = write(changed(load(data), ("schema",), f"{MAJOR + 1}.0"))
        with pytest.raises(SchemaError):
            (decode_routes if name == "routes" else decode_credentials)(newer)
