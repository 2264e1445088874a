"""One camera, for ever: its process, the detector, the tracker, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import SystemRandom

import structlog

from edge.clock import Clock, Stamp
from edge.domain.loss import Loss, said
from edge.domain.observation import (
    Measures,
    Observation,
    PictureQuality,
    Quality,
    Sighting,
    SourceBack,
    SourceLost,
)
from edge.errors import Refused, SourceError
from edge.vision.camera.channel import (
    ClipMessage,
    FactsMessage,
    Message,
    PictureMessage,
    QualityMessage,
    Why,
)
from edge.vision.camera.commands import Command
from edge.vision.camera.gate import GateState
from edge.vision.camera.process import CameraProcess
from edge.vision.cameras import WAKE_S, Cameras
from edge.vision.detect.detector import Detection
from edge.vision.detect.inference import Inference
from edge.vision.detect.regions import Regions
from edge.vision.follow.track import Found
from edge.vision.follow.tracker import Tracker
from edge.vision.glimpse import Glimpses
from edge.vision.picture import Picture
from edge.vision.spec import CameraSpec
from edge.vision.stream.policy import in_words

FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 15.0
JITTER = 0.5  # of the wait: the share that chance may take off
STEADY_S = 10.0  # a stream that lasted this long deserves a quick return
DETECTOR = "detector"  # the source that is lost when inference fails
ATTENTION_S = 5.0  # how long pictures are wanted after something was last in view

Emit = Callable[[Observation, Picture | None], None]

log = structlog.get_logger(__name__)
_chance = SystemRandom().random


async def watch(
    camera: CameraSpec,
    *,
    inference: Inference,
    clock: Clock,
    emit: Emit,
    glimpses: Glimpses | None = None,
    cameras: Cameras | None = None,
    chance: Callable[[], float] = _chance,
) -> None:
    """Watch `camera` until cancelled.

    Emits a `Sighting` with its picture for every picture detected, a `PictureQuality` with
    the newest picture about once a second, `SourceLost` once when pictures stop, `SourceBack`
    once when they come again; and the same of the source `detector` when inference fails.
    """
    watcher = _Watcher(camera, inference, clock, emit, glimpses or Glimpses(), cameras or Cameras())
    backoff = FIRST_BACKOFF_S
    while True:
        begun = clock.now()
        try:
            await watcher.connection()
        except SourceError as error:
            watcher.lost(str(error))
        except Refused as error:
            watcher.lost(said(Loss.MISBEHAVES, error))
        if clock.now().since(begun) >= STEADY_S:
            backoff = FIRST_BACKOFF_S
        # After a power cut they must not all come back at once, nor in step for ever.
        await clock.sleep(backoff * (1 - JITTER * chance()))
        backoff = min(2 * backoff, MAX_BACKOFF_S)


class Attention:
    """Whether something is in view that may stand still, so that looking on is worth its cost."""

    def __init__(self) -> None:
        self._seen: Stamp | None = None

    def step(self, something: bool, now: Stamp) -> bool:
        if something:
            self._seen = now
        return self._seen is not None and now.since(self._seen) <= ATTENTION_S


def as_found(detections: Iterable[Detection], width: int, height: int) -> list[Found]:
    """Detections in fractions of the picture."""
    return [
        Found(
            item.label,
            item.score,
            (
                item.box[0] / width,
                item.box[1] / height,
                item.box[2] / width,
                item.box[3] / height,
            ),
            item.sure,
            item.likely,
        )
        for item in detections
    ]


def as_quality(
    source: str, stamp: Stamp, measures: Measures, gate: GateState, limit: float
) -> PictureQuality:
    """Measures, and how the gate is, as an observation."""
    return PictureQuality(source, stamp, Quality.GOOD, measures, gate.value, limit)


class _Watcher:
    def __init__(
        self,
        camera: CameraSpec,
        inference: Inference,
        clock: Clock,
        emit: Emit,
        glimpses: Glimpses,
        cameras: Cameras,
    ) -> None:
        self._camera = camera
        self._inference = inference
        self._clock = clock
        self._emit = emit
        self._glimpses = glimpses
        self._cameras = cameras
        self._lost_at: Stamp | None = None
        self._newest: Picture | None = None

    def lost(self, reason: str) -> None:
        if self._lost_at is not None:
            return
        self._lost_at = self._clock.now()
        self._newest = None
        log.warning("camera lost", camera=self._camera.code, reason=reason)
        self._emit(SourceLost(self._camera.code, self._lost_at, reason), None)

    def _back(self, now: Stamp) -> None:
        if self._lost_at is None:
            return
        lost_s = now.since(self._lost_at)
        self._lost_at = None
        log.info("camera back", camera=self._camera.code, lost_s=round(lost_s, 1))
        self._emit(SourceBack(self._camera.code, now, lost_s), None)

    def _detector_lost(self, reason: str) -> None:
        if self._inference.failing_since is not None:
            return
        now = self._inference.failing_since = self._clock.now()
        log.error("the detector fails", reason=reason)
        self._emit(SourceLost(DETECTOR, now, reason), None)

    def _detector_back(self) -> None:
        since = self._inference.failing_since
        if since is None:
            return
        self._inference.failing_since = None
        now = self._clock.now()
        self._emit(SourceBack(DETECTOR, now, now.since(since)), None)

    async def connection(self) -> None:
        """One connection, until it fails. Raises SourceError or Refused when it does."""
        camera = self._camera
        process = await CameraProcess.start(
            camera.access, camera.watch, self._inference, camera.masks
        )
        tracker, attention = Tracker(self._inference.totals), Attention()
        regions = Regions(*self._inference.input, [zone.polygon for zone in camera.zone])

        def wake() -> None:
            process.tell(Command.WAKE, WAKE_S)
            process.allow(attentive=True)

        try:
            with (
                self._glimpses.offered(camera.code, wake),
                self._cameras.connected(camera.code, process.tell),
            ):
                process.allow(attentive=False)
                while True:
                    message = await process.receive()
                    now = self._clock.now()
                    self._back(now)
                    if isinstance(message, PictureMessage):
                        await self._picture(message, now, tracker, regions)
                        busy = attention.step(tracker.restless, now)
                        wanted = self._glimpses.wanted(camera.code)
                        process.allow(attentive=busy or wanted)
                    else:
                        self._said(message, now)
        finally:
            process.end()

    def _said(self, message: Message, now: Stamp) -> None:
        code = self._camera.code
        match message:
            case QualityMessage(measures, gate, limit):
                self._emit(as_quality(code, now, measures, gate, limit), self._newest)
            case ClipMessage():
                self._cameras.clip_came(code, message)
            case FactsMessage(facts, policy):
                self._cameras.facts[code] = message
                log.info("how it is watched", camera=code, why=in_words(policy, facts).en)

    async def _picture(
        self, message: PictureMessage, now: Stamp, tracker: Tracker, regions: Regions
    ) -> None:
        stamp = now.moved(-message.age_s)
        if self._newest is not None and stamp.since(self._newest.stamp) < 0:
            stamp = self._newest.stamp  # it must not go back, whatever a process says
        self._newest = Picture(message.frame, stamp)
        self._glimpses.seen(self._camera.code, self._newest)
        await self._see(self._newest, message, tracker, regions)

    async def _see(
        self, picture: Picture, message: PictureMessage, tracker: Tracker, regions: Regions
    ) -> None:
        code, moving = self._camera.code, message.moving
        if not self._inference.detecting:
            self._emit(Sighting(code, picture.stamp, Quality.BAD, (), moving), picture)
            return
        height, width = picture.frame.shape[:2]
        allowed, t = self._inference.allowed, picture.stamp.mono_us / 1e6
        wanted = regions.plan((width, height), moving, tracker.boxes, t, allowed)
        try:
            detections = await self._inference.detect(code, picture.frame, wanted, moving)
        except Refused as error:
            self._detector_lost(str(error))
            self._emit(Sighting(code, picture.stamp, Quality.BAD, (), moving), picture)
            return
        if detections is None:
            return
        self._detector_back()
        fresh = not tracker.following
        objects = tracker.step(as_found(detections, width, height), picture.stamp)
        if fresh and detections and message.why is Why.LOOK_ANYWAY:
            log.info("seen by looking anyway, the gate was closed", camera=code)
        sighting = Sighting(code, picture.stamp, Quality.GOOD, objects, moving)
        self._emit(sighting, picture)
