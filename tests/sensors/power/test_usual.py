"""What is usual is learned from a commissioning time in which somebody may have worked."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.sensors.power.machines import Machine
from edge.sensors.power.usual import SLOTS, Block, learn

DAY = 144


def _blocks(days, kw, through=lambda _at: 0.0):
    return [Block(at, kw(at), through(at)) for at in range(days * DAY)]


def _house(at):
    return 80.0 + (8.0 if 48 <= at % DAY < 99 else 0.0)


def _pumping(at, kw=110.0, on=3, of=9):
    return kw if at % of < on else 0.0


def test_the_base_follows_the_hours_of_the_day():
    usual = learn(_blocks(5, _house))
    assert usual.at(20 * 600_000_000) == 80.0
    assert usual.at(70 * 600_000_000) == 88.0
    assert usual.spread_kw == 0.0
    assert usual.machines == []


def test_ten_minutes_before_and_after_a_step_the_greater_base_holds():
    usual = learn(_blocks(5, _house))
    assert [usual.at(at * 600_000_000) for at in (46, 47, 48, 98, 99, 100)] == [
        80.0, 88.0, 88.0, 88.0, 88.0, 80.0,
    ]  # fmt: skip


def test_a_pump_nobody_declared_is_learned_by_its_size():
    usual = learn(_blocks(5, lambda at: _house(at) + _pumping(at)))
    [pump] = usual.machines
    assert pump.kw == pytest.approx(110.0, abs=4)
    assert max(usual.base_kw) < 95


def test_a_declared_pump_is_learned_by_its_size_and_without_a_run_it_is_believed():
    declared = Machine(105.0, 70.0, 150.0, 2)
    [pump] = learn(_blocks(5, lambda at: _house(at) + _pumping(at)), [declared]).machines
    assert pump.kw == pytest.approx(110.0, abs=4)
    assert pump.count == 2
    assert learn(_blocks(5, _house), [declared]).machines == [declared]
    staged = Machine(105.0, 30.0, 150.0, 1, staged=True)
    assert learn(_blocks(5, lambda at: _house(at) + _pumping(at)), [staged]).machines[0] == staged


def test_work_on_some_nights_of_the_commissioning_is_neither_base_nor_machine():
    def worked(at):
        night = at // DAY in {1, 3} and at % DAY < 36
        return _house(at) + (60.0 if night else 0.0)

    usual = learn(_blocks(6, worked))
    assert usual.machines == []
    assert max(usual.base_kw) <= 88.0


def test_production_of_all_sizes_is_no_machine():
    chance = random.Random(1)
    usual = learn(_blocks(6, lambda at: 15.0 + (chance.uniform(30, 500) if at % DAY > 80 else 0.0)))
    assert usual.machines == []
    assert max(usual.base_kw) < 40


def test_heaters_that_come_for_minutes_on_most_days_are_known():
    usual = learn(_blocks(6, lambda at: 20.0 + (12.0 if at % 7 == 3 else 0.0)))
    assert usual.flicker_kw == pytest.approx(12.0)
    assert learn(_blocks(6, lambda at: 20.0 + (12.0 if at in {3, 90} else 0.0))).flicker_kw == 0


def test_a_pump_started_by_and_by_is_waited_for():
    def stepwise(at):
        return _house(at) + {0: 55.0, 1: 110.0, 2: 110.0, 3: 110.0}.get(at % 12, 0.0)

    assert learn(_blocks(6, stepwise), [Machine(105, 100, 120)]).patience_s == 1800
    assert learn(_blocks(6, lambda at: _house(at) + _pumping(at))).patience_s == 0


def test_what_a_running_pump_breathes_is_known():
    def breathing(at):
        return 20.0 + ((110.0 + 4.0 * (at % 3 - 1)) if at % 24 < 12 else 0.0)

    usual = learn(_blocks(6, breathing), [Machine(100, 70, 150)])
    assert usual.breath_kw == pytest.approx(4.0)


def test_losses_are_told_from_where_pumps_are_switched():
    def through(at):
        return 50.0 + _pumping(at, 400.0, 12, 24)

    usual = learn(_blocks(5, lambda at: 3.0 + 0.02 * through(at), through))
    assert usual.loss_share == pytest.approx(0.02, abs=0.001)
    assert usual.at(0) == pytest.approx(3.0, abs=0.1)
    absurd = learn(_blocks(5, lambda at: 0.5 * through(at), through))
    assert absurd.loss_share == 0.03


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_little_is_enough_to_begin_with(count):
    usual = learn([Block(at, 10.0) for at in range(count)])
    assert usual.base_kw == [10.0] * SLOTS
    assert usual.learned_kw == usual.base_kw


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.floats(0, 1000)), min_size=1, max_size=400),
    st.booleans(),
)
def test_whatever_was_seen_the_base_lies_within_it(steps, declare):
    number, blocks = 0, []
    for gap, kw in steps:
        number += gap
        blocks.append(Block(number, kw))
    usual = learn(blocks, [Machine(50.0, 40.0, 60.0)] if declare else [])
    least, most = min(kw for _, kw in steps), max(kw for _, kw in steps)
    assert all(least - 8.01 <= kw <= most + 8.01 for kw in usual.base_kw)
    assert 0 <= usual.spread_kw <= 8
    assert all(m.low_kw <= m.kw <= m.high_kw for m in usual.machines if not declare)


def test_of_many_sizes_the_four_most_frequent_are_known():
    sizes = [40.0, 60.0, 90.0, 140.0, 210.0, 320.0]

    def busy(at):
        run = at // 4
        return 50.0 + (sizes[run // 2 % 6] if run % 2 else 0.0)

    assert len(learn(_blocks(8, busy)).machines) == 4
