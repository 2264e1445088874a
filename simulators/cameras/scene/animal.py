"""Dogs and cats: what moves in a yard at night and is nobody."""

from __future__ import annotations

import math

import numpy as np

from simulators.cameras.scene.body import Limb
from simulators.cameras.scene.textures import Colour

_COATS: tuple[Colour, ...] = ((52, 62, 76), (92, 126, 158), (36, 36, 38), (168, 178, 186))
DOG_M, CAT_M = 0.55, 0.25  # height at the shoulder


def animal_limbs(
    place: tuple[float, float],
    heading: float,
    height: float,
    rng: np.random.Generator,
    walked: float | None,
) -> list[Limb]:
    """The capsules of one animal on four legs.

    Args:
        place: x, z of its middle, metres.
        heading: as for people.
        height: at the shoulder, metres; everything else is in proportion.
        rng: chooses the coat.
        walked: metres gone, None at rest.
    """
    coat = _COATS[int(rng.integers(len(_COATS)))]
    k = height / DOG_M
    ahead = (math.sin(heading), math.cos(heading))
    phase = 0.0 if walked is None else 2 * math.pi * walked / (0.9 * k)

    def at(forward: float, up: float, left: float) -> tuple[float, float, float]:
        return (
            place[0] + k * (forward * ahead[0] - left * ahead[1]),
            k * up,
            place[1] + k * (forward * ahead[1] + left * ahead[0]),
        )

    def limb(
        start: tuple[float, float, float], end: tuple[float, float, float], *radii: float
    ) -> Limb:
        return Limb(at(*start), at(*end), (radii[0] * k, radii[1] * k), coat)

    limbs = [
        limb((-0.3, 0.44, 0), (0.26, 0.46, 0), 0.11, 0.13),
        limb((0.28, 0.5, 0), (0.42, 0.64, 0), 0.08, 0.07),
        limb((0.42, 0.66, 0), (0.56, 0.6, 0), 0.085, 0.045),
        limb((-0.36, 0.48, 0), (-0.6, 0.6, 0), 0.03, 0.02),
    ]
    for forward, turn in ((-0.28, math.pi), (0.24, 0.0)):
        for side in (1, -1):
            swing = 0.16 * math.sin(phase + turn + (math.pi if side > 0 else 0))
            knee, paw = (forward + 0.4 * swing, 0.22, 0.08 * side), (forward + swing, 0.03)
            limbs.append(limb((forward, 0.42, 0.07 * side), knee, 0.06, 0.04))
            limbs.append(limb(knee, (*paw, 0.08 * side), 0.038, 0.032))
    return limbs
