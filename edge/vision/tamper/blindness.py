"""From what the motion gate says of itself to the activity "gate blind". Pure."""

from __future__ import annotations

from edge.clock import Stamp
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.observation import PictureQuality
from edge.vision.spec import CameraSpec

REPORT_S = 10.0  # GOES_ON at most this often
BLIND_S = 60.0  # the gate has told nothing for this long: it is blind …
SEES_S = 120.0  # … until it has been able to for this long
_CAN_TELL = {"blind": True, "quiet": False}  # open or calibrating, it says nothing about itself


class GateAnalyser:
    """Whether one camera's motion gate is blind: GATE_BLIND.

    A gate that opens now and then may be blind all the same, so that counts for neither.
    """

    def __init__(self, camera: CameraSpec) -> None:
        self._source = camera.code
        self._started: Stamp | None = None  # since when it has been told to be blind
        self._turned: Stamp | None = None  # since when the gate has said otherwise
        self._reported: Stamp | None = None

    def step(self, quality: PictureQuality) -> list[Activity]:
        """Take what the gate says of itself, in order of time."""
        now, blind = quality.stamp, _CAN_TELL.get(quality.gate)
        if blind is None:
            return []
        if blind is (self._started is not None):
            self._turned = None
            if not blind or (self._reported and now.since(self._reported) < REPORT_S):
                return []
            return [self._activity(Phase.GOES_ON, now, quality.limit)]
        self._turned = self._turned or now
        if now.since(self._turned) < (BLIND_S if blind else SEES_S):
            return []
        turned, self._turned = self._turned, None
        if blind:
            self._started = turned
            return [self._activity(Phase.STARTED, now, quality.limit)]
        ended = self._activity(Phase.ENDED, turned, quality.limit)
        self._started = None
        return [ended]

    def _activity(self, phase: Phase, stamp: Stamp, limit: float) -> Activity:
        self._reported = stamp
        started = self._started or stamp
        detail = {"limit": round(limit, 1)}
        kind = ActivityKind.GATE_BLIND
        return Activity(kind, self._source, "", "", phase, started, stamp, detail)
