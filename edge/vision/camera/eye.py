"""When to decode, when to look, and what to hand over. Pure; live and playback share it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.domain.observation import Box, Measures
from edge.vision.camera.channel import Why
from edge.vision.camera.gate import GATE_WIDTH, Gate, GateState, Masks
from edge.vision.picture import Pixels
from edge.vision.stream.policy import Decoding
from edge.vision.tamper.measure import MEASURE_WIDTH, Measurer, shrunk

LOOK_S = 0.2  # between two looks where everything is decoded …
HASTE_S = 0.04  # … or as soon as this, when a picture is due and was not taken before
PICTURE_S = 0.2  # between two pictures handed over while something moves
ATTENTIVE_S = 1.0  # and while something that may stand still is in view, or another source says so
LOOK_ANYWAY_S = 10.0  # a picture is handed over this often even when the gate stays closed …
LOOK_BLIND_S = 1.0  # … and this often while it cannot tell motion: 2 % of a core for the detector
QUALITY_S = 1.0  # between two measures
KEY_GAP_S = 0.45  # key pictures that come faster than this are not all looked at
BETWEEN_S = 1.0  # the longest time without a look where keys come too rarely
LONGEST_S = 8.0  # … and where only keys were asked for
JITTER_S = 0.02  # packets come a little early or late


def due(decoding: Decoding, key: bool, unseen_s: float) -> bool:
    """Whether to decode up to this packet now, nothing having moved.

    Args:
        decoding: the policy.
        key: whether the packet is a key picture.
        unseen_s: time since the last look.
    """
    match decoding:
        case Decoding.FULL:
            return True
        case Decoding.KEYS:
            return unseen_s >= (KEY_GAP_S if key else LONGEST_S)
    return unseen_s >= (KEY_GAP_S if key else BETWEEN_S)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look led to.

    Attributes:
        picture: why the picture is handed over, if it is.
        measures: once a second.
        moving: what moves in the picture, biggest first, as fractions of it.
        opened: whether this look opened a quiet gate.
    """

    picture: Why | None
    measures: Measures | None
    moving: tuple[Box, ...] = ()
    opened: bool = False


class Eye:
    """Gate, picture quality, and the rates at which pictures and measures are handed over.

    Attributes:
        looked: when it last looked, seconds.
        handed: which picture was last handed over, seconds.
    """

    def __init__(self, masks: Masks = ()) -> None:
        self._gate = Gate(masks)
        self._measurer = Measurer()
        self._state = GateState.CALIBRATING
        self.looked = self.handed = -math.inf
        self._looked_at_key = self._anyway = self._measured = -math.inf

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

    def wants(self, t: float, since_key: int, leave: bool) -> bool:
        """Whether a decoded picture is to be looked at at all."""
        if since_key == 0 and t - self._looked_at_key >= KEY_GAP_S:
            return True
        hasty = self.awake and leave and t - self.handed >= PICTURE_S - JITTER_S
        return t - self.looked >= (HASTE_S if hasty else LOOK_S) - JITTER_S

    def step(self, luma: Pixels, t: float, since_key: int, leave: bool, attentive: bool) -> Look:
        """Look at the luma of one picture.

        Args:
            luma: height x width.
            t: when it came, seconds, never going back.
            since_key: how many pictures after its key picture it came.
            leave: whether the receiver takes another picture now.
            attentive: pictures are wanted now and then although nothing moves.
        """
        grey = shrunk(luma, MEASURE_WIDTH)
        still_s = self._measurer.watch(luma, t, since_key)
        self.looked = t
        if since_key == 0:
            self._looked_at_key = t
        quiet = self._state is GateState.QUIET
        self._state = self._gate.step(shrunk(grey, GATE_WIDTH), t)
        measures = None
        if t - self._measured >= QUALITY_S - 2 * JITTER_S:
            self._measured = t
            size = (luma.shape[1], luma.shape[0])
            measures = self._measurer.measure(grey, size, still_s)
        why = self._why(t, attentive) if leave else None
        return Look(why, measures, self._gate.moving, opened=quiet and self.awake)

    def look_back(self, luma: Pixels, t: float) -> tuple[Box, ...]:
        """What moves in a picture of before the last look; nothing is learned of it."""
        return self._gate.look_back(shrunk(shrunk(luma, MEASURE_WIDTH), GATE_WIDTH), t)

    def _why(self, t: float, attentive: bool) -> Why | None:
        since = t - self.handed + JITTER_S
        if self.awake and since >= PICTURE_S:
            return Why.MOTION
        anyway_s = LOOK_BLIND_S if self._state is GateState.BLIND else LOOK_ANYWAY_S
        if (attentive and since >= ATTENTIVE_S) or t - self._anyway + JITTER_S >= anyway_s:
            return Why.LOOK_ANYWAY
        return None

    def hand(self, t: float) -> None:
        """The picture that came at `t` is handed over."""
        self.handed = self._anyway = t
