"""Days that a meter kept: what is asked for, and what its blocks may hold."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sensors.backfill import MAX_FAILURES, Backfill
from edge.sensors.plan import Span
from edge.sensors.quantity import History

HISTORY = History(
    function=3, address=0x6000, stride=0x22, blocks=5, offset=2, scale=0.01, ratio=("pt", "ct")
)
DAY = date(2026, 11, 24)


def block(day, raw=1234, *, year=26, month=11, hour=0):
    return [year << 8 | month, day << 8 | hour, raw >> 16, raw & 0xFFFF]


@pytest.fixture
def missed():
    backfill = Backfill(HISTORY)
    backfill.missed(date(2026, 11, 22), DAY)
    return backfill


def test_nothing_is_asked_for_without_a_gap_a_midnight_or_a_memory():
    assert Backfill(HISTORY).next() is None
    same_day, no_memory = Backfill(HISTORY), Backfill(None)
    same_day.missed(DAY, DAY)
    no_memory.missed(date(2026, 11, 1), DAY)
    assert same_day.next() is None
    assert no_memory.next() is None


def test_blocks_are_asked_for_in_turn_until_every_day_is_found(missed):
    assert missed.next() == Span(3, 0x6000, 4)
    frozen = missed.take(block(24), 60.0)
    assert frozen
    assert frozen.moment.isoformat() == "2026-11-24T00:00:00"
    assert frozen.energy_kwh == pytest.approx(12.34 * 60)
    assert missed.next() == Span(3, 0x6022, 4)
    assert missed.take(block(22), 1.0)
    assert missed.take(block(23, hour=23), 1.0)
    assert missed.next() is None


def test_a_day_that_is_not_wanted_or_was_told_is_passed_over(missed):
    assert missed.take(block(21), 1.0) is None
    assert missed.take(block(23), 1.0)
    assert missed.take(block(23), 1.0) is None
    assert missed.next()


def test_after_the_last_block_no_more_is_asked_for(missed):
    for _ in range(HISTORY.blocks):
        assert missed.next()
        missed.take([0xFFFF] * 4, 1.0)
    assert missed.next() is None


def test_no_more_days_are_wanted_than_a_meter_keeps():
    backfill = Backfill(HISTORY)
    backfill.missed(date(2020, 1, 1), DAY)
    assert backfill.take(block(18), 1.0) is None
    assert backfill.take(block(19), 1.0)


@pytest.mark.parametrize(
    "words", [block(24, month=13), block(0), block(24, hour=24), block(24, 0xFFFFFFFF), [0] * 4]
)
def test_a_block_that_is_no_day_is_passed_over(missed, words):
    assert missed.take(words, 1.0) is None
    assert missed.next() == Span(3, 0x6022, 4)


def test_a_meter_that_refuses_is_not_asked_again_and_a_silent_one_a_few_times(missed):
    for _ in range(MAX_FAILURES - 1):
        missed.failed(refused=False)
        assert missed.next()
    missed.take(block(24), 1.0)
    missed.failed(refused=False)
    assert missed.next(), "an answer in between starts the count anew"
    missed.failed(refused=True)
    assert missed.next() is None


def test_the_next_gap_begins_at_the_first_block_again(missed):
    missed.take(block(1), 1.0)
    missed.missed(date(2026, 11, 20), DAY)
    assert missed.next() == Span(3, 0x6000, 4)


@given(st.lists(st.integers(0, 0xFFFF), min_size=4, max_size=4))
def test_whatever_a_block_holds_only_wanted_days_come_of_it(words):
    backfill = Backfill(HISTORY)
    backfill.missed(date(2026, 11, 22), DAY)
    frozen = backfill.take(words, 60.0)
    if frozen is not None:
        assert date(2026, 11, 22) <= frozen.moment.date() <= DAY
        assert 0 <= frozen.energy_kwh < 1e9 * 60


@pytest.mark.parametrize(
    ("change", "told"),
    [({"offset": 33}, "beyond the block"), ({"address": 0xFFF0}, "beyond register")],
)
def test_a_memory_that_cannot_be_is_refused(change, told):
    with pytest.raises(ValueError, match=told):
        History(**{**HISTORY.model_dump(), **change})
