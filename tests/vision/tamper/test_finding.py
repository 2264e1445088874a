from __future__ import annotations

from dataclasses import replace

import pytest

from edge.clock import ManualClock
from edge.domain.activity import ActivityKind
from edge.domain.observation import Measures
from edge.vision.tamper.finding import (
    DOUBT_S,
    IN_DOUBT,
    PARTLY_S,
    SLOW_S,
    STANDING_S,
    UNFIT_S,
    Finding,
    Waiting,
    find,
)
from edge.vision.tamper.signs import Signs

DAY = Measures(brightness=110, contrast=50, sharpness=500, still_s=0)
BLACK = replace(DAY, brightness=20, contrast=5, dark=0.97)
WHITE = replace(DAY, brightness=220, bright=0.8)
USUAL = Signs(
    agreement=0.95,
    kinship=0.95,
    best=0.95,
    certainty=20,
    shift_px=0,
    displaced=0,
    expected=1,
    lost=0,
    newly=0,
    soft=0,
    stirred=0,
    hidden=0,
    other_light=0.05,
    new_light=0.05,
    crisp=1,
    fine=1,
    tone=1,
)


BLOT = {"lost": 0.45, "newly": 0.45, "soft": 0.9, "crisp": 0.6}


def _found(measures: Measures, signs: Signs | None, *, sudden: bool = False) -> Finding | None:
    return find(measures, signs, sudden=sudden)


def test_nothing_is_found_in_a_picture_as_usual():
    assert _found(DAY, USUAL) is None
    assert _found(DAY, None) is None


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"lost": 0.9, "crisp": 0.1, "agreement": 0.1}, ActivityKind.PICTURE_COVERED),
        ({"lost": 0.7, "crisp": 1.0, "agreement": 0.1}, ActivityKind.PICTURE_SWAPPED),
        ({"shift_px": 9, "agreement": 0.5}, ActivityKind.PICTURE_MOVED),
        ({"shift_px": 4, "agreement": 0.38, "best": 0.38}, ActivityKind.PICTURE_MOVED),
        ({"displaced": 0.6, "agreement": 0.3}, ActivityKind.PICTURE_MOVED),
        (
            {"displaced": 0.25, "agreement": 0.25, "lost": 0.38, "crisp": 0.9},
            ActivityKind.PICTURE_MOVED,
        ),
        (  # another gate built the same way
            {"displaced": 0.38, "agreement": 0.21, "lost": 0.34, "crisp": 1.0},
            ActivityKind.PICTURE_MOVED,
        ),
        ({"fine": 0.1}, ActivityKind.PICTURE_BLURRED),
        ({"lost": 0.4, "soft": 0.9, "crisp": 0.6}, ActivityKind.PICTURE_COVERED),
        ({"hidden": 0.5}, ActivityKind.PICTURE_COVERED),
        ({"expected": 0.05}, ActivityKind.PICTURE_COVERED),
    ],
)
def test_each_sign_has_its_name(changes, kind):
    found = _found(DAY, replace(USUAL, **changes))
    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize(
    "changes",
    [
        {**BLOT, "stirred": 0.2},  # a lorry that moves
        {"lost": 0.4, "soft": 0.3},  # somebody close by, with edges of his own
        {"lost": 0.3, "soft": 0.8, "crisp": 0.95},  # a truck, whose side is plain
        {"shift_px": 9, "agreement": 0.9},  # as good without the shift
        {"shift_px": 9, "certainty": 3},  # a shift by chance
        {"shift_px": 4, "certainty": 3},
        {"shift_px": 1.5},  # the mast bends
        {"fine": 0.1, "agreement": 0.2},  # too little left to be called the same
        {"displaced": 0.25, "agreement": 0.25, "lost": 0.3},  # two parts look moved by weather
        {"displaced": 0.25, "agreement": 0.45, "lost": 0.5},
        {"agreement": 0.15},  # snow lies on everything, but the rest is there
    ],
)
def test_what_may_be_honest_is_nothing(changes):
    assert _found(DAY, replace(USUAL, **changes)) is None


@pytest.mark.parametrize(
    ("changes", "wait_s"),
    [
        ({"newly": 0.6}, PARTLY_S),
        ({"newly": 0.6, "soft": 0.75}, STANDING_S),  # a lorry is hardly as even
        ({"newly": 0.52, "new_light": 0.9}, STANDING_S),  # the exposure follows the paint
        ({"newly": 0.4}, STANDING_S),  # in the light that was there before
        ({"newly": 0.4, "lost": 0.6}, STANDING_S),  # a lorry, and fog took the rest
    ],
)
def test_paint_in_an_odd_light_is_told_the_sooner_the_more_it_hid_within_a_minute(changes, wait_s):
    found = _found(DAY, replace(USUAL, **{**BLOT, "other_light": 1.0, **changes}))
    assert found == Finding(ActivityKind.PICTURE_COVERED, wait_s)


@pytest.mark.parametrize(
    "changes",
    [
        {"lost": 0.4, "soft": 0.9, "crisp": 0.6, "other_light": 1.0},  # dusk
        {**BLOT, "other_light": 1.0, "new_light": 0.4},  # infrared was switched on
    ],
)
def test_what_is_hidden_in_another_light_is_in_doubt(changes):
    assert _found(DAY, replace(USUAL, **changes)) is IN_DOUBT


def test_what_hides_the_view_from_a_distance_must_last():
    assert _found(DAY, replace(USUAL, hidden=0.6)) == Finding(ActivityKind.PICTURE_COVERED, SLOW_S)


def test_black_is_a_cover_when_it_comes_at_once_and_darkness_when_not():
    gone = replace(USUAL, lost=0.95, crisp=0.0)
    for signs in (gone, None):
        sudden, slow = _found(BLACK, signs, sudden=True), _found(BLACK, signs)
        assert sudden is not None
        assert sudden.kind is ActivityKind.PICTURE_COVERED
        assert slow is not None
        assert slow.kind is ActivityKind.PICTURE_DARK
    assert _found(BLACK, USUAL) is None  # a night in which the view is still there


def test_white_is_over_exposed_when_the_view_is_gone():
    found = _found(WHITE, replace(USUAL, lost=0.8, crisp=0.1))
    assert found is not None
    assert found.kind is ActivityKind.PICTURE_OVEREXPOSED
    grey = replace(WHITE, bright=0.1)
    assert _found(grey, replace(USUAL, lost=0.8, crisp=0.1)) is not None
    assert _found(WHITE, USUAL) is None  # snow in the sun
    lamp = replace(WHITE, brightness=190)
    found = _found(lamp, replace(USUAL, lost=0.5, newly=0.5))
    assert found is not None
    assert found.kind is ActivityKind.PICTURE_OVEREXPOSED
    assert _found(lamp, replace(USUAL, lost=0.5, newly=0.2)) is None  # snow hid the rest before


def test_without_a_reference_only_what_shows_nothing_is_found():
    blank = replace(DAY, contrast=2)
    assert _found(blank, None) is not None
    assert find(DAY, None, sudden=False, fit=False) == Finding(
        ActivityKind.PICTURE_COVERED, UNFIT_S
    )


QUICK = Finding(ActivityKind.PICTURE_COVERED, 10.0)
SLOW = Finding(ActivityKind.PICTURE_COVERED, 40.0)


def _over_after(*found: Finding | None) -> int | None:
    """The second in which it has been so for long enough."""
    clock, waiting = ManualClock(), Waiting()
    for second, each in enumerate(found):
        if each is None or each is IN_DOUBT:
            if not waiting.doubted(each, clock.now()):
                waiting.clear()
        elif waiting.over(each, clock.now()):
            return second
        clock.advance(1.0)
    return None


def test_what_is_found_must_last():
    assert _over_after(*[QUICK] * 20) == 10
    assert _over_after(*[QUICK] * 9, None, *[QUICK] * 20) == 20
    assert _over_after(*[QUICK] * 9, Finding(ActivityKind.PICTURE_DARK, 10.0)) is None


def test_one_quick_look_does_not_inherit_the_slow_ones_before_it():
    assert _over_after(*[SLOW] * 30, QUICK, *[SLOW] * 20) == 40
    assert _over_after(*[SLOW] * 30, *[QUICK] * 20) == 40
    assert _over_after(*[SLOW] * 5, *[QUICK] * 20) == 15


def test_quick_looks_count_for_the_slow_ones_after_them():
    assert _over_after(*[QUICK, SLOW] * 30) == 40
    assert _over_after(*[QUICK] * 9, *[SLOW] * 60) == 40


def test_a_doubt_keeps_the_time_that_has_passed_but_not_for_long():
    short, long = round(DOUBT_S) - 5, round(DOUBT_S) + 5
    assert _over_after(*[SLOW] * 20, *[IN_DOUBT] * short, SLOW) == 20 + short
    assert _over_after(*[SLOW] * 20, *[IN_DOUBT] * long, *[SLOW] * 30) is None
    assert _over_after(*[IN_DOUBT] * 50) is None
