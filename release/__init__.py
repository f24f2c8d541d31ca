"""Steps of the release. None of them is part of the product; ``docs/releasing.md`` tells their order."""
