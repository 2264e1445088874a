"""When to decode, when to look, and what to hand over. Pure; live and playback share it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.domain.observation import Measures
from edge.vision.channel import Box, Why
from edge.vision.gate import GATE_WIDTH, Gate, GateState
from edge.vision.measure import MEASURE_WIDTH, Measurer, shrunk
from edge.vision.picture import Pixels

AWAKE_LOOK_S = 0.1  # between two looks while something moves
PICTURE_S = 0.2  # between two pictures handed over while something moves
LOOK_ANYWAY_S = 10.0  # a picture is handed over this often even when the gate stays closed
QUALITY_S = 1.0  # between two measures
KEY_GAP_S = 0.45  # key pictures that come faster than this are not all looked at
LONG_GROUP_S = 1.25  # groups up to this long are looked at by their key pictures alone
BETWEEN_S = 1.0  # in longer groups, the longest time without a look
_JITTER_S = 0.02  # packets come a little early or late


class Pace:
    """Decides which packets are decoded now and which may wait for (or be saved by) a key.

    Decoding is the cost. While nothing moves, a group's key picture stands for the group; in
    groups longer than `LONG_GROUP_S` that would be too slow for an alarm within two seconds.
    """

    def __init__(self) -> None:
        self._looked = -math.inf
        self._key_at: float | None = None
        self._group_s = 0.0

    def due(self, t: float, key: bool, awake: bool) -> bool:
        """Whether to decode up to this packet now."""
        if key:
            if self._key_at is not None:
                self._group_s = t - self._key_at
            self._key_at = t
        if awake:
            return True
        if key and t - self._looked >= KEY_GAP_S:
            return True
        lasting = t - self._key_at if self._key_at is not None else 0.0
        long = max(self._group_s, lasting) > LONG_GROUP_S
        limit = BETWEEN_S if long else LONG_GROUP_S
        return t - self._looked >= limit

    def looked(self, t: float) -> None:
        """A picture came out of the decoder and was looked at."""
        self._looked = t


@dataclass(frozen=True, slots=True)
class Look:
    """What one look led to.

    Attributes:
        picture: why the picture is handed over, if it is.
        measures: once a second.
        moving: what moves in the picture, biggest first, as fractions of it.
    """

    picture: Why | None
    measures: Measures | None
    moving: tuple[Box, ...] = ()


class Eye:
    """Gate, picture quality, and the rates at which pictures and measures are handed over."""

    def __init__(self) -> None:
        self._gate = Gate()
        self._measurer = Measurer()
        self._state = GateState.CALIBRATING
        self._looked = self._handed = self._anyway = self._measured = -math.inf

    @property
    def awake(self) -> bool:
        """Whether everything is to be decoded."""
        return self._state is GateState.OPEN

    @property
    def state(self) -> GateState:
        """The gate's state at the last look."""
        return self._state

    @property
    def threshold(self) -> float:
        """Grey levels that a typical pixel must differ by."""
        return self._gate.threshold

    def wants(self, t: float, since_key: int) -> bool:
        """Whether a decoded picture is to be looked at at all."""
        return (
            not self.awake
            or since_key == 0
            or t - self._looked >= AWAKE_LOOK_S - _JITTER_S
            or t - self._handed >= PICTURE_S - _JITTER_S
        )

    def step(self, luma: Pixels, t: float, since_key: int, leave: bool, attentive: bool) -> Look:
        """Look at the luma of one picture.

        Args:
            luma: height x width.
            t: seconds, never going back.
            since_key: how many pictures after its key picture it came.
            leave: whether the receiver takes another picture now.
            attentive: something was in view lately, so that pictures are wanted at every look.
        """
        grey = shrunk(luma, MEASURE_WIDTH)
        still_s = self._measurer.watch(luma, t, since_key)
        self._looked = t
        self._state = self._gate.step(shrunk(grey, GATE_WIDTH), t)
        measures = None
        if t - self._measured >= QUALITY_S - 2 * _JITTER_S:
            self._measured = t
            size = (luma.shape[1], luma.shape[0])
            measures = self._measurer.measure(grey, size, still_s)
        return Look(self._why(t, attentive) if leave else None, measures)

    def _why(self, t: float, attentive: bool) -> Why | None:
        if t - self._handed < PICTURE_S - _JITTER_S:
            return None
        why = None
        if t - self._anyway >= LOOK_ANYWAY_S or (attentive and not self.awake):
            why = Why.LOOK_ANYWAY
        if self.awake:
            why = Why.MOTION
        if why is not None:
            self._handed = self._anyway = t
        return why
