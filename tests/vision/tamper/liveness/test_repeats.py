"""A recording that is played again shows; an honest camera, however it shakes, does not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.vision.picture import Pixels
from edge.vision.tamper.liveness import repeats as module
from edge.vision.tamper.liveness.repeats import REPEATED, Repeats, Repetition
from tests.vision.tamper.liveness.pictures import place, seen

WHEN = 45.0  # s; a recording of this length


def coded(picture: Pixels, quality: int = 60) -> Pixels:
    """What a lossy encoder leaves of a picture."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def watch(pictures: list[Pixels], step: float = 1.0, repeats: Repeats | None = None) -> Repetition:
    repeats = repeats or Repeats()
    found = Repetition(0, 0.0)
    for index, picture in enumerate(pictures):
        found = repeats.step(picture, index * step, 0)
    return found


def test_fresh_noise_never_repeats():
    assert watch([seen(place(), i) for i in range(200)]) == Repetition(0, 0.0)


def test_a_recording_that_begins_again_is_told_with_its_length_within_seconds():
    loop = [seen(place(), i) for i in range(45)]
    assert watch(loop * 2).looks >= 40
    assert watch(loop + loop[:9]) == Repetition(9, WHEN)


def test_coding_it_anew_and_writing_a_running_clock_over_it_do_not_help():
    loop = [coded(seen(place(), i)) for i in range(45)]
    again = []
    for index in range(80):
        picture = coded(loop[index % 45], 40)
        cv2.putText(picture, f"{index:04d}", (200, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255)
        again.append(picture)
    found = watch(again)
    assert found.looks >= REPEATED
    assert found.lag_s == WHEN


def test_what_was_seen_live_an_hour_ago_is_recognised_when_it_is_played():
    live = [seen(place(), i) for i in range(600)]
    found = watch(live + live[100:112])
    assert found == Repetition(12, 500.0)


def test_a_cover_that_stays_is_no_repeat():
    """What it changes is in every look, in the near ones too; only noise comes and goes."""
    repeats = Repeats()
    watch([seen(place(), i) for i in range(60)], 0.2, repeats)
    rows, columns = place().shape
    stripes = 60 + np.add.outer(np.arange(rows), np.arange(columns)) % 40
    cover = np.asarray(stripes, np.uint8)
    looks = [repeats.step(seen(cover, i), i * 0.2, 0).looks for i in range(60, 120)]
    assert max(looks) < REPEATED


def snowed(moment: int) -> Pixels:
    """Snow over the place, as a thrifty camera shows it: next to no noise is left."""
    rng = np.random.default_rng([moment, 9])
    rows, columns = place().shape
    picture = seen(place(), moment, 0.6)
    for y, x in zip(rng.integers(0, rows, 150), rng.integers(0, columns, 150), strict=True):
        cv2.circle(picture, (int(x), int(y)), 1, 220, -1)
    return picture


@pytest.mark.parametrize("step", [0.2, 1.0, 2.0, 5.0])
def test_snow_is_no_repeat_however_seldom_it_is_looked_at(step):
    """Each flake moves what is usual where it was: for seconds all looks lie to one side of it."""
    repeats = Repeats()
    looks = [repeats.step(snowed(i), i * step, 0).looks for i in range(120)]
    assert max(looks) == 0


def test_a_recording_of_snow_is_told():
    loop = [snowed(i) for i in range(40)]
    found = watch(loop * 3, 2.0)
    assert found.looks >= REPEATED
    assert found.lag_s == 80.0


def test_a_cover_that_stays_is_no_repeat_where_only_key_pictures_are_looked_at():
    repeats = Repeats()
    watch([seen(place(), i) for i in range(60)], 2.0, repeats)
    looks = [repeats.step(seen(place(2), i), i * 2.0, 0).looks for i in range(60, 120)]
    assert max(looks) == 0


def test_a_look_now_and_then_that_is_equal_by_chance_is_not_enough():
    pictures = [seen(place(), i) for i in range(300)]
    for at, before in ((100, 20), (170, 66), (230, 51), (290, 80)):
        pictures[at] = pictures[before]
    assert watch(pictures).looks < REPEATED / 2


def test_a_black_night_and_a_frozen_picture_are_no_repeats():
    black = [np.full((180, 320), 16, np.uint8)] * 120
    assert watch(black).looks == 0
    assert watch([seen(place(), 1)] * 120).looks == 0


def test_a_few_states_that_come_again_and_again_are_no_recording():
    rng = np.random.default_rng(2)
    states = [seen(place(), i, 0.2) for i in range(4)]
    assert watch([states[int(rng.integers(4))] for _ in range(200)]).looks == 0


def test_a_shaking_camera_in_flickering_light_does_not_repeat():
    pictures = []
    for i in range(200):
        moved = np.roll(place(), (round(2 * np.sin(i * 1.9)), round(3 * np.sin(i * 2.3))), (0, 1))
        lit = np.clip(moved * (1 + 0.1 * np.sin(i * np.pi / 10)), 0, 255).astype(np.uint8)
        pictures.append(seen(lit, i, 2.0))
    assert watch(pictures).looks == 0


def test_something_that_blinks_in_one_corner_does_not_repeat_the_picture():
    pictures = []
    for i in range(200):
        picture = seen(place(), i)
        picture[90:, 200:] = seen(place(2), i % 20)[90:, 200:]
        pictures.append(picture)
    assert watch(pictures).looks == 0


def test_pictures_too_small_are_not_judged():
    assert watch([np.full((20, 30), i, np.uint8) for i in range(40)]).looks == 0


def test_looks_between_the_key_pictures_count_and_too_hasty_ones_do_not():
    repeats = Repeats()
    loop = [seen(place(), i) for i in range(100)]
    for index in range(250):
        found = repeats.step(loop[index % 100], index * 0.25, 1)
    assert found.looks >= 100
    assert found.lag_s == 25.0
    hasty = Repeats()
    for index in range(400):
        found = hasty.step(loop[index % 100], index * 0.01, 1)
    assert found.looks == 0


def test_it_is_forgotten_five_minutes_later():
    loop = [seen(place(), i) for i in range(45)]
    repeats = Repeats()
    assert watch(loop * 2, repeats=repeats).looks >= 40
    assert repeats.step(seen(place(), 999), 90 + module.WINDOW_S + 1, 0).looks == 0


@settings(max_examples=5, deadline=None)
@given(st.integers(5, 200), st.integers(0, 10**6))
def test_what_is_kept_is_bounded_and_the_oldest_goes_first(kept, seed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "KEPT", kept)
        repeats = Repeats()
        for index in range(kept + 20):
            repeats.step(seen(place(), seed + index), float(index), 0)
        assert repeats._kept.shape[1] == kept
        assert len(repeats._prints) <= kept
        assert float(repeats._times.min()) == 20.0
