from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.channel import Why
from edge.vision.eye import BETWEEN_S, LONG_GROUP_S, LOOK_ANYWAY_S, PICTURE_S, Eye, Look, Pace
from edge.vision.gate import GateState
from edge.vision.picture import Pixels

FPS = 25


def _looks(group_s: float, seconds: float, awake: bool = False) -> tuple[list[float], int]:
    """When a pace looks at a stream, and how many pictures are decoded for it."""
    pace, looks, decoded, pending = Pace(), [], 0, 0
    for i in range(int(seconds * FPS)):
        t, key = i / FPS, i % round(group_s * FPS) == 0
        pending = 1 if key else pending + 1
        if pace.due(t, key, awake):
            decoded, pending = decoded + pending, 0
            pace.looked(t)
            looks.append(t)
    return looks, decoded


def test_with_short_groups_the_key_pictures_alone_are_decoded():
    looks, decoded = _looks(1.0, 30)
    assert max(np.diff(looks)) <= LONG_GROUP_S
    assert decoded == 30


def test_in_long_groups_no_look_is_more_than_a_second_after_the_last():
    for group_s in (2.0, 4.0, 10.0):
        looks, _ = _looks(group_s, 60)
        assert max(np.diff(looks)) <= LONG_GROUP_S + 2 / FPS
        assert max(np.diff([t for t in looks if t > 2])) <= BETWEEN_S + 2 / FPS


def test_two_second_groups_are_decoded_to_little_more_than_a_half():
    _, decoded = _looks(2.0, 60)
    assert decoded <= 0.55 * 60 * FPS


def test_key_pictures_at_every_packet_are_not_all_looked_at():
    looks, _ = _looks(1 / FPS, 30)
    assert len(looks) <= 30 / 0.45


def test_awake_everything_is_decoded():
    looks, decoded = _looks(1.0, 4, awake=True)
    assert decoded == len(looks) == 4 * FPS


def _grey(person: bool = False) -> Pixels:
    picture = np.full((90, 160), 100, np.uint8)
    if person:
        picture[40:60, 60:70] = 220
    return picture


def _run(
    seconds: float,
    *,
    moves: bool = False,
    leave: bool = True,
    attentive: bool = False,
    eye: Eye | None = None,
    start: float = 0.0,
) -> tuple[Eye, list[tuple[float, Look]]]:
    eye = eye or Eye()
    looks = []
    for i in range(int(seconds * FPS)):
        t, since_key = start + i / FPS, i % FPS
        picture = _grey()
        if moves:
            picture[40:60, (5 * i) % 140 : (5 * i) % 140 + 10] = 220
        if eye.wants(t, since_key) and (since_key == 0 or eye.awake):
            looks.append((t, eye.step(picture, t, since_key, leave, attentive)))
    return eye, looks


def _handed(looks: list[tuple[float, Look]]) -> list[tuple[float, Why]]:
    return [(t, look.picture) for t, look in looks if look.picture is not None]


def test_a_quiet_scene_is_shown_now_and_then_all_the_same():
    _, looks = _run(65)
    handed = _handed(looks)
    assert {why for _, why in handed} == {Why.LOOK_ANYWAY}
    pauses = np.diff([t for t, _ in handed])
    assert 6 <= len(handed) <= 8
    assert max(pauses) <= LOOK_ANYWAY_S + 1


def test_measures_come_about_once_a_second():
    for moves in (False, True):
        _, looks = _run(30, moves=moves)
        assert 28 <= sum(look.measures is not None for _, look in looks) <= 31


def test_motion_is_shown_at_a_bounded_rate():
    eye, _ = _run(10)
    _, looks = _run(5, moves=True, eye=eye, start=10)
    assert eye.awake
    assert eye.state is GateState.OPEN
    handed = [t for t, why in _handed(looks) if why is Why.MOTION]
    assert len(handed) >= 4.5 * 5 - 3
    assert min(np.diff(handed)) >= PICTURE_S - 0.03


def test_nothing_is_shown_without_leave():
    _, looks = _run(30, leave=False)
    assert _handed(looks) == []


def test_an_attentive_receiver_is_shown_every_look():
    eye, _ = _run(10)
    _, looks = _run(20, attentive=True, eye=eye, start=10)
    assert len(_handed(looks)) == len(looks) == 20


@given(st.lists(st.tuples(st.floats(0.001, 3), st.booleans(), st.booleans()), max_size=60))
def test_no_pace_lets_more_than_the_limit_pass_between_looks(steps):
    pace, t, looked = Pace(), 0.0, None
    for pause, key, awake in steps:
        t += pause
        if pace.due(t, key, awake):
            pace.looked(t)
            looked = t
        elif looked is not None:
            assert t - looked < LONG_GROUP_S
