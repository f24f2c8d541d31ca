"""A number that was drawn for a request that then took another way is drawn there again."""

from __future__ import annotations

from wardgate.proxy.core.upstream.lots import Lots


def test_number_that_was_put_back_is_the_next_of_as_many() -> None:
    numbers = iter(range(100))
    lots = Lots(lambda _: next(numbers))
    lots.put_back(7, below=10)
    assert [0, 7, 1] == [lots.draw(20), lots.draw(10), lots.draw(10)]
