"""The body of a person: limbs in the world, by gait and posture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from simulators.cameras.scene.optics import Floats
from simulators.cameras.scene.textures import Colour


class Posture(StrEnum):
    """How a person holds the body, at rest or on the way."""

    STAND = "stand"
    CROUCH = "crouch"
    CRAWL = "crawl"  # on hands and knees


@dataclass(frozen=True, slots=True)
class Limb:
    """A capsule with two radii; `bands` are (from, to, colour) along it, 0..1."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    radii: tuple[float, float]
    colour: Colour
    bands: tuple[tuple[float, float, Colour], ...] = ()


@dataclass(frozen=True, slots=True)
class Dress:
    """How somebody is built and dressed."""

    height: float
    girth: float
    vest: Colour
    sleeves: Colour
    trousers: Colour
    helmet: Colour | None
    skin: Colour
    reflective: bool

    @staticmethod
    def of(rng: np.random.Generator) -> Dress:
        """Somebody at random: most wear a hi-vis vest and a helmet, some neither."""
        vests: tuple[Colour, ...] = ((30, 120, 250), (40, 220, 215), (40, 70, 235), (52, 190, 240))
        cloth: tuple[Colour, ...] = ((76, 52, 36), (42, 41, 42), (58, 66, 64), (96, 66, 42))
        hats: tuple[Colour, ...] = ((40, 205, 240), (40, 44, 210), (232, 234, 232), (190, 120, 40))
        reflective = bool(rng.random() < 0.7)
        sleeves = cloth[int(rng.integers(4))]
        return Dress(
            height=float(rng.uniform(1.64, 1.82)),
            girth=float(rng.uniform(0.94, 1.14)),
            vest=vests[int(rng.integers(4))] if reflective else sleeves,
            sleeves=sleeves,
            trousers=cloth[int(rng.integers(4))],
            helmet=hats[int(rng.integers(4))]
            if rng.random() < (0.85 if reflective else 0.3)
            else None,
            skin=(118, 150, 196),
            reflective=reflective,
        )


class _Frame:
    """Puts measures of a body of 1.72 m (forward, up, left) into the world."""

    def __init__(self, x: float, z: float, heading: float, dress: Dress) -> None:
        self._scale = dress.height / 1.72
        self._origin = (x, z)
        self._ahead = (math.sin(heading), math.cos(heading))
        self._dress = dress
        self.limbs: list[Limb] = []

    def at(self, ahead: float, up: float, left: float) -> tuple[float, float, float]:
        fx, fz = self._ahead
        k = self._scale
        return (
            self._origin[0] + k * (ahead * fx - left * fz),
            k * up,
            self._origin[1] + k * (ahead * fz + left * fx),
        )

    def limb(
        self,
        start: tuple[float, float, float],
        end: tuple[float, float, float],
        radii: tuple[float, float],
        colour: Colour,
        bands: tuple[tuple[float, float, Colour], ...] = (),
    ) -> None:
        k = self._scale * self._dress.girth
        self.limbs.append(
            Limb(self.at(*start), self.at(*end), (radii[0] * k, radii[1] * k), colour, bands)
        )


_TAPE: Colour = (214, 222, 222)
_BOOT: Colour = (38, 40, 44)
_HAIR: Colour = (36, 37, 41)


def limbs(
    place: tuple[float, float],
    heading: float,
    dress: Dress,
    *,
    walked: float | None,
    posture: Posture,
) -> list[Limb]:
    """The capsules of one person.

    Args:
        place: x, z of the feet, metres.
        heading: direction of the face; 0 is away from the camera along z, towards x is positive.
        dress: build and clothes.
        walked: metres walked so far, which set the gait's phase; None for somebody at rest.
        posture: at rest or on the way, whichever it is.
    """
    frame = _Frame(*place, heading, dress)
    if posture is Posture.CRAWL:
        _crawl(frame, dress, walked or 0.0)
    elif posture is Posture.CROUCH:
        _crouch(frame, dress, walked)
    elif walked is not None:
        _upright(frame, dress, walked)
    else:
        _stand(frame, dress)
    return frame.limbs


def _upright(frame: _Frame, dress: Dress, walked: float) -> None:
    phase = 2 * math.pi * walked / 1.42
    bob = 0.022 * math.cos(2 * phase)
    hip = 0.91 + bob
    for side in (1, -1):
        turn = phase + (0 if side > 0 else math.pi)
        thigh = 0.46 * math.sin(turn) + 0.06
        knee = 0.15 + 0.85 * max(0.0, math.sin(turn + 2.0)) ** 2
        _leg(frame, dress, side, (0.0, hip), thigh, knee)
        _arm(frame, dress, side, (0.0, 1.42 + bob), 0.02 - 0.42 * math.sin(turn), 0.55, 0.235)
    _trunk(frame, dress, (0.0, hip), (0.03, 1.42 + bob), (0.05, 1.6 + bob))


def _stand(frame: _Frame, dress: Dress) -> None:
    """One foot before the other, a hand raised or both hanging: nobody stands like a post."""
    manner = int(dress.height * 1e4) % 3
    tape = ((0.55, 0.68, _TAPE),) if dress.reflective else ()
    for side in (1, -1):
        lead = 0.1 if side == (-1 if manner == 1 else 1) else 0.0
        knee = (0.6 * lead + 0.01, 0.5, 0.125 * side)
        foot = (lead - 0.04, 0.085, 0.15 * side)
        toe = (foot[0] + 0.15, 0.045, 0.19 * side)
        frame.limb((0.0, 0.9, 0.09 * side), knee, (0.1, 0.072), dress.trousers)
        frame.limb(knee, foot, (0.068, 0.052), dress.trousers, tape)
        frame.limb((foot[0] - 0.03, 0.065, 0.15 * side), toe, (0.056, 0.042), _BOOT)
        arm = (0.12, -0.05, 0.3)[(manner + side) % 3]
        bend = (0.5, 1.5, 0.35)[(manner + (side > 0)) % 3]
        _arm(frame, dress, side, (0.0, 1.42), arm, bend, 0.24 if bend < 1 else 0.14)
    _trunk(frame, dress, (0.0, 0.9), (0.02, 1.42), (0.04, 1.6))


def _crouch(frame: _Frame, dress: Dress, walked: float | None) -> None:
    swing = 0.0 if walked is None else 0.2 * math.sin(2 * math.pi * walked / 0.8)
    for side in (1, -1):
        step = swing * side
        knee = (0.34 + 0.6 * step, 0.5 if side > 0 else 0.42, 0.15 * side)
        frame.limb((-0.08, 0.42, 0.1 * side), knee, (0.1, 0.078), dress.trousers)
        frame.limb(knee, (0.04 + step, 0.1, 0.13 * side), (0.07, 0.052), dress.trousers)
        sole, toe = (0.02 + step, 0.05, 0.13 * side), (0.2 + step, 0.045, 0.14 * side)
        frame.limb(sole, toe, (0.055, 0.045), _BOOT)
        elbow = (0.42, 0.62, 0.24 * side)
        frame.limb((0.2, 0.86, 0.19 * side), elbow, (0.062, 0.05), dress.sleeves)
        frame.limb(elbow, (0.56, 0.42, 0.1 * side), (0.048, 0.04), dress.sleeves)
        frame.limb((0.56, 0.42, 0.1 * side), (0.6, 0.38, 0.09 * side), (0.042, 0.036), dress.skin)
    _trunk(frame, dress, (-0.1, 0.44), (0.2, 0.9), (0.33, 1.05))


def _crawl(frame: _Frame, dress: Dress, walked: float) -> None:
    """On hands and knees, each hand with the knee of the other side."""
    phase = 2 * math.pi * walked / 0.7
    for side in (1, -1):
        step = 0.14 * math.sin(phase) * side
        knee, foot = (-0.28 - step, 0.07, 0.12 * side), (-0.68 - step, 0.07, 0.13 * side)
        frame.limb((-0.28, 0.48, 0.1 * side), knee, (0.1, 0.075), dress.trousers)
        frame.limb(knee, foot, (0.07, 0.055), dress.trousers)
        frame.limb(foot, (foot[0] - 0.17, 0.05, foot[2]), (0.055, 0.04), _BOOT)
        elbow, hand = (0.26 + 0.5 * step, 0.28, 0.2 * side), (0.28 + step, 0.06, 0.18 * side)
        frame.limb((0.2, 0.52, 0.18 * side), elbow, (0.065, 0.05), dress.sleeves)
        frame.limb(elbow, hand, (0.048, 0.04), dress.sleeves)
        frame.limb(hand, (hand[0] + 0.08, 0.04, hand[2]), (0.04, 0.035), dress.skin)
    _trunk(frame, dress, (-0.3, 0.5), (0.2, 0.58), (0.4, 0.66))


def _leg(
    frame: _Frame, dress: Dress, side: int, hip: tuple[float, float], thigh: float, knee: float
) -> None:
    ahead, up = hip
    mid = (ahead + 0.43 * math.sin(thigh), up - 0.43 * math.cos(thigh))
    shin = thigh - knee
    foot = (mid[0] + 0.41 * math.sin(shin), max(0.075, mid[1] - 0.41 * math.cos(shin)))
    frame.limb((ahead, up, 0.09 * side), (*mid, 0.1 * side), (0.098, 0.07), dress.trousers)
    tape = ((0.55, 0.68, _TAPE),) if dress.reflective else ()
    frame.limb((*mid, 0.1 * side), (*foot, 0.1 * side), (0.068, 0.052), dress.trousers, tape)
    toe = (foot[0] + 0.17 * math.cos(shin * 0.6), foot[1] + 0.17 * math.sin(shin * 0.6) - 0.03)
    frame.limb(
        (foot[0] - 0.03, foot[1] - 0.02, 0.1 * side), (*toe, 0.12 * side), (0.056, 0.042), _BOOT
    )


def _arm(
    frame: _Frame,
    dress: Dress,
    side: int,
    top: tuple[float, float],
    arm: float,
    bend: float,
    hand_left: float,
) -> None:
    ahead, up = top
    elbow = (ahead + 0.28 * math.sin(arm), up - 0.28 * math.cos(arm), 0.255 * side)
    lower = arm + bend
    out = hand_left * side
    hand = (elbow[0] + 0.25 * math.sin(lower), elbow[1] - 0.25 * math.cos(lower), out)
    tip = (hand[0] + 0.065 * math.sin(lower), hand[1] - 0.065 * math.cos(lower), out)
    frame.limb((ahead, up, 0.2 * side), elbow, (0.065, 0.051), dress.sleeves)
    frame.limb(elbow, hand, (0.049, 0.039), dress.sleeves)
    frame.limb(hand, tip, (0.041, 0.035), dress.skin)


def _trunk(
    frame: _Frame,
    dress: Dress,
    hip: tuple[float, float],
    neck: tuple[float, float],
    head: tuple[float, float],
) -> None:
    frame.limb((*hip, 0.07), (*hip, -0.07), (0.115, 0.115), dress.trousers)
    bands = ((0.18, 0.28, _TAPE), (0.46, 0.56, _TAPE)) if dress.reflective else ()
    low = (hip[0], hip[1] + 0.05)
    high = (neck[0], neck[1] - 0.07)
    for side in (1, -1):
        frame.limb((*low, 0.055 * side), (*high, 0.085 * side), (0.115, 0.125), dress.vest, bands)
    frame.limb((*high, 0.15), (*high, -0.15), (0.085, 0.085), dress.vest)
    frame.limb(
        (neck[0], neck[1] + 0.02, 0), (head[0], head[1] - 0.02, 0), (0.06, 0.055), dress.skin
    )
    x, y = head
    frame.limb((x, y + 0.03, 0), (x + 0.02, y - 0.03, 0), (0.1, 0.085), dress.skin)
    frame.limb((x - 0.05, y + 0.03, 0), (x - 0.04, y - 0.03, 0), (0.075, 0.07), _HAIR)
    frame.limb((x + 0.035, y - 0.01, 0), (x + 0.03, y - 0.05, 0), (0.078, 0.07), dress.skin)
    if dress.helmet is None:
        frame.limb((x - 0.03, y + 0.04, 0), (x + 0.0, y + 0.055, 0), (0.094, 0.096), _HAIR)
        return
    frame.limb((x - 0.012, y + 0.055, 0), (x + 0.005, y + 0.06, 0), (0.108, 0.106), dress.helmet)
    brim = (x + 0.06, y + 0.035)
    frame.limb((*brim, 0.03), (*brim, -0.03), (0.06, 0.06), dress.helmet)


def as_points(parts: list[Limb]) -> tuple[Floats, Floats]:
    """Ends [2N, 3] of all limbs and their radii [2N]."""
    ends = np.array([end for limb in parts for end in (limb.start, limb.end)], np.float32)
    return ends, np.array([radius for limb in parts for radius in limb.radii], np.float32)
