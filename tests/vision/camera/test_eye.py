from __future__ import annotations

import numpy as np
import pytest

from edge.vision.camera.channel import Why
from edge.vision.camera.eye import LOOK_ANYWAY_S, LOOK_S, PICTURE_S, Eye, Look, due
from edge.vision.camera.gate import GateState
from edge.vision.picture import Pixels
from edge.vision.stream.policy import Decoding

FPS = 25


@pytest.mark.parametrize(
    ("decoding", "key", "unseen_s", "now"),
    [
        (Decoding.FULL, False, 0.0, True),
        (Decoding.KEYS, True, 1.0, True),
        (Decoding.KEYS, True, 0.04, False),
        (Decoding.KEYS, False, 4.0, False),
        (Decoding.KEYS, False, 8.0, True),
        (Decoding.BETWEEN, True, 0.5, True),
        (Decoding.BETWEEN, True, 0.04, False),
        (Decoding.BETWEEN, False, 0.96, False),
        (Decoding.BETWEEN, False, 1.0, True),
    ],
)
def test_what_is_decoded_while_nothing_moves_follows_the_policy(decoding, key, unseen_s, now):
    assert due(decoding, key, unseen_s) is now


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
    full: bool = False,
) -> tuple[Eye, list[tuple[float, Look]]]:
    eye = eye or Eye()
    looks = []
    for i in range(int(seconds * FPS)):
        t, since_key = start + i / FPS, i % FPS
        picture = _grey()
        if moves:
            picture[40:60, (5 * i) % 140 : (5 * i) % 140 + 10] = 220
        if eye.wants(t, since_key, leave) and (since_key == 0 or eye.awake or full):
            look = eye.step(picture, t, since_key, leave, attentive)
            if look.picture is not None:
                eye.hand(t)
            looks.append((t, look))
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


def test_a_quiet_scene_that_is_decoded_wholly_is_looked_at_five_times_a_second():
    _, looks = _run(20, full=True)
    pauses = np.diff([t for t, _ in looks])
    assert max(pauses) <= LOOK_S + 0.03
    assert len(looks) <= 20 * 6


def test_a_picture_that_was_not_taken_is_offered_again_soon():
    eye, _ = _run(10)
    eye, _ = _run(2, moves=True, eye=eye, start=10)
    eye, looks = _run(0.2, moves=True, eye=eye, start=12, leave=False)
    assert eye.awake
    assert not _handed(looks)
    _, looks = _run(0.2, moves=True, eye=eye, start=12.2)
    assert _handed(looks)[0][0] <= 12.2 + 0.04
    assert eye.threshold > 0
