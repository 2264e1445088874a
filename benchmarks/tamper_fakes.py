"""What is shown to a camera in place of the place, for `tamper`: photos and recordings.

Each is an act as those of `tamper_acts`.
"""

from __future__ import annotations

import numpy as np

from benchmarks.tamper_acts import Act, Picture, Place, _grain
from benchmarks.tamper_rig import Trip
from simulators.cameras.scene import EPOCH
from simulators.cameras.scene.film import write_clock
from simulators.cameras.scene.photo import Photo

FPS = 25
SHORTEST_S, LONGEST_S = 15, 240  # of a recording


def photo(place: Place, rng: np.random.Generator) -> Act:
    """A print, or in one case of three a screen, is put before the lens within 0.5 to 5 s."""
    scene = place.scene
    noise, scene.noise = scene.noise, 0.0
    picture = place.shown(place.t0 - 60, clock=False)
    scene.noise = noise
    screen = bool(rng.random() < 1 / 3)
    held = Photo(picture, int(rng.integers(1 << 31)), 0.0, screen=screen, night=place.night)

    def act(t: float) -> Picture:
        shown = held.over(place.shown(place.t0 + t, clock=False), t)
        if t > 0:
            shown = _grain(place, shown, t)
        write_clock(shown, EPOCH + place.t0 + t, "CAM")
        return shown

    return act


def replay(place: Place, rng: np.random.Generator) -> Act:
    """A recording in a loop, cut at key pictures; in half the cases its clock runs on."""
    return _loop(place, rng, float(rng.integers(SHORTEST_S, LONGEST_S)))


def replay_odd(place: Place, rng: np.random.Generator) -> Act:
    """The same cut anywhere: other pictures of it become key pictures in each round."""
    return _loop(place, rng, float(rng.integers(SHORTEST_S * FPS, LONGEST_S * FPS)) / FPS)


def _loop(place: Place, rng: np.random.Generator, length_s: float) -> Act:
    recorder: Trip | None = None
    running = bool(rng.integers(2))
    kept: dict[int, Picture] = {}

    def act(t: float) -> Picture:
        nonlocal recorder
        number = int((t % length_s) * FPS + 0.5) % round(length_s * FPS)
        if number not in kept:
            then = place.t0 - 3600 + number / FPS
            shown = place.shown(then, clock=not running)
            recorder = recorder or Trip((shown.shape[1], shown.shape[0]))
            kept[number] = np.repeat(recorder(shown)[..., None], 3, axis=2)
        shown = kept[number].copy()
        if running:
            write_clock(shown, EPOCH + place.t0 + t, "CAM")
        return shown

    return act
