"""Days that are followed, days that are not, and places where there is nothing to follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.observation import Measures
from edge.vision.tamper.liveness.daylight import SLOT_MIN, DaylightJudge
from tests.vision.tamper.liveness.days import DAY_MIN, Floats, Place, seen, still

YARD = Place()
LOOK = Measures(0.0, 0.0, 200.0, 0.0)
HOUR = 60


class Camera:
    """Looks once a minute; says in which minutes it began or ceased to be missed."""

    def __init__(self) -> None:
        self.clock, self.judge, self.minute = ManualClock(), DaylightJudge(), 0
        self.turns: list[int] = []

    def see(self, *pictures: Floats) -> list[int]:
        before = len(self.turns)
        for brightness, contrast in np.concatenate(pictures).tolist():
            missing = self.judge.missing
            look = replace(LOOK, brightness=brightness, contrast=contrast)
            if self.judge.step(look, self.clock.now()) != missing:
                self.turns.append(self.minute)
            self.clock.advance(60)
            self.minute += 1
        return self.turns[before:]

    def lost(self, minutes: int) -> None:
        self.clock.advance(60 * minutes)
        self.minute += minutes


PLACES = st.builds(
    Place,
    latitude=st.floats(0, 72),
    declination=st.floats(-23, 20),
    full_lux=st.floats(-1, 2).map(lambda power: 10**power),
    lamp_lux=st.sampled_from([0.0, 0.5, 5.0, 50.0]),
    left_on_lux=st.sampled_from([0.0, 5.0, 50.0]),
    infrared_lux=st.sampled_from([0.0, 0.2, 1.0, 5.0]),
    infrared=st.floats(20, 130),
    daylight=st.sampled_from([0.0, 0.1, 1.0]),
    clouds=st.floats(0, 1),
    least_held=st.floats(0, 1),
)


@settings(max_examples=10, phases=[Phase.generate])
@given(PLACES, st.integers(0, 2**31), st.lists(st.tuples(st.integers(1, 2_000), st.booleans())))
def test_honest_days_are_followed_whatever_the_weather_lamps_exposure_and_gaps(place, seed, gaps):
    camera, days = Camera(), seen(place, 11, seed)
    for minutes, stepped in gaps[:8]:
        at = camera.minute
        assert camera.see(days[at : at + 1_200]) == []
        camera.lost(minutes)
        if stepped:
            camera.clock.step_wall(3600.0 * (minutes % 13 - 6))
        if camera.minute >= len(days):
            return
    assert camera.see(days[camera.minute :]) == []


@settings(max_examples=5, phases=[Phase.generate])
@given(
    st.integers(0, 2**31),
    st.integers(4 * DAY_MIN, 7 * DAY_MIN),
    st.floats(20, 200),
    st.sampled_from([YARD, replace(YARD, infrared_lux=0.2, infrared=40.0, lamp_lux=0.1)]),
)
def test_a_photo_under_a_lamp_is_missed_by_the_next_night_and_day(seed, begin, level, place):
    camera, days = Camera(), seen(place, 9, seed)
    assert camera.see(days[:begin]) == []
    (told,) = camera.see(still(level, 2 * DAY_MIN, seed))
    assert 2 * HOUR <= told - begin <= 32 * HOUR
    assert camera.judge.detail["why"] in {"flat", "dark"}


@settings(max_examples=5, phases=[Phase.generate])
@given(
    st.integers(0, 2**31), st.integers(5 * DAY_MIN, 7 * DAY_MIN), st.integers(6 * HOUR, 12 * HOUR)
)
def test_a_recording_of_another_hour_is_missed(seed, begin, shift):
    camera, days = Camera(), seen(YARD, 9, seed)
    assert camera.see(days[:begin]) == []
    assert camera.see(days[begin - shift :][: 2 * DAY_MIN])
    assert camera.judge.detail["why"] in {"dark", "against", "flat"}


def test_a_night_in_infrared_that_is_shown_by_day_goes_against_the_day():
    place = replace(YARD, infrared_lux=0.2, infrared=60.0, clouds=0.2)
    camera, days = Camera(), seen(place, 9, 1)
    begin = 5 * DAY_MIN + 12 * HOUR
    assert camera.see(days[:begin], days[begin - 12 * HOUR :][:DAY_MIN])
    assert camera.judge.detail["why"] == "against"


@pytest.mark.parametrize(
    "place",
    [
        replace(YARD, daylight=0.0, lamp_lux=20.0),
        replace(YARD, lamp_lux=50.0, least_held=1.0),
        replace(YARD, infrared_lux=1.0, infrared=100.0, least_held=1.0),
    ],
    ids=["underground", "yard lamp", "infrared"],
)
def test_where_the_last_days_showed_no_daylight_nothing_is_missed(place):
    camera = Camera()
    assert camera.see(seen(place, 8, 3), still(110, 2 * DAY_MIN, 3)) == []


def test_a_lamp_that_is_switched_every_day_at_the_same_hour_is_no_daylight():
    lit = np.arange(DAY_MIN) // HOUR
    level = np.where((lit >= 7) & (lit < 19), 110.0, 20.0)
    day = np.stack([level, np.full(DAY_MIN, 30.0)], axis=1)
    assert Camera().see(*[day] * 6, still(20, 2 * DAY_MIN, 1)) == []


def test_what_is_missed_is_told_with_figures_until_it_follows_the_day_again():
    camera, days = Camera(), seen(YARD, 20, 7)
    photo = still(90, DAY_MIN, 1)
    assert len(camera.see(days[: 5 * DAY_MIN], photo)) == 1
    detail = dict(camera.judge.detail)
    assert detail.pop("days") in {3, 4, 5}
    assert {name: type(value) for name, value in detail.items()} == {
        "why": str,
        "first": float,
        "last": float,
        "spread": float,
        "usual_first": float,
        "usual_last": float,
    }
    (ended,) = camera.see(days[6 * DAY_MIN : 8 * DAY_MIN])
    assert ended - 6 * DAY_MIN < 32 * HOUR
    # Where days were missed now and then, nothing is until they are forgotten.
    assert camera.see(still(90, DAY_MIN, 2), days[9 * DAY_MIN : 10 * DAY_MIN]) == []
    assert camera.see(days[10 * DAY_MIN :], photo) != []


def test_a_photo_that_stays_for_weeks_stays_missed():
    camera = Camera()
    assert len(camera.see(seen(YARD, 5, 2), still(60, 12 * DAY_MIN, 2))) == 1


def test_before_three_days_were_seen_nothing_is_missed():
    two_nights = seen(YARD, 3, 5)[12 * HOUR : 2 * DAY_MIN + 14 * HOUR]
    assert Camera().see(two_nights, still(90, 3 * DAY_MIN, 5)) == []


def test_a_wall_clock_that_was_set_moves_no_day():
    camera, days = Camera(), seen(YARD, 8, 4)
    assert camera.see(days[: 5 * DAY_MIN]) == []
    camera.clock.step_wall(-9 * 3600.0)
    assert camera.see(days[5 * DAY_MIN :]) == []
    assert camera.see(still(90, 2 * DAY_MIN, 4))


def test_many_looks_a_minute_count_as_one_and_half_a_slot_is_enough():
    camera, days = Camera(), seen(YARD, 8, 6)
    for minute, picture in enumerate(np.concatenate([days, still(90, 2 * DAY_MIN, 6)])):
        if minute % SLOT_MIN < 13:  # a slot begins with the first look, at midnight
            camera.lost(1)
            continue
        look = replace(LOOK, brightness=float(picture[0]), contrast=float(picture[1]))
        for _ in range(2):
            camera.judge.step(look, camera.clock.now())
            camera.clock.advance(30)
    assert camera.judge.missing


def test_with_fewer_minutes_of_each_slot_there_are_only_gaps():
    camera, days = Camera(), seen(YARD, 6, 6)
    for minute, picture in enumerate(np.concatenate([days, still(90, 2 * DAY_MIN, 6)])):
        if minute % SLOT_MIN < 14:
            look = replace(LOOK, brightness=float(picture[0]), contrast=float(picture[1]))
            camera.judge.step(look, camera.clock.now())
        camera.clock.advance(60)
    assert not camera.judge.missing
