"""Observations: immutable facts from one source, each with a stamp and a quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge.clock import Stamp


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
    """One sweep of one meter.

    `values` maps quantity to engineering value: `power_kw`, `energy_import_kwh`,
    `energy_export_kwh`, `voltage_l1_v`, `current_l1_a`, `power_factor`, `frequency_hz`,
    `ct_ratio`, `pt_ratio`. A quantity whose register held a NaN sentinel is absent.
    """

    source: str
    stamp: Stamp
    quality: Quality
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SeenObject:
    """A tracked thing in one picture.

    Attributes:
        track: its number, the same as long as it is followed.
        label: what the detector names it.
        score: the detector's, 0..1.
        box: x1, y1, x2, y2 as fractions of the picture.
        still_s: for how long it has stayed where it is.
    """

    track: int
    label: Label
    score: float
    box: tuple[float, float, float, float]
    still_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the detector and the tracker see in one picture; empty when they see nothing."""

    source: str
    stamp: Stamp
    quality: Quality
    objects: tuple[SeenObject, ...]


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of one picture. A new measure is a line here and one in `RANGES`.

    Attributes:
        brightness: mean luma, 0..255.
        contrast: standard deviation of luma.
        sharpness: variance of the Laplacian of luma.
        similarity: correlation with the reference picture's edges, -1..1; 1 without a reference.
        still_s: seconds since two pictures last differed at all, sensor noise included.
    """

    brightness: float
    contrast: float
    sharpness: float
    similarity: float
    still_s: float


RANGES: Mapping[str, tuple[float, float]] = {
    "brightness": (0, 255),
    "contrast": (0, 255),
    "sharpness": (0, 1e7),
    "similarity": (-1.001, 1.001),
    "still_s": (0, 1e9),
}
"""What a measure can be; a process that says anything else is not believed."""


@dataclass(frozen=True, slots=True)
class PictureQuality:
    """Measures of one picture, taken about once a second."""

    source: str
    stamp: Stamp
    quality: Quality
    measures: Measures


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


Observation = (
    Reading
    | Sighting
    | PictureQuality
    | ContactChange
    | SourceLost
    | SourceBack
    | ClockStepped
    | StorageSpace
    | ClockCompared
    | SessionTaken
)
