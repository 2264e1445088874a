"""Activities: intervals that analysers derive from observations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from edge.clock import Stamp


class ActivityKind(StrEnum):
    """Every kind of activity. A rule names the kinds it judges."""

    PERSON_IN_ZONE = "person-in-zone"
    VEHICLE_IN_ZONE = "vehicle-in-zone"
    LINE_CROSSED = "line-crossed"
    LOAD_RUNNING = "load-running"
    PUMP_UNLIKE = "pump-unlike"
    RESIDUAL_LOAD = "residual-load"
    UNEXPLAINED_LOAD = "unexplained-load"
    SHARE_RISEN = "share-risen"
    DAY_LIKE_PRODUCTION = "day-like-production"
    CONTACT_OPEN = "contact-open"
    PICTURE_COVERED = "picture-covered"
    PICTURE_FROZEN = "picture-frozen"
    PICTURE_MOVED = "picture-moved"
    PICTURE_BLURRED = "picture-blurred"
    PICTURE_DARK = "picture-dark"
    PICTURE_OVEREXPOSED = "picture-overexposed"
    PICTURE_SHAKING = "picture-shaking"
    PICTURE_RESIZED = "picture-resized"
    PICTURE_SWAPPED = "picture-swapped"
    PICTURE_REPLAYED = "picture-replayed"
    PICTURE_STILL_PHOTO = "picture-still-photo"
    PICTURE_WITHOUT_DAYLIGHT = "picture-without-daylight"
    PICTURE_CLOCK_WRONG = "picture-clock-wrong"
    CHALLENGE_FAILED = "challenge-failed"
    UNNAMED_MOTION = "unnamed-motion"
    GATE_BLIND = "gate-blind"
    CAMERA_LOST = "camera-lost"
    METER_LOST = "meter-lost"
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
    CONTACT_LOST = "contact-lost"
    DETECTOR_LOST = "detector-lost"
    CLOCK_STEPPED = "clock-stepped"
    STORAGE_LOW = "storage-low"
    CLOCK_WRONG = "clock-wrong"
    LEDGER_ROLLED_BACK = "ledger-rolled-back"
    LEDGER_DAMAGED = "ledger-damaged"
    SESSION_TAKEN = "session-taken"


class Phase(StrEnum):
    """Where in its interval an activity is."""

    STARTED = "started"
    GOES_ON = "goes-on"
    ENDED = "ended"


class ZoneKind(StrEnum):
    """What a camera's polygon watches; rules judge by it."""

    SHAFT_MOUTH = "shaft-mouth"
    GATE = "gate"
    YARD = "yard"


class Duty(StrEnum):
    """What a feeder is for. `PRODUCTION` lists those that only a working mine runs."""

    INCOMING = "incoming"
    FAN = "fan"
    PUMP = "pump"
    HOIST = "hoist"
    BELT = "belt"
    COMPRESSOR = "compressor"
    FACE = "face"
    LIVING = "living"
    OTHER = "other"


DIRECTION_CODES = {"in": "01", "out": "02"}
"""Field codes of regional platforms for a directed line's crossing, by the activity's aspect."""

PRODUCTION_DUTIES = frozenset({Duty.HOIST, Duty.BELT, Duty.COMPRESSOR, Duty.FACE})


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """A file named by its SHA-256 (hex)."""

    sha256: str
    media_type: str
    size: int
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """One report about an activity: it started, goes on, or ended.

    Attributes:
        kind: what goes on.
        source: code of the meter, camera, contact or `host`.
        place: zone or line code within a camera; empty otherwise.
        aspect: what the rules need of the place: zone kind, line direction, or feeder duty.
        phase: started, goes on, ended.
        started: when the activity began (not when it was confirmed).
        stamp: the moment this report speaks of; on `ENDED`, when it ceased.
        detail: figures that explain it (`kw`, `score`, `count`, …), JSON scalars.
        evidence: files that show it.
    """

    kind: ActivityKind
    source: str
    place: str
    aspect: str
    phase: Phase
    started: Stamp
    stamp: Stamp
    detail: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    evidence: tuple[EvidenceRef, ...] = ()

    @property
    def key(self) -> tuple[ActivityKind, str, str]:
        """Names the ongoing thing: two reports with one key are one activity."""
        return (self.kind, self.source, self.place)


def evidence_data(ref: EvidenceRef) -> dict[str, Any]:
    """A reference as the JSON data of a record."""
    return {
        "sha256": ref.sha256,
        "media_type": ref.media_type,
        "size": ref.size,
        "caption": ref.caption,
    }


def activity_data(activity: Activity) -> dict[str, Any]:
    """An activity as the JSON data of a record."""
    data: dict[str, Any] = {
        "kind": activity.kind.value,
        "source": activity.source,
        "place": activity.place,
        "aspect": activity.aspect,
        "phase": activity.phase.value,
        "started": activity.started.iso(),
        "stamp": activity.stamp.iso(),
        "detail": dict(activity.detail),
        "evidence": [evidence_data(ref) for ref in activity.evidence],
    }
    if activity.aspect in DIRECTION_CODES:
        data["direction"] = DIRECTION_CODES[activity.aspect]
    return data
