"""LOAD_RUNNING: machines are found, what is permitted is named as such, noise is neither."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.activity import ActivityKind, Duty, Phase
from edge.domain.observation import Quality, Reading
from edge.sensors.power import PowerAnalyser, power_of
from edge.sensors.spec import MeterSpec
from simulators.meters.loads import Fan, Hoist, Living, Pump


def _meter(duty, running_kw=None):
    return MeterSpec(code="m", profile="eastron_sdm630", unit=1, duty=duty, running_kw=running_kw)


class Feeder:
    """One feeder in a time of its own."""

    def __init__(self, duty, running_kw=None):
        self.clock = ManualClock()
        self.analyser = PowerAnalyser([_meter(duty, running_kw)])
        self.activities = []

    def show(self, kw, seconds=2.0, quality=Quality.GOOD):
        stamp = self.clock.advance(seconds)
        self.activities += self.analyser.step(Reading("m", stamp, quality, {"power_kw": kw}))

    def play(self, load, seconds, period_s=2.0, idle=None):
        """Let `load` (seconds → kW) run on top of `idle`."""
        for i in range(int(seconds / period_s)):
            second = i * period_s
            self.show(load(second) + (idle(second) if idle else 0.0), period_s)

    @property
    def phases(self):
        return [item.phase for item in self.activities if item.phase is not Phase.GOES_ON]


def _noise(seed=1, mean=0.2, share=0.3):
    chance = random.Random(seed)
    return lambda _second: mean * (1 + share * chance.uniform(-1, 1))


# What is permitted


def test_pump_cycles_are_load_running_with_the_aspect_pump_so_that_the_rules_decide():
    feeder = Feeder(Duty.PUMP)
    feeder.play(_noise(), 60)
    feeder.play(Pump(on_s=600, off_s=1200).kw, 4 * 1800, period_s=5)
    assert feeder.phases == 4 * [Phase.STARTED, Phase.ENDED]
    assert {item.kind for item in feeder.activities} == {ActivityKind.LOAD_RUNNING}
    assert {item.aspect for item in feeder.activities} == {"pump"}


def test_a_pump_that_starts_after_standing_is_told_with_its_first_reading_as_the_start():
    feeder = Feeder(Duty.PUMP)
    feeder.play(_noise(), 60)
    feeder.show(110.0)
    assert feeder.activities == []
    first = feeder.clock.now()
    feeder.show(108.0)
    [started] = feeder.activities
    assert started.started == first
    assert started.detail == {"kw": 108.0, "peak_kw": 108.0, "idle_kw": pytest.approx(0.2, abs=0.1)}


def test_guard_house_and_main_fan_breathe_without_a_word():
    for duty, load in ((Duty.LIVING, Living()), (Duty.FAN, Fan())):
        feeder = Feeder(duty)
        feeder.play(load.kw, 2 * 86_400, period_s=60)
        assert feeder.activities == []


def test_noise_of_a_standing_feeder_is_nothing():
    for duty in Duty:
        feeder = Feeder(duty)
        feeder.play(_noise(mean=0.5, share=1.0), 7200)
        assert feeder.activities == []


def test_pumps_and_fan_on_a_hoists_feeder_are_not_taken_for_the_hoist():
    feeder = Feeder(Duty.HOIST)
    pump = Pump(rated_kw=110, on_s=1200, off_s=900)
    feeder.play(pump.kw, 86_400, period_s=10, idle=Fan().kw)
    assert feeder.activities == []


# What must be found


@pytest.mark.parametrize("cycle_s", [60, 80, 98, 140, 180])
@pytest.mark.parametrize("shared", [False, True], ids=["alone", "with fan and pump"])
def test_a_hoist_of_every_usual_cycle_is_found_and_stays_one_activity(cycle_s, shared):
    feeder = Feeder(Duty.HOIST)
    pump = Pump(on_s=1500, off_s=1500)
    idle = (lambda second: Fan().kw(second) + pump.kw(second)) if shared else _noise()
    feeder.play(lambda _: 0.0, 3600, period_s=5, idle=idle)
    assert feeder.activities == []
    began = feeder.clock.now()
    feeder.play(Hoist(rated_kw=160, cycle_s=cycle_s).kw, 3600, period_s=5, idle=idle)
    assert feeder.phases == [Phase.STARTED]
    assert feeder.activities[0].aspect == "hoist"
    assert feeder.activities[0].stamp.since(began) <= (3 * cycle_s + 10 if shared else 20)
    over = feeder.clock.now()
    feeder.play(lambda _: 0.0, 1800, period_s=5, idle=idle)
    assert feeder.phases == [Phase.STARTED, Phase.ENDED]
    assert abs(feeder.activities[-1].stamp.since(over)) <= cycle_s


def test_a_hoist_sampled_every_thirty_seconds_is_still_caught():
    feeder = Feeder(Duty.HOIST)
    feeder.play(_noise(), 3600, period_s=30)
    feeder.play(Hoist(cycle_s=98).kw, 3600, period_s=30)
    assert feeder.phases == [Phase.STARTED]


def test_a_hoist_that_runs_when_the_gateway_starts_is_found_at_its_first_pause():
    feeder = Feeder(Duty.HOIST)
    feeder.play(Hoist(cycle_s=98).kw, 300, period_s=2)
    assert feeder.phases == [Phase.STARTED]


def test_three_swings_on_a_shared_feeder_are_a_hoist_and_two_are_not():
    for swings, said in ((2, []), (3, [Phase.STARTED])):
        feeder = Feeder(Duty.HOIST)
        for kw in [80.0] * 20 + [200.0, 80.0] * swings:
            feeder.show(kw, 30)
        assert feeder.phases == said


def test_swings_count_together_when_three_lie_within_ten_minutes():
    for pause_s, said in ((295, [Phase.STARTED]), (305, [])):
        feeder = Feeder(Duty.HOIST)
        feeder.play(lambda _: 80.0, 600, period_s=5)
        for _ in range(3):
            feeder.show(200.0, 5)
            feeder.play(lambda _: 80.0, pause_s - 5, period_s=5)
        assert feeder.phases == said


def test_a_machine_that_runs_for_days_is_never_taken_for_idle():
    feeder = Feeder(Duty.FACE)
    feeder.play(lambda _: 20.0, 3600, period_s=60)
    feeder.play(lambda _: 45.0, 6 * 86_400, period_s=60)
    assert feeder.phases == [Phase.STARTED]


def test_a_face_feeder_on_top_of_a_permitted_base_is_found():
    feeder = Feeder(Duty.FACE)
    feeder.play(lambda _: 20.0, 3600, period_s=10)
    feeder.play(lambda _: 45.0, 600, period_s=10)
    feeder.play(lambda _: 20.0, 600, period_s=10)
    assert feeder.phases == [Phase.STARTED, Phase.ENDED]


def test_a_reversed_current_transformer_hides_no_load():
    feeder = Feeder(Duty.BELT)
    feeder.play(lambda _: -0.2, 60)
    feeder.play(lambda _: -90.0, 60)
    assert feeder.phases == [Phase.STARTED]
    assert feeder.activities[0].detail["kw"] == 90.0


# Thresholds, single readings, time


def test_a_configured_level_counts_from_the_first_reading_and_ends_under_sixty_per_cent_of_it():
    feeder = Feeder(Duty.COMPRESSOR, running_kw=50.0)
    feeder.play(lambda _: 60.0, 10)
    assert feeder.phases == [Phase.STARTED]
    feeder.play(lambda _: 31.0, 600)
    assert feeder.phases == [Phase.STARTED]
    feeder.play(lambda _: 29.0, 60)
    assert feeder.phases == [Phase.STARTED, Phase.ENDED]
    feeder.play(lambda _: 49.0, 600)
    assert feeder.phases == [Phase.STARTED, Phase.ENDED]


def test_a_single_disturbed_reading_starts_nothing():
    feeder = Feeder(Duty.HOIST)
    for _ in range(20):
        feeder.play(_noise(), 200)
        feeder.show(400.0)
    assert feeder.activities == []


def test_readings_that_are_no_figure_say_nothing():
    feeder = Feeder(Duty.HOIST)
    feeder.play(_noise(), 60)
    for _ in range(10):
        feeder.show(250_000.0, quality=Quality.BAD)
        feeder.show(float("nan"))
    assert feeder.activities == []
    stamp = feeder.clock.now()
    assert power_of(Reading("m", stamp, Quality.UNCERTAIN, {})) is None
    assert power_of(Reading("m", stamp, Quality.UNCERTAIN, {"power_kw": 3.0})) == 3.0


def test_an_activity_under_way_is_told_once_a_minute_with_its_peak():
    feeder = Feeder(Duty.BELT)
    feeder.play(_noise(), 60)
    feeder.play(lambda second: 300.0 if second == 30 else 90.0, 600)
    phases = [item.phase for item in feeder.activities]
    assert phases == [Phase.STARTED] + 9 * [Phase.GOES_ON]
    assert feeder.activities[-1].detail["peak_kw"] == 300.0
    assert len({item.started for item in feeder.activities}) == 1


def test_an_activity_that_no_reading_confirms_for_a_quarter_hour_ends_with_its_last_reading():
    feeder = Feeder(Duty.BELT)
    assert feeder.analyser.tick(feeder.clock.now()) == []
    feeder.play(_noise(), 60)
    feeder.play(lambda _: 90.0, 60)
    last = feeder.clock.now()
    assert feeder.analyser.tick(feeder.clock.advance(899)) == []
    [ended] = feeder.analyser.tick(feeder.clock.advance(1))
    assert (ended.phase, ended.stamp) == (Phase.ENDED, last)
    assert feeder.analyser.tick(feeder.clock.advance(9999)) == []
    feeder.show(90.0)
    feeder.show(90.0)
    assert feeder.phases == [Phase.STARTED, Phase.STARTED]


def test_a_step_of_the_wall_clock_changes_nothing():
    plain, stepped = Feeder(Duty.HOIST), Feeder(Duty.HOIST)
    for feeder in (plain, stepped):
        feeder.play(_noise(), 600)
        if feeder is stepped:
            feeder.clock.step_wall(-86_400)
        feeder.play(Hoist().kw, 600)
        feeder.play(_noise(), 600)
    assert stepped.phases == plain.phases == [Phase.STARTED, Phase.ENDED]
    assert [a.stamp.mono_us for a in stepped.activities] == [
        a.stamp.mono_us for a in plain.activities
    ]


@settings(max_examples=60)
@given(
    st.sampled_from(list(Duty)),
    st.one_of(st.none(), st.floats(1, 100)),
    st.lists(
        st.tuples(
            st.one_of(st.floats(-500, 500), st.sampled_from([0.0, 0.3, 80.0, 200.0])),
            st.floats(0.2, 400),
            st.booleans(),
        ),
        max_size=120,
    ),
)
def test_whatever_is_read_starts_and_ends_alternate_and_time_runs_forward(duty, level, readings):
    clock, analyser, activities = ManualClock(), PowerAnalyser([_meter(duty, level)]), []
    for kw, seconds, ticked in readings:
        now = clock.advance(seconds)
        activities += analyser.tick(now) if ticked else []
        activities += analyser.step(Reading("m", now, Quality.GOOD, {"power_kw": kw}))
    activities += analyser.tick(clock.advance(3600 * 4))
    for kind in {item.kind for item in activities}:
        _alternate([item for item in activities if item.kind is kind])


def _alternate(activities):
    running = None
    for item in activities:
        if item.phase is Phase.STARTED:
            assert running is None
            running = item.started
        assert item.started == running
        assert item.stamp.since(item.started) >= 0
        assert item.detail.get("peak_kw", math.inf) >= item.detail["kw"]
        if item.phase is Phase.ENDED:
            running = None
    assert running is None


# What was learned


def _learned(feeder):
    drafts = feeder.analyser.learned("m")
    return [(draft.data["idle_kw"], draft.data["blocks"]) for draft in drafts]


def test_the_idle_level_is_told_at_first_and_then_when_it_has_fallen():
    feeder = Feeder(Duty.HOIST)
    assert _learned(feeder) == []  # nothing is known yet
    feeder.show(9.0)
    assert _learned(feeder) == [(9.0, 0)]
    feeder.show(8.8)
    assert _learned(feeder) == []  # by too little
    feeder.show(0.2)
    assert _learned(feeder) == [(0.2, 0)]


def test_a_level_that_rises_is_told_at_most_every_ten_minutes():
    feeder = Feeder(Duty.LIVING)
    told = []
    for minute in range(24 * 60):
        feeder.show(1.0 + minute / 120, 60)
        told += _learned(feeder)
    assert 2 < len(told) <= 24 * 6
    assert [level for level, _ in told] == sorted(level for level, _ in told)


def test_what_was_learned_before_a_restart_counts_with_its_old_weight():
    feeder = Feeder(Duty.HOIST)
    feeder.analyser.recall({"source": "m", "idle_kw": 0.2, "blocks": 144})
    feeder.analyser.recall({"source": "gone", "idle_kw": 7.0, "blocks": 1})
    feeder.play(lambda _second: 120.0, 20)
    assert feeder.phases == [Phase.STARTED]
    assert _learned(feeder) == []


def test_a_recalled_level_that_rose_is_told_again():
    feeder = Feeder(Duty.LIVING)
    feeder.analyser.recall({"source": "m", "idle_kw": 1.0, "blocks": 0})
    feeder.play(lambda _second: 4.0, 24 * 3600, period_s=60)
    assert _learned(feeder) == [(4.0, 144)]
