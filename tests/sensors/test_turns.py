"""Whose turn it is: nobody is starved, and who does not answer well delays nobody."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.sensors.health import LISTEN_S, answered, failed, overheard, thought
from edge.sensors.turns import SHARE, Turns

SHARE_S = 0.2
TIMEOUT_S = 0.63


class Bus:
    """Units that take their share, are silent, or think for long."""

    def __init__(self, count, *, period_s=0.2, silent=(), slow=(), known=True):
        self.clock = ManualClock()
        self.turns = Turns(period_s, TIMEOUT_S, [SHARE_S if known else 0.0] * count)
        self.silent, self.slow, self.longer = set(silent), set(slow), set()
        self.asked = []

    def sweep(self):
        """The units that answered, and how long the sweep took."""
        turns, clock, well = self.turns, self.clock, []
        began = clock.now()
        turns.begin(began)
        while (number := turns.next(clock.now())) is not None:
            self.asked.append(number)
            health = turns.health(number)
            if number in self.silent:
                listens = 0 < health.listen_s <= turns.room_s
                clock.advance(max(TIMEOUT_S, health.listen_s * listens))
                health = overheard(health, None, listened=listens)
                health, _ = failed(health, clock.now(), patient=True)
            else:
                thinks_s = 0.45 if number in self.slow else 0.02
                thinks_s += number in self.longer
                clock.advance(SHARE_S - 0.02 + thinks_s)
                health, _ = answered(thought(health, thinks_s), clock.now())
                well.append(number)
            turns.set_health(number, health)
        seconds = clock.now().since(began)
        clock.advance(turns.pause_s(clock.now()))
        return well, seconds

    def period_s(self, sweeps):
        began = self.clock.now()
        for _ in range(sweeps):
            self.sweep()
        return self.clock.now().since(began) / sweeps


def test_all_units_are_asked_in_order_once_a_sweep():
    bus = Bus(5)
    for _ in range(3):
        bus.asked.clear()
        bus.sweep()
        assert bus.asked == [0, 1, 2, 3, 4]


def test_a_sweep_waits_for_its_period_and_a_longer_one_is_followed_at_once():
    assert Bus(2, period_s=3).period_s(10) == pytest.approx(3)
    assert Bus(20, period_s=3).period_s(10) == pytest.approx(4)
    assert Turns(3, 0.5, [0.1]).pause_s(ManualClock().now()) == 0


@pytest.mark.parametrize("count", [2, 8, 32])
@pytest.mark.parametrize("known", [True, False], ids=["line", "TCP"])
@pytest.mark.parametrize("kind", ["silent", "slow"])
@pytest.mark.parametrize("period_s", [0.2, 1.25])
def test_the_period_of_the_others_grows_by_less_than_a_tenth(count, known, kind, period_s):
    period_s *= count if period_s > 1 else 1
    well = Bus(count, period_s=period_s * SHARE_S, known=known).period_s(50)
    for broken in ({1}, set(range(0, count, 2))):
        bus = Bus(count, period_s=period_s * SHARE_S, known=known, **{kind: broken})
        bus.period_s(6)  # until it is known
        assert bus.period_s(200) <= 1.1 * well
        assert set(bus.asked[-40 * count :]) == set(range(count)), "nobody is forgotten"


def test_no_single_sweep_of_a_long_bus_grows_by_more_than_a_tenth():
    bus = Bus(32, silent={3})
    bus.period_s(40)  # lost, and listened to once
    assert max(bus.sweep()[1] for _ in range(100)) <= 32 * SHARE_S * 1.1


def test_units_that_are_silent_take_turns_whoever_waited_longest_first():
    bus = Bus(32, silent=range(16))
    bus.period_s(400)
    tries = Counter(number for number in bus.asked if number < 16)
    assert max(tries.values()) <= min(tries.values()) + 2


def test_units_that_think_longer_are_not_starved_by_those_that_think_less_long():
    bus = Bus(8, slow={1, 3, 5, 7})
    bus.longer = {3, 7}
    bus.period_s(30)
    bus.asked.clear()
    bus.period_s(200)
    turns = Counter(number for number in bus.asked if number in bus.slow)
    assert max(turns.values()) <= min(turns.values()) + 2


def test_a_unit_that_is_known_to_be_late_holds_nobody_up():
    bus = Bus(8, period_s=8 * SHARE_S * 1.25)
    bus.period_s(3)
    late, victim = bus.turns.health(1), bus.turns.health(2)
    for _ in range(3):
        late, _ = failed(overheard(late, 2.0, listened=True), bus.clock.now(), patient=True)
        bus.clock.advance(1)
        victim, _ = failed(victim, bus.clock.now(), patient=True)
    bus.turns.set_health(1, late)
    bus.turns.set_health(2, victim)
    bus.period_s(4)
    assert 2 in bus.sweep()[0]


def test_a_unit_that_is_well_again_is_asked_at_every_sweep():
    bus = Bus(4, silent={2})
    bus.period_s(100)
    bus.silent = set()
    bus.period_s(100)
    assert 2 in bus.sweep()[0]
    bus.slow = {1}
    bus.period_s(100)
    bus.slow = set()
    bus.period_s(200)
    assert bus.sweep()[0] == [0, 1, 2, 3]


def test_a_bus_where_all_think_long_has_no_slow_unit():
    bus = Bus(8, slow=range(8))
    for _ in range(10):
        assert len(bus.sweep()[0]) == 8


@pytest.mark.parametrize(("count", "sweeps"), [(1, 3), (2, 4), (8, 5)])
def test_a_unit_that_falls_silent_is_lost_within_a_few_sweeps(count, sweeps):
    bus = Bus(count)
    bus.period_s(3)
    bus.silent = {0}
    bus.period_s(sweeps)
    assert bus.turns.health(0).lost


def test_where_no_unit_is_well_nobody_has_to_be_spared():
    bus = Bus(4, silent=range(4))
    bus.period_s(3)
    assert bus.asked == 3 * [0, 1, 2, 3]


def test_those_that_a_sweep_has_not_asked_are_known():
    clock, turns = ManualClock(), Turns(1, 0.5, [0.1] * 3)
    turns.begin(clock.now())
    assert turns.next(clock.now()) == 0
    assert turns.unasked() == [1, 2]


@settings(max_examples=15)
@given(
    st.integers(1, 12),
    st.sets(st.integers(0, 11)),
    st.sets(st.integers(0, 11)),
    st.floats(0.2, 10),
    st.booleans(),
)
def test_whatever_is_broken_the_well_are_asked_in_every_sweep_and_the_rest_in_time(
    count, silent, slow, period_s, known
):
    bus = Bus(count, period_s=period_s, silent=silent, slow=slow - silent, known=known)
    bus.period_s(10)
    well = set(range(count)) - silent - slow
    for _ in range(20):
        answering, seconds = bus.sweep()
        # The quicker quarter says who is slow: where most are slow, nobody is.
        assert well <= set(answering)
        if len(well) * 2 >= count:
            usual = max(period_s, count * SHARE_S)
            assert seconds <= usual * (1 + SHARE) + TIMEOUT_S + LISTEN_S
    bus.asked.clear()
    bus.period_s(round(240 / max(period_s, count * SHARE_S / 2)))
    assert set(bus.asked) == set(range(count))


def test_a_unit_that_was_disturbed_is_asked_again_in_the_same_sweep_before_the_silent():
    bus = Bus(3, silent=[2])
    bus.sweep()
    clock, turns = bus.clock, bus.turns
    turns.begin(clock.now())
    asked = []
    while (number := turns.next(clock.now())) is not None:
        asked.append(number)
        clock.advance(SHARE_S)
        health = turns.health(number)
        if asked in ([0], [0, 1, 0]):
            health = overheard(health, None, listened=False, disturbed=True)
            health, _ = failed(health, clock.now(), patient=True)
        elif number != 2:
            health, _ = answered(health, clock.now())
        turns.set_health(number, health)
    assert asked[:4] == [0, 1, 0, 0]


def test_a_lost_unit_is_not_asked_again_however_disturbed_the_line_is():
    bus = Bus(1)
    turns = bus.turns
    turns.begin(bus.clock.now())
    asked = 0
    while (number := turns.next(bus.clock.now())) is not None:
        asked += 1
        health = overheard(turns.health(number), None, listened=False, disturbed=True)
        turns.set_health(number, failed(health, bus.clock.now(), patient=True)[0])
    assert asked == 3
