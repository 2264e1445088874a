from __future__ import annotations

from edge.uplink.patience import FIRST_S, MOST_S, STRETCH, Patience


def test_without_a_checkpoint_there_is_nothing_to_wait_for() -> None:
    assert Patience().due(0, 1e9) is None


def test_a_receipt_in_time_ends_the_wait() -> None:
    patience = Patience()
    patience.told(10, 0.0)
    assert patience.due(10, FIRST_S + 1) is None
    patience.told(20, FIRST_S + 2)
    assert patience.due(10, 2 * FIRST_S) is None


def test_what_no_receipt_covers_goes_again_after_a_while() -> None:
    patience = Patience()
    patience.told(10, 0.0)
    patience.told(30, 200.0)  # the wait counts from the first checkpoint without a receipt
    assert patience.due(4, FIRST_S - 1) is None
    assert patience.due(4, FIRST_S) == (4, 10)


def test_the_wait_doubles_up_to_a_bound_and_is_short_again_after_a_receipt() -> None:
    patience = Patience()
    patience.told(10, 0.0)
    now, waits = 0.0, []
    for _ in range(6):
        start = now
        while patience.due(0, now) is None:
            now += 100.0
        patience.spent(now)
        waits.append(now - start)
    assert waits == [FIRST_S, 600, 1200, 2400, MOST_S, MOST_S]
    assert patience.due(10, now) is None
    patience.told(20, now)
    assert patience.due(10, now + FIRST_S) == (10, 20)


def test_no_more_than_a_stretch_goes_again_at_a_time() -> None:
    patience = Patience()
    patience.told(1_000_000, 0.0)
    assert patience.due(70, FIRST_S) == (70, 70 + STRETCH)
