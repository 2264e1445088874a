"""A clock in the picture is found, its digits are learned, and it is read; what is none is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from edge.vision.picture import Pixels
from edge.vision.tamper.liveness.clock import LOOKING, NONE, PATIENCE_S, ClockReader, Shown
from tests.vision.tamper.liveness.pictures import place, seen

START = datetime(2026, 5, 1, 23, 57, 31, tzinfo=UTC)
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX)


def picture(
    t: float, form: str = "%Y-%m-%d %H:%M:%S", font: int = FONTS[0], *, low: bool = False
) -> Pixels:
    """A camera's picture at second `t`, with its clock above or below."""
    grey = np.repeat(np.repeat(seen(place(), round(t * 1000)), 2, axis=0), 2, axis=1)
    text = (START + timedelta(seconds=int(t))).strftime(form)
    at = (10, 352 if low else 24)
    for aside in (1, 0):  # a shadow, so that it is read before white walls too
        cv2.putText(
            grey, text, (at[0] + aside, at[1] + aside), font, 0.6, 20 + 215 * (not aside), 1
        )
    return grey


def watch(reader: ClockReader, times: np.ndarray, **how: object) -> list[tuple[float, Shown]]:
    return [(float(t), reader.step(picture(t, **how), float(t) + 77.3)) for t in times]  # type: ignore[arg-type]


def second(t: float) -> float:
    now = START + timedelta(seconds=int(t))
    return float(3600 * now.hour + 60 * now.minute + now.second)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"low": True, "font": FONTS[1]},
        {"form": "CAM 7  %d-%m-%Y  %H:%M:%S"},
    ],
)
def test_a_clock_is_read_right_within_two_minutes_and_over_midnight(how):
    said = watch(ClockReader(), np.arange(0.4, 170), **how)
    assert said[0][1].second == LOOKING
    read = [(t, shown) for t, shown in said if shown.second >= 0]
    assert read[0][0] < 130
    assert len(read) >= 0.9 * (said[-1][0] - read[0][0])
    assert all(shown.second == second(t) for t, shown in read)


def test_the_date_is_read_where_it_is_next_to_the_time():
    said = watch(ClockReader(), np.arange(0.4, 140))
    assert max(shown.date for _, shown in said) == 20260501


def test_a_picture_without_a_clock_is_given_up_and_looked_at_again_later():
    reader = ClockReader()
    said = [reader.step(seen(place(), index), 2.0 * index) for index in range(round(PATIENCE_S))]
    assert said[10] == Shown(LOOKING, 0.0)
    assert said[-1] == Shown(NONE, 0.0)
    assert reader.step(seen(place(), 1), 2.0 * PATIENCE_S + 0.1) == Shown(NONE, 0.0)
    assert reader.step(seen(place(), 1), 5000.0) == Shown(LOOKING, 0.0)


def test_something_that_turns_once_in_ten_seconds_is_no_clock():
    def turning(t: int) -> Pixels:
        grey = seen(place(), t)
        cv2.putText(grey, "abcdefghij"[t % 10], (40, 14), FONTS[0], 0.5, 255)
        return grey

    reader = ClockReader()
    assert {reader.step(turning(t), float(t)).second for t in range(240)} == {LOOKING}


def test_a_clock_that_becomes_unreadable_is_not_read_wrong_and_another_size_is_learned_anew():
    reader = ClockReader()
    watch(reader, np.arange(0.4, 130))
    blank = reader.step(np.full((360, 640), 90, np.uint8), 300.0)
    assert blank == Shown(NONE, 0.0)
    assert reader.step(np.full((180, 320), 90, np.uint8), 301.0).second == LOOKING


@pytest.mark.parametrize(
    "form",
    [
        "%S",  # the seconds alone are no time of day
        "99:88:%S",  # nor is this
    ],
)
def test_digits_that_run_but_tell_no_time_are_no_clock(form):
    said = watch(ClockReader(), np.arange(0.4, 170), form=form)
    assert {shown.second for _, shown in said} == {LOOKING}


def test_a_place_looked_at_every_second_has_no_clock_either_and_hasty_looks_are_left_out():
    reader = ClockReader()
    said = {
        reader.step(seen(place(), round(10 * t)), float(t)).second for t in np.arange(0, 150, 0.5)
    }
    assert said == {LOOKING}
    assert reader.step(np.full((180, 320), 90, np.uint8), 149.6).second == LOOKING
