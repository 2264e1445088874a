"""What falls before the lens: of chance, the same at the same moment, and never again."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.cameras.scene import Condition
from simulators.cameras.scene.falling import falling

SIZE = (320, 180)


def shown(condition, moments):
    falls = falling(SIZE, condition, 4)
    assert falls is not None
    sky = []
    for t in moments:
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        falls.add(picture, t, np.random.default_rng(int(t * 100)))
        sky.append(picture[:, :, 0].astype(np.float32).ravel())
    return np.array(sky)


@pytest.mark.parametrize("condition", [Condition.RAIN, Condition.SNOW])
def test_what_falls_never_comes_again(condition):
    """Else a seal that looks for recordings finds one."""
    sky = shown(condition, np.arange(0.0, 130.0, 0.5))
    sky -= sky.mean(axis=1, keepdims=True)
    sky /= np.linalg.norm(sky, axis=1, keepdims=True)
    alike = sky @ sky.T - np.eye(len(sky))
    assert alike.max() < 0.7


def test_flakes_fall_and_do_not_jump():
    sky = shown(Condition.SNOW, [20.0, 20.04]).reshape(2, SIZE[1], SIZE[0])
    alike = [(np.roll(sky[0], down, axis=0) * sky[1]).mean() for down in range(-8, 9)]
    assert 8 < int(np.argmax(alike)) <= 12


def test_the_same_moment_shows_the_same_flakes():
    assert np.array_equal(*shown(Condition.SNOW, [7.0, 7.0]))
    assert not np.array_equal(*shown(Condition.SNOW, [7.0, 7.1]))


@pytest.mark.parametrize("condition", [Condition.DAY, Condition.NIGHT, Condition.FOG])
def test_nothing_falls_in_dry_air(condition):
    assert falling(SIZE, condition, 1) is None
