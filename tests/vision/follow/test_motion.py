from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.domain.activity import Activity, Phase
from edge.domain.observation import Box, Label, Quality, SeenObject, Sighting
from edge.vision.follow.motion import (
    CROWD,
    EXIT_S,
    PAUSE_S,
    SETTLING_S,
    SILENT_S,
    MotionAnalyser,
)
from edge.vision.spec import CameraSpec

MOUTH = {
    "code": "mouth",
    "kind": "shaft-mouth",
    "polygon": [[0.3, 0.4], [0.8, 0.4], [0.8, 0.9], [0.3, 0.9]],
}
CAMERA = CameraSpec.model_validate({"code": "cam-1", "url": "rtsp://h/x", "zone": [MOUTH]})
START = ManualClock().now()
LOOK_S = 0.2


def _sighting(
    t: float, moving: list[Box], named: list[Box] | None = None, quality: Quality = Quality.GOOD
) -> Sighting:
    objects = tuple(SeenObject(1, Label.PERSON, 0.8, box) for box in named or [])
    return Sighting("cam-1", START.moved(t), quality, objects, tuple(moving))


def _body(x: float, foot: float = 0.7, high: float = 0.15) -> Box:
    wide = 0.4 * high * 9 / 16
    return (x - wide / 2, foot - high, x + wide / 2, foot)


def _walk(t: float, start: float = 0.2, speed: float = 0.07) -> float:
    return start + speed * t


def _settled() -> MotionAnalyser:
    """One that has seen a quiet minute."""
    analyser = MotionAnalyser(CAMERA)
    for second in range(-60, 0):
        analyser.step(_sighting(second, []))
    return analyser


def _run(
    analyser: MotionAnalyser, seconds: float, moving, named=lambda _t: [], begin: float = 0.0
) -> list[Activity]:
    told = []
    for step in range(round(seconds / LOOK_S)):
        t = begin + step * LOOK_S
        told += analyser.step(_sighting(t, moving(t), named(t)))
        told += analyser.tick(START.moved(t))
    return told


def test_somebody_whom_no_detector_names_walks_through_the_zone():
    told = _run(_settled(), 20, lambda t: [_body(_walk(t))] if _walk(t) < 0.9 else [])
    assert [activity.phase for activity in told] == [Phase.STARTED, Phase.ENDED]
    started, ended = told
    assert (started.place, started.aspect, started.source) == ("mouth", "shaft-mouth", "cam-1")
    assert started.stamp.since(START) < 3.0
    assert ended.stamp.since(START) == pytest.approx((0.8 - 0.2) / 0.07, abs=1.0)


def test_two_places_that_a_cloud_darkens_one_after_the_other_are_no_walk():
    def lit(t: float) -> list[Box]:
        if t <= 2:
            return [(0.31, 0.48, 0.36, 0.58)]
        return [(0.41, 0.59, 0.46, 0.78)] if t >= 3 else []

    assert not _run(_settled(), 12, lit)


def test_a_patch_of_shade_that_shrinks_towards_its_foot_is_no_walk():
    def shade(t: float) -> list[Box]:
        if t < 1:
            return [(0.41, 0.32, 0.49, 0.78)]
        return [(0.41, 0.44, 0.45, 0.78) if t < 2 else (0.42, 0.51 + 0.01 * min(t, 6), 0.45, 0.78)]

    assert not _run(_settled(), 12, shade)


def test_somebody_who_is_hidden_for_a_moment_still_walks():
    def seen(t: float) -> list[Box]:
        return [] if 2.5 < t < 3.5 else [_body(_walk(t))]

    told = _run(_settled(), 8, seen)
    assert told[0].phase is Phase.STARTED
    assert told[0].stamp.since(START) < 5.0


def test_a_gate_that_has_just_begun_is_not_believed_yet():
    def walk(t: float) -> list[Box]:
        return [_body(_walk(t % 20))] if _walk(t % 20) < 0.9 else []

    (started, *_) = _run(MotionAnalyser(CAMERA), 80, walk)
    assert started.started.since(START) >= SETTLING_S
    analyser = _settled()
    (again, *_) = _run(analyser, 80, walk, begin=PAUSE_S + 1)
    assert again.started.since(START) >= PAUSE_S + SETTLING_S


def test_without_a_detector_the_mouth_is_not_silent():
    analyser, told = _settled(), []
    for step in range(40):
        told += analyser.step(
            _sighting(step * LOOK_S, [_body(_walk(step * LOOK_S))], quality=Quality.BAD)
        )
    assert [activity.phase for activity in told] == [Phase.STARTED]


def test_it_goes_on_while_it_goes_on_and_ends_in_silence():
    def pacing(t: float) -> list[Box]:
        return [_body(0.55 + 0.2 * math.sin(t / 2.5))]

    analyser = _settled()
    told = _run(analyser, 35, pacing)
    assert [activity.phase for activity in told] == [Phase.STARTED] + [Phase.GOES_ON] * 3
    assert analyser.tick(START.moved(35 + EXIT_S / 2)) == []
    (ended,) = analyser.tick(START.moved(35 + EXIT_S))
    assert ended.phase is Phase.ENDED
    assert analyser.tick(START.moved(60)) == []


def test_whom_the_detector_names_is_no_unnamed_motion():
    def shadowed(t: float) -> list[Box]:
        return [_body(_walk(t)), _body(_walk(t) + 0.04, high=0.06)]

    assert _run(_settled(), 12, shadowed, lambda t: [_body(_walk(t))]) == []


def test_a_detector_that_names_now_and_then_names():
    def sometimes(t: float) -> list[Box]:
        return [_body(_walk(t))] if round(t / LOOK_S) % 5 == 0 else []

    assert _run(_settled(), 12, lambda t: [_body(_walk(t))], sometimes) == []


def test_a_body_that_was_named_only_before_the_zone_has_lost_its_name_in_it():
    def before(t: float) -> list[Box]:
        return [_body(_walk(t, 0.1, 0.05))] if t < 2 else []

    told = _run(_settled(), 12, lambda t: [_body(_walk(t, 0.1, 0.05))], before)
    assert told[0].phase is Phase.STARTED
    assert 4 < told[0].stamp.since(START) < 5


def test_named_after_all_it_ends_and_does_not_open_again():
    def late(t: float) -> list[Box]:
        return [_body(_walk(t, speed=0.03))] if 9 <= t <= 10 else []

    told = _run(_settled(), 18, lambda t: [_body(_walk(t, speed=0.03))], late)
    assert [activity.phase for activity in told] == [Phase.STARTED, Phase.ENDED]
    assert told[1].stamp.since(START) == pytest.approx(9, abs=0.3)


def test_soon_after_something_named_was_in_the_zone_nothing_unnamed_begins():
    analyser = _settled()
    named = [_body(0.75, high=0.1)]
    analyser.step(_sighting(0, [], named))
    assert _run(analyser, SILENT_S - 1, lambda t: [_body(_walk(t, 0.32, 0.02))], begin=0.2) == []


@pytest.mark.parametrize(
    ("what", "moving"),
    [
        ("beside the zone", lambda t: [_body(_walk(t), foot=0.3)]),
        ("sways in place", lambda t: [_body(0.5 + 0.01 * math.sin(3 * t), high=0.3)]),
        ("an insect", lambda t: [_body(0.3 + (0.9 * t) % 0.5, high=0.08)]),
        ("too small", lambda t: [_body(_walk(t), high=0.02)]),
        ("the whole picture", lambda t: [(_walk(t) - 0.19, 0.0, _walk(t) + 0.3, 0.85)]),
        ("for a moment", lambda t: [_body(_walk(t, 0.4, 0.2))] if t < 1.2 else []),
        ("weather", lambda t: [_body(_walk(t) + i / 99) for i in range(CROWD + 1)]),
    ],
)
def test_what_is_no_body_is_left_out(what, moving):
    assert _run(_settled(), 8, moving) == [], what


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), pieces=st.integers(1, CROWD))
def test_pieces_anywhere_are_no_body(seed, pieces):
    """Rain and snow: in every picture somewhere else."""
    rng = np.random.default_rng(seed)

    def falling(_t: float) -> list[Box]:
        return [
            _body(float(x), float(y), 0.04)
            for x, y in zip(rng.uniform(0, 1, pieces), rng.uniform(0.05, 1, pieces), strict=True)
        ]

    assert _run(_settled(), 8, falling) == []


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.tuples(
            st.lists(
                st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).map(
                    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
                ),
                max_size=16,
            ),
            st.booleans(),
            st.floats(0, 3),
        ),
        max_size=40,
    )
)
def test_phases_come_in_order_whatever_is_seen(looks):
    analyser, phases, t = _settled(), [], 0.0
    for moving, named, later in looks:
        t += later
        told = analyser.step(_sighting(t, moving, moving[:1] if named else []))
        phases += [activity.phase for activity in told + analyser.tick(START.moved(t))]
    phases += [activity.phase for activity in analyser.tick(START.moved(t + 60))]
    assert phases.count(Phase.STARTED) == phases.count(Phase.ENDED)
    active = False
    for phase in phases:
        assert (phase is Phase.STARTED) is not active
        active = phase is not Phase.ENDED
