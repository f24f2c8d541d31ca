"""Writes the samples of the present schema: ``python -m tests.wire.write_samples``.

Only for a schema that was never released. The samples of a released one are never written again: what is in the
clusters of our users must decode for ever.
"""

from __future__ import annotations

from tests.wire.samples import FULL
from tests.wire.test_golden import FOLDER, description
from tests.wire.walking import pretty
from wardgate.wire import encode


def main() -> None:
    """Write them."""
    bundle = encode(FULL)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in bundle.groups.items():
        (FOLDER / f"{name}.json").write_bytes(data)
    (FOLDER / "revision.txt").write_text(f"{bundle.revision}\n", encoding="ascii")
    (FOLDER / "types.txt").write_text(pretty(description()), encoding="ascii")


if __name__ == "__main__":
    main()
