"""Observations: immutable facts from one source, each with a stamp and a quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge.clock import Stamp
from edge.domain.activity import EvidenceRef


class Quality(StrEnum):
    """How far an observation can be trusted."""

    GOOD = "good"
    UNCERTAIN = "uncertain"  # taken, but implausible or incomplete
    BAD = "bad"  # not to be used as a figure


class Label(StrEnum):
    """What the detector names."""

    PERSON = "person"
    VEHICLE = "vehicle"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one meter in one sweep.

    `values` maps quantity to engineering value: `power_kw` (signed as the meter tells it),
    `power_l1_kw`, `power_l2_kw`, `power_l3_kw`, `energy_import_kwh`, `energy_export_kwh`,
    `voltage_l1_v`, `current_l1_a`, `power_factor`, `frequency_hz`, `ct_ratio`, `pt_ratio`.
    A quantity whose register held a NaN sentinel is absent; so are energies and ratios in most
    sweeps, for they are read about once a minute. `serial` is the meter's serial number where
    it was read in this sweep, else empty.
    """

    source: str
    stamp: Stamp
    quality: Quality
    values: Mapping[str, float]
    serial: str = ""


@dataclass(frozen=True, slots=True)
class MeterHistory:
    """What a meter kept of a day on which it was not read.

    Attributes:
        source: the meter.
        stamp: when it was read.
        frozen: date and hour by the meter's own clock, ISO 8601 without a zone.
        energy_kwh: what it kept; a counter or a day's use, as the meter means it.
    """

    source: str
    stamp: Stamp
    frozen: str
    energy_kwh: float
    quality: Quality = Quality.GOOD


Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 as fractions of the picture."""


@dataclass(frozen=True, slots=True)
class SeenObject:
    """A tracked thing in one picture.

    Attributes:
        track: its number, the same as long as it is followed.
        label: what the detector names it.
        score: the detector's, 0..1.
        box: x1, y1, x2, y2 as fractions of the picture.
        still_s: for how long it has stayed where it is.
        foot: where it stands; None is the middle of the box's lower edge.
    """

    track: int
    label: Label
    score: float
    box: tuple[float, float, float, float]
    still_s: float = 0.0
    foot: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the detector and the tracker see in one picture; empty when they see nothing.

    Attributes:
        source: the camera.
        stamp: when the picture came.
        quality: BAD where no detector looked: then the objects say nothing, what moves does.
        objects: what is seen.
        moving: what the gate saw move, named or not, largest first.
    """

    source: str
    stamp: Stamp
    quality: Quality
    objects: tuple[SeenObject, ...]
    moving: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of one picture. A new measure is a line here and one in `RANGES`.

    Attributes:
        brightness: mean luma, 0..255.
        contrast: standard deviation of luma.
        sharpness: variance of the Laplacian of luma.
        still_s: seconds since two pictures last differed as a live sensor's do.
        dark: share of the picture that is nearly black, 0..1.
        bright: share of the picture that is nearly white.
        shift_px: how far the whole picture moved since the measures before, at 320 pixels' width.
        width: of the picture as the camera sends it, pixels.
        height: of the picture as the camera sends it.
        repeats: how many looks of the last five minutes were seen before, all the same time before.
        repeat_lag_s: how long before; 0 without any.
        clock_s: second of the day that the clock in the picture shows; -1 where none can be read,
            -2 while it is learned.
        clock_date: the eight digits before it, as a number; 0 where there are none.
        sketch: what is compared with the reference (edge/vision/tamper/sketch.py); empty without.
    """

    brightness: float
    contrast: float
    sharpness: float
    still_s: float
    dark: float = 0.0
    bright: float = 0.0
    shift_px: float = 0.0
    width: float = 0.0
    height: float = 0.0
    repeats: float = 0.0
    repeat_lag_s: float = 0.0
    clock_s: float = -2.0
    clock_date: float = 0.0
    sketch: bytes = b""


RANGES: Mapping[str, tuple[float, float]] = {
    "brightness": (0, 255),
    "contrast": (0, 255),
    "sharpness": (0, 1e7),
    "still_s": (0, 1e9),
    "dark": (0, 1.001),
    "bright": (0, 1.001),
    "shift_px": (0, 1000),
    "width": (0, 16384),
    "height": (0, 16384),
    "repeats": (0, 1e6),
    "repeat_lag_s": (0, 1e6),
    "clock_s": (-2, 86_399),
    "clock_date": (0, 99_999_999),
}
"""What a measure can be; a process that says anything else is not believed."""


@dataclass(frozen=True, slots=True)
class PictureQuality:
    """Measures of one picture, taken about once a second.

    Attributes:
        source: the camera.
        stamp: when the picture came.
        quality: whether the measures count.
        measures: of the picture.
        gate: the motion gate's state (open, quiet, calibrating, blind); empty where there is none.
        limit: grey levels that a typical pixel must differ by to count as moving.
    """

    source: str
    stamp: Stamp
    quality: Quality
    measures: Measures
    gate: str = ""
    limit: float = 0.0


@dataclass(frozen=True, slots=True)
class ContactChange:
    """A digital input took this state. The first reading after start is a change too."""

    source: str
    stamp: Stamp
    quality: Quality
    closed: bool


@dataclass(frozen=True, slots=True)
class SourceLost:
    """A source stopped answering; said once until `SourceBack`."""

    source: str
    stamp: Stamp
    reason: str
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class SourceBack:
    """A lost source answers again."""

    source: str
    stamp: Stamp
    lost_s: float
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The wall clock moved against monotonic time by `step_s` seconds (signed)."""

    source: str
    stamp: Stamp
    step_s: float
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class ClockCompared:
    """A receipt told the province's time: our wall clock is ahead of it by this much.

    Receipts travel, so it is known between two bounds only, seconds, signed. `least_s` is None
    when it is not known how long the receipt was under way.
    """

    source: str
    stamp: Stamp
    least_s: float | None
    most_s: float
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class StorageSpace:
    """How much room records and evidence have, in MB (1,000,000 bytes).

    Attributes:
        used_mb: taken by the ledger and the evidence.
        free_mb: left on the file-system.
        low: retention does not find enough to let go.
    """

    source: str
    stamp: Stamp
    used_mb: float
    free_mb: float
    low: bool
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class SessionTaken:
    """Another client has taken over our session at a broker, for the `times`-th time.

    With `times` 0 ours has lasted long enough since.
    """

    source: str
    stamp: Stamp
    broker: str
    times: int
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class ChallengeRun:
    """A lamp showed a pattern of chance; this camera's pictures followed it, or did not.

    Attributes:
        source: the camera.
        lamp: code of the challenge.
        seen: the pictures followed.
        pattern: what the lamp showed, `0` off and `1` on.
        levels: how bright its box was then, against the rest of the picture, grey levels.
        step: by how much lit is brighter than dark.
        runs: patterns that were shown; all but the last were not followed.
        evidence: pictures of before and of the lamp lit.
    """

    source: str
    stamp: Stamp
    lamp: str
    seen: bool
    pattern: str
    levels: tuple[float, ...]
    step: float
    runs: int
    evidence: tuple[EvidenceRef, ...] = ()
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class ReferenceAsked:
    """Somebody at the gateway wants a camera's reference taken anew."""

    source: str
    stamp: Stamp
    quality: Quality = Quality.GOOD


Observation = (
    Reading
    | MeterHistory
    | Sighting
    | PictureQuality
    | ContactChange
    | SourceLost
    | SourceBack
    | ClockStepped
    | StorageSpace
    | ClockCompared
    | SessionTaken
    | ChallengeRun
    | ReferenceAsked
)
