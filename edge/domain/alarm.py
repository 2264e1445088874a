"""Alarms: what an incident can be called, and how grave it is; `catalogue/` lists them.

Levels are configuration (1 red … 4 blue); those here are the defaults. `analysis_case` is the
field code met on regional platforms, so that a platform-side adapter is a lookup.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.domain.activity import ActivityKind
from edge.domain.names import Name


class AlarmCode(StrEnum):
    """Stable codes of incidents; never reused for another meaning."""

    PERSON_AT_SHAFT = "person-at-shaft"
    VEHICLE_AT_GATE = "vehicle-at-gate"
    VEHICLE_AT_SHAFT = "vehicle-at-shaft"
    PRODUCTION_LOAD = "production-load"
    PUMP_UNLIKE = "pump-unlike"
    RESIDUAL_LOAD = "residual-load"
    UNEXPLAINED_LOAD = "unexplained-load"
    SHARE_RISEN = "share-risen"
    DAY_LIKE_PRODUCTION = "day-like-production"
    CAMERA_LOST = "camera-lost"
    CAMERA_COVERED = "camera-covered"
    CAMERA_FROZEN = "camera-frozen"
    CAMERA_MOVED = "camera-moved"
    CAMERA_BLURRED = "camera-blurred"
    CAMERA_DARK = "camera-dark"
    CAMERA_OVEREXPOSED = "camera-overexposed"
    CAMERA_SHAKING = "camera-shaking"
    CAMERA_RESIZED = "camera-resized"
    CAMERA_SWAPPED = "camera-swapped"
    CAMERA_REPLAYED = "camera-replayed"
    CAMERA_STILL_PHOTO = "camera-still-photo"
    CAMERA_WITHOUT_DAYLIGHT = "camera-without-daylight"
    CAMERA_CLOCK_WRONG = "camera-clock-wrong"
    CHALLENGE_FAILED = "challenge-failed"
    UNNAMED_MOTION = "unnamed-motion"
    GATE_BLIND = "gate-blind"
    METER_LOST = "meter-lost"
    CONTACT_LOST = "contact-lost"
    DETECTOR_LOST = "detector-lost"
    CONTACT_OPEN = "contact-open"
    METER_GAP = "meter-gap"
    METER_FROZEN = "meter-frozen"
    METER_REVERSED = "meter-reversed"
    METER_PHASE_LOST = "meter-phase-lost"
    METER_UNBALANCED = "meter-unbalanced"
    METER_SPIKE = "meter-spike"
    METER_ENERGY_MISMATCH = "meter-energy-mismatch"
    METER_ENERGY_SET_BACK = "meter-energy-set-back"
    METER_RATIO_CHANGED = "meter-ratio-changed"
    METER_CHANGED = "meter-changed"
    METERS_SWAPPED = "meters-swapped"
    METER_TOO_PERFECT = "meter-too-perfect"
    METER_VOLTAGE_GONE = "meter-voltage-gone"
    CLOCK_STEPPED = "clock-stepped"
    STORAGE_LOW = "storage-low"
    CLOCK_WRONG = "clock-wrong"
    LEDGER_ROLLED_BACK = "ledger-rolled-back"
    LEDGER_DAMAGED = "ledger-damaged"
    SESSION_TAKEN = "session-taken"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One line of the catalogue.

    Attributes:
        code: what records call it.
        kind: the activity that raises it.
        name: what a list shows.
        because: the sentence that explains it; may name `{source}`, `{place}`, `{aspect}`
            and any figure of the activity's detail.
        level: 1 red … 4 blue.
        analysis_case: code of the picture fault on regional platforms, if it has one.
    """

    code: AlarmCode
    kind: ActivityKind
    name: Name
    because: Name
    level: int
    analysis_case: str = ""
