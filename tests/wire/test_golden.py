"""Bytes of every released schema decode for ever, and today's bytes are the ones of today's samples.

A type, a field, a default or a word that changes shows here first. Read ``wardgate.wire.schema`` for what a minor may
add; then raise ``SCHEMA``, and write the new schema's samples with ``python -m tests.wire.write_samples``.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.wire.samples import FULL
from tests.wire.walking import describe, pretty, types_of
from wardgate.sensitive import Sensitive
from wardgate.wire import SCHEMA, Bundle, decode, encode, hash_of
from wardgate.wire.tags import TAGS

GOLDEN = Path(__file__).parents[1] / "golden" / "wire"
FOLDER = GOLDEN / SCHEMA
SAMPLES = {"1.0": FULL}
"""What the samples of each schema hold."""


def description() -> dict[str, object]:
    """Every type of the model, as the wire sees it."""
    return {name: {"tag": TAGS.get(cls), "fields": describe(cls)} for name, cls in sorted(types_of().items())}


def bundle_in(folder: Path) -> Bundle:
    groups = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.json"))}
    return Bundle(
        schema=folder.name,
        revision=(folder / "revision.txt").read_text(encoding="ascii").strip(),
        groups=groups,
        hashes={name: hash_of(data) for name, data in groups.items()},
    )


def values_of(value: object) -> dict[tuple[str, str], list[object]]:
    """All values that a configuration has in each field of each type."""
    found: dict[tuple[str, str], list[object]] = {}
    if isinstance(value, tuple):
        for part in value:
            for place, values in values_of(part).items():
                found.setdefault(place, []).extend(values)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            part = getattr(value, field.name)
            found.setdefault((type(value).__name__, field.name), []).append(part)
            for place, values in values_of(part).items():
                found.setdefault(place, []).extend(values)
    return found


def test_every_schema_has_its_samples() -> None:
    assert {folder.name for folder in GOLDEN.iterdir()} == set(SAMPLES)
    assert SCHEMA in SAMPLES


@pytest.mark.parametrize("schema", SAMPLES)
def test_the_samples_of_a_released_schema_decode(schema: str) -> None:
    decoded = decode(bundle_in(GOLDEN / schema))
    assert decoded.closed == ()
    assert decoded.refused_keys == 0
    assert decoded.config == SAMPLES[schema]


def test_todays_bytes_are_those_of_the_samples() -> None:
    bundle, sample = encode(SAMPLES[SCHEMA]), bundle_in(FOLDER)
    assert dict(bundle.groups) == dict(sample.groups)
    assert bundle.revision == sample.revision


def test_the_types_are_those_of_the_samples() -> None:
    assert pretty(description()) == (FOLDER / "types.txt").read_text(encoding="ascii")


def test_the_samples_use_every_field_of_every_type() -> None:
    """With another value than its default, else the bytes would not show it."""
    values = values_of(SAMPLES[SCHEMA])
    unused = [
        (name, field.name)
        for name, cls in types_of().items()
        for field in dataclasses.fields(cls)
        if all(value in (field.default, Sensitive("")) for value in values.get((name, field.name), []))
    ]
    assert unused == []
