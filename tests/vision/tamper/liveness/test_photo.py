"""A photo of the place before the lens is told from the place, and from a camera that was moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.vision.picture import Pixels
from edge.vision.tamper.liveness import photo as module
from edge.vision.tamper.liveness.photo import PhotoJudge, Signs
from edge.vision.tamper.sketch import Sketcher
from simulators.cameras.scene import Scene
from simulators.cameras.scene.photo import Photo

SIZE = (320, 180)
Show = Callable[[int], Pixels]
PUT = 18  # s; when something is done


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEARN_LOOKS", 12)


def scene(condition: str = "day", seed: int = 3) -> Scene:
    made = Scene(SIZE, seed, "shaft", condition=condition)
    made.clock = False
    return made


def without_noise(made: Scene) -> Pixels:
    noise, made.noise = made.noise, 0.0
    picture = made.render(0.0)
    made.noise = noise
    return np.asarray(picture, np.uint8)


def grain(picture: Pixels, moment: int) -> Pixels:
    rng = np.random.default_rng(moment)
    noise = rng.normal(0, 2.5, picture.shape[:2])[..., None]
    return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)


class Watch:
    """A judge and what it said each second."""

    def __init__(self) -> None:
        self.judge, self.sketcher = PhotoJudge(), Sketcher()
        self.said: dict[int, bool | None] = {}

    def see(self, show: Show, seconds: range) -> None:
        for second in seconds:
            grey = cv2.cvtColor(show(second), cv2.COLOR_BGR2GRAY)
            sketch, _ = self.sketcher.step(np.asarray(grey[22:158], np.uint8))
            self.said[second] = self.judge.step(sketch, float(second))

    def first(self) -> int | None:
        return next((second for second, said in self.said.items() if said), None)


@pytest.mark.parametrize(
    ("condition", "seed", "screen"),
    [("day", 1, False), ("night", 2, False), ("dusk", 4, True)],
)
def test_a_photo_is_found_within_a_minute_and_goes_with_it(condition, seed, screen):
    made = scene(condition)
    photo = Photo(without_noise(made), seed, float(PUT), screen=screen, night=condition == "night")
    watch = Watch()
    watch.see(lambda s: made.render(float(s)), range(PUT))
    watch.see(lambda s: grain(photo.over(made.render(float(s)), float(s)), s), range(PUT, 56))
    found = watch.first()
    assert found is not None
    assert PUT < found < PUT + 40
    signs = watch.judge.signs
    assert signs is not None
    assert signs.score >= module.ENOUGH
    watch.see(lambda s: made.render(float(s)), range(56, 90))
    assert watch.said[89] is False
    assert watch.judge.signs is None


def moved(picture: Pixels) -> Pixels:
    return np.roll(picture, (4, 10), (0, 1))


def foggy(picture: Pixels) -> Pixels:
    return np.asarray(picture * 0.6 + 70, np.uint8)


def hidden(picture: Pixels) -> Pixels:
    shown = picture.copy()
    shown[40:, 60:280] = 50
    return shown


def covered(picture: Pixels) -> Pixels:
    return np.full_like(picture, 30)


@pytest.mark.parametrize(
    ("change", "condition"),
    [(moved, "day"), (moved, "night"), (foggy, "day"), (hidden, "night"), (covered, "day")],
)
def test_what_else_may_happen_is_no_photo(change, condition):
    made = scene(condition)
    watch = Watch()
    watch.see(lambda s: made.render(float(s)), range(PUT))
    watch.see(lambda s: change(made.render(float(s))), range(PUT, 45))
    watch.see(lambda s: made.render(float(s)), range(45, 60))
    assert watch.first() is None


def test_a_place_that_stays_another_is_the_place_after_a_while(monkeypatch):
    monkeypatch.setattr(module, "GIVE_UP_S", 20.0)
    made, other = scene(), scene(seed=9)
    watch = Watch()
    watch.see(lambda s: made.render(float(s)), range(PUT))
    watch.see(lambda s: other.render(float(s)), range(PUT, 75))
    assert watch.first() is None
    assert watch.judge.signs is None


def test_a_photo_put_there_while_there_was_no_picture_is_found():
    made = scene()
    photo = Photo(without_noise(made), 6, 0.0)
    watch = Watch()
    watch.see(lambda s: made.render(float(s)), range(PUT))
    watch.see(lambda s: grain(photo.over(made.render(float(s)), 99.0), s), range(PUT + 9, 60))
    assert watch.first() is not None
    assert watch.judge.signs is not None
    assert watch.judge.signs.placed


def test_a_picture_without_edges_tells_nothing():
    watch = Watch()
    watch.see(lambda s: grain(np.full((180, 320, 3), 90, np.uint8), s), range(20))
    watch.see(lambda s: grain(np.full((180, 320, 3), 140, np.uint8), s), range(20, 50))
    assert watch.first() is None


def signs(**changes: float) -> Signs:
    figures = {"shift_px": 3.0, "stretch_px": 2.0, "lift": 9.0, "range": 0.8, "fine": 0.5}
    figures["kin"] = 0.8
    return Signs(**{**figures, **changes}, placed=False)


def test_place_and_tone_must_both_speak_for_a_photo():
    assert signs().score == 4
    assert signs(shift_px=0.2, stretch_px=0.3).score == 0  # fog, a light, the infrared lamps
    assert signs(fine=1.0, range=1.0).score == 0  # somebody turned the camera
    assert signs(kin=0.1).score == 0  # another place, or none
    assert signs(stretch_px=40.0).score == 0
    assert signs(fine=1.0).score == 3
    assert signs(lift=-4.0).score == 3


@pytest.mark.parametrize(("placed", "score"), [(False, 0), (True, 4)])
def test_a_place_that_fog_tears_apart_is_no_photo_that_nobody_was_seen_to_put_there(placed, score):
    """Seen in rendered fog: all of it moved a little, its blacks lighter."""
    fog = Signs(2.45, 11.27, 8.7, 0.908, 0.883, 0.74, placed)
    assert fog.score == score
    assert replace(fog, kin=0.9).score >= 3


def test_all_signs_together_outweigh_a_photo_that_agrees_a_little_less():
    """Seen: a photo by infrared, told by its tone, its place and its softness alike."""
    photo = Signs(8.48, 11.99, 18.4, 0.88, 0.291, 0.797, placed=False)
    assert photo.score == 4
    assert replace(photo, fine=0.9).score == 0
    assert replace(photo, kin=0.6).score == 0
