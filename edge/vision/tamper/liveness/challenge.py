"""The challenge: which pattern a lamp shows, and whether a camera's pictures followed it. Pure.

A recording cannot know the pattern. The lamp's box is compared with the rest of the same
picture, so that clouds and automatic exposure, which change both, do not count.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edge.vision.picture import Pixels

Box = tuple[float, float, float, float]

BITS = 6  # of a pattern, half of them on: one in 20 series of chance is in such an order
CHANGES = 2  # at least, so that light which only comes or goes does not follow
MIN_STEP = 4.0  # grey levels that the box must brighten by when the lamp is lit …
STEP_FACTOR = 3.0  # … and so many times the spread of the levels within on and within off


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a camera's pictures followed a pattern.

    Attributes:
        seen: they followed it.
        step: grey levels by which the box is brighter when the lamp is lit.
    """

    seen: bool
    step: float


def draw(chance: random.Random) -> tuple[bool, ...]:
    """A pattern, half on and half off, in an order of chance."""
    bits = [index % 2 == 0 for index in range(BITS)]
    while True:
        chance.shuffle(bits)
        if sum(before is not after for before, after in pairwise(bits)) >= CHANGES:
            return tuple(bits)


def level(frame: Pixels, box: Box) -> float:
    """How much brighter the box is than the rest of the picture, grey levels.

    Args:
        frame: height x width x 3.
        box: left, top, right, bottom in fractions of the picture.
    """
    height, width = frame.shape[:2]
    x1, x2 = (round(edge * width) for edge in (box[0], box[2]))
    y1, y2 = (round(edge * height) for edge in (box[1], box[3]))
    x1, y1 = min(x1, width - 1), min(y1, height - 1)
    inside = frame[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    whole, part = float(frame.sum(dtype=np.int64)), float(inside.sum(dtype=np.int64))
    rest = max(frame.size - inside.size, 1)
    return part / inside.size - (whole - part) / rest


def judge(pattern: Sequence[bool], levels: Sequence[float]) -> Verdict:
    """Whether the levels (one a bit, of the same length) followed the pattern."""
    on = np.array([value for bit, value in zip(pattern, levels, strict=True) if bit])
    off = np.array([value for bit, value in zip(pattern, levels, strict=True) if not bit])
    step = float(on.mean() - off.mean())
    spread = float(np.sqrt((on.var() + off.var()) / 2))
    apart = float(on.min()) > float(off.max())
    return Verdict(apart and step >= max(MIN_STEP, STEP_FACTOR * spread), round(step, 1))
