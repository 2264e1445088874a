"""A clip through the product's own gate, detector, tracker, zones and rules, in simulated time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from benchmarks.visits_clip import within
from benchmarks.visits_stream import LazyStream
from edge.clock import Stamp
from edge.config import SealConfig, parse
from edge.domain.activity import Activity, Phase
from edge.domain.observation import Label, Observation, Sighting
from edge.domain.record import Draft, RecordType
from edge.rules.engine import initial
from edge.seal import Outcome, Seal
from edge.vision import playback

if TYPE_CHECKING:
    from benchmarks.visits_clip import Clip, Visit
    from edge.vision.detect.detector import Detection, Detector
    from edge.vision.picture import Picture, Pixels
    from simulators.cameras.scene import Scene

START = Stamp(1_780_272_000_000_000, 1_780_272_000_000_000, "bench")
EARLY_S, LATE_S = 1.0, 2.0  # an alarm for a visit comes from just before its begin to after its end
SURE = 0.4  # score from which the detector is said to have named a person
SOUGHT = frozenset({"person-at-shaft", "unnamed-motion"})


@dataclass(frozen=True, slots=True)
class Opened:
    """An incident was opened `t` seconds into the clip."""

    t: float
    code: str


@dataclass(slots=True)
class Played:
    """What became of a clip.

    Attributes:
        opened: incidents.
        people: seconds at which the detector named somebody, anywhere.
        told: seconds of each sighting, and whether the tracker told a person in the zone.
        asked: pictures decoded.
        detected: pictures given to the detector (as often as it was called for them).
    """

    opened: list[Opened] = field(default_factory=list)
    people: list[float] = field(default_factory=list)
    told: list[tuple[float, bool]] = field(default_factory=list)
    active: list[float] = field(default_factory=list)
    asked: int = 0
    detected: int = 0


class Noted:
    """A detector that counts, and whose findings are kept with the time of the picture."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.batches = detector.batches
        self.calls = 0
        self.named = False

    def detect(self, pictures: list[Pixels]) -> list[list[Detection]]:
        self.calls += len(pictures)
        found = self._detector.detect(pictures)
        self.named |= any(
            item.label is Label.PERSON and item.score >= SURE for items in found for item in items
        )
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._detector, name)


def site(scene: Scene) -> SealConfig:
    """An idle mine with one camera that watches the mouth."""
    zone = {"code": "mouth", "kind": "shaft-mouth", "polygon": scene.zone("shaft-mouth")}
    camera = {"code": "shaft-cam", "url": "rtsp://127.0.0.1/shaft", "zone": [zone]}
    return parse(
        {
            "site": {"mine_code": "220182000001", "gateway": "bench", "state": "suspended"},
            "storage": {"dir": "/nowhere"},
            "camera": [camera],
            "broker": [{"host": "127.0.0.1"}],
        }
    )


def run(clip: Clip, detector: Detector) -> Played:
    """Play the clip through the product."""
    noted, stream = Noted(detector), LazyStream(clip.scene)
    config = site(clip.scene)
    played = Played()
    watched = playback.follow(
        stream.pictures(clip.seconds), config.camera[0], cast("Detector", noted), START
    )
    judge(config, clip.scene, watched, played, noted)
    played.asked, played.detected = stream.asked, noted.calls
    return played


def judge(
    config: SealConfig,
    scene: Scene,
    observations: Iterator[tuple[Observation, Picture | None]],
    played: Played,
    noted: Noted,
) -> None:
    """Let the seal judge observations as the recorder would, and note what it says."""
    seal, zone = Seal(config, initial(config.site.state)), scene.zone("shaft-mouth")
    previous: Stamp | None = None

    def settle(outcome: Outcome, now: Stamp) -> None:
        _note(played, outcome.facts, now)
        for activity in outcome.activities:
            _note_active(played, activity, now)
            _note(played, seal.judge(activity, now), now)

    for observation, _ in observations:
        now = observation.stamp
        if previous is not None:
            for moment in _moments(previous, now):
                settle(seal.tick(moment), moment)
        previous = now
        if isinstance(observation, Sighting):
            t = now.since(START)
            inner = any(
                item.label is Label.PERSON and within(_foot(item.box), zone)
                for item in observation.objects
            )
            played.told.append((t, inner))
            if noted.named:
                played.people.append(t)
            noted.named = False
        settle(seal.observe(observation), now)


def _foot(box: tuple[float, float, float, float]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, box[3]


def _note(played: Played, drafts: list[Draft], now: Stamp) -> None:
    for draft in drafts:
        if draft.type is RecordType.INCIDENT_OPENED:
            played.opened.append(Opened(now.since(START), str(draft.data["code"])))


def _note_active(played: Played, activity: Activity, now: Stamp) -> None:
    if activity.phase is Phase.STARTED and activity.place == "mouth":
        played.active.append(now.since(START))


def _moments(previous: Stamp, now: Stamp) -> Iterator[Stamp]:
    """Time passes for the seal at least once a second."""
    gap_us = now.wall_us - previous.wall_us
    ticks = max(1, math.ceil(gap_us / 1e6))
    for number in range(1, ticks + 1):
        step = gap_us * number // ticks
        yield Stamp(previous.wall_us + step, previous.mono_us + step, previous.boot)


def found(visit: Visit, played: Played) -> Opened | None:
    """The first incident that belongs to the visit."""
    for opened in played.opened:
        within = visit.begin - EARLY_S <= opened.t <= visit.end + LATE_S
        if within and opened.code in SOUGHT:
            return opened
    return None


def why_missed(visit: Visit, played: Played) -> str:
    """Where the visit was lost: the first of gate, detector, tracker, zone, rule that failed."""

    def during(moments: list[float]) -> int:
        return sum(visit.begin - EARLY_S <= t <= visit.end + LATE_S for t in moments)

    pictures = during([t for t, _ in played.told])
    named, inner = during(played.people), during([t for t, inner in played.told if inner])
    facts = f"{pictures} pictures, {named} with a person, {inner} told in the zone"
    if pictures < 3:
        return f"gate ({facts})"
    if named < 2:
        return f"detector ({facts})"
    if inner < 2:
        return f"tracker ({facts})"
    return f"{'rule' if during(played.active) else 'zone'} ({facts})"
