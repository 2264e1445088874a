"""Whatever a meter tells: nothing breaks, every fault begins before it ends, no figure is lost."""

from __future__ import annotations

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.activity import Duty, Phase
from edge.domain.observation import Quality, Reading
from edge.sensors.faults import FaultAnalyser
from edge.sensors.faults.look import FAST
from edge.sensors.faults.report import Streak
from tests.sensors.faults.world import Mine, spec

SLOW = ("energy_import_kwh", "energy_export_kwh", "ct_ratio", "pt_ratio")
NUMBERS = st.one_of(
    st.sampled_from([0.0, 1.0, 40.0, 230.0, -40.0, 1e-9, math.nan, math.inf, -math.inf, 1e308]),
    st.floats(-1e6, 1e6),
)
READINGS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.floats(0, 900),
        st.dictionaries(st.sampled_from([*FAST, *SLOW]), NUMBERS, max_size=16),
        st.sampled_from(["", "1", "2", "00"]),
        st.sampled_from(list(Quality)),
        st.integers(1, 12),
    ),
    max_size=20,
)


@given(READINGS, st.sampled_from(list(Duty)))
@settings(max_examples=40)
def test_any_readings_lead_to_faults_that_begin_and_end_in_order(readings, duty):
    faults, clock = FaultAnalyser([spec("a", duty), spec("b", duty)]), ManualClock()
    told, open_ones = [], set()
    for source, seconds, values, serial, quality, times in readings:
        for _ in range(times):
            now = clock.advance(seconds)
            told += faults.tick(now)
            checked = faults.step(Reading(source, now, quality, values, serial))
            told += checked.activities
            if checked.usable is not None and checked.usable.quality is Quality.GOOD:
                assert checked.usable == Reading(source, now, quality, values, serial)
            for draft in faults.learned(now):
                assert draft.data["source"] in {"a", "b"}
    for item in told:
        assert item.started.mono_us <= item.stamp.mono_us
        assert (item.key in open_ones) is (item.phase is not Phase.STARTED)
        if item.phase is Phase.ENDED:
            open_ones.discard(item.key)
        else:
            open_ones.add(item.key)
        json.dumps(dict(item.detail), allow_nan=False)


@given(
    st.sampled_from(list(Duty)),
    st.floats(0.5, 300),
    st.sampled_from([5.0, 30.0, 60.0]),
    st.integers(0, 9),
)
@settings(max_examples=20)
def test_an_honest_meter_is_never_called_faulty(duty, kw, period_s, seed):
    mine = Mine(spec(duty=duty), period_s=period_s)
    mine.meter._chance.seed(seed)
    mine.run(300 * period_s, kw=kw)
    assert mine.told == []
    assert None not in mine.used


@given(st.lists(st.booleans(), max_size=200))
def test_a_streak_is_unlikely_only_where_it_is_longer_than_any_before(shows):
    clock, streak, longest = ManualClock(), Streak(), 0
    for one in shows:
        streak.step(one, clock.advance(60))
        if streak.unlikely:
            assert streak.count > longest
        elif not streak.count:
            assert streak.lasted(clock.now()) == 0.0
        if not streak.unlikely:
            longest = max(longest, streak.count)
