"""The one thread in which pictures are detected and other short CPU work is done."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge.clock import Stamp
from edge.domain.observation import Box
from edge.vision.camera.eye import PICTURE_S
from edge.vision.detect.detector import NO_INPUT, Detection, Detector
from edge.vision.detect.regions import MAX_REGIONS, Region, merge
from edge.vision.picture import Pixels

MAX_BATCH = 8  # regions given to a model at once
SHARE = 0.6  # of its thread that detection may take while cameras ask for more than one region
BUSY_S = 1.0  # a camera that asked within this time is busy
_STEADY = 0.1  # weight of the newest measure of how long a region takes


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Waiting:
    frame: Pixels
    regions: Sequence[Region]
    moving: Sequence[Box]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[list[Detection] | None]


class Inference:
    """Latest wins: one picture a camera waits at most; a newer one takes its place.

    Works without a detector too: then `detect` finds nothing out and says None.
    """

    def __init__(self, detector: Detector | None) -> None:
        self._detector = detector
        self._jobs: deque[_Job] = deque()
        self._waiting: dict[str, _Waiting] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._asked: dict[str, float] = {}  # when each camera asked last
        self._region_s = 0.0  # what a region takes
        self.dropped: Counter[str] = Counter()  # pictures a camera that a newer one displaced
        self.totals: Counter[str] = Counter()  # the same of all cameras, where it is shown
        self.detected: Counter[str] = Counter()
        self.failing_since: Stamp | None = None  # kept by the watchers, who share the detector
        self._thread = threading.Thread(target=self._work, name="inference")
        self._thread.start()

    @property
    def detecting(self) -> bool:
        """Whether there is a detector at all."""
        return self._detector is not None

    @property
    def input(self) -> tuple[int, int]:
        """Width and height of the detector's input."""
        return self._detector.input if self._detector is not None else NO_INPUT

    @property
    def region_ms(self) -> float:
        """What detection in one region takes, milliseconds."""
        return 1000 * self._region_s

    @property
    def allowed(self) -> int:
        """In how many regions of its next picture a camera may look: fair between busy ones."""
        now = time.monotonic()
        busy = sum(now - asked <= BUSY_S for asked in self._asked.values())
        share_s = SHARE * PICTURE_S / max(1, busy)
        if self._region_s * MAX_REGIONS <= share_s:
            return MAX_REGIONS
        return max(1, int(share_s / self._region_s))

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """Run short CPU work in the thread; it goes before waiting pictures."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        with self._changed:
            self._refuse_when_closed()
            self._jobs.append(_Job(lambda: work(*args), loop, future))
            self._changed.notify()
        return await future

    async def detect(
        self, camera: str, frame: Pixels, regions: Sequence[Region], moving: Sequence[Box] = ()
    ) -> list[Detection] | None:
        """Detections in regions of `frame`; None when a newer picture took its place.

        Args:
            camera: whose picture it is.
            frame: the picture.
            regions: where to look; one at least.
            moving: what moves in it, fractions of the picture.

        Raises:
            Refused: the model failed.
        """
        if self._detector is None:
            return None
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Detection] | None] = loop.create_future()
        with self._changed:
            self._refuse_when_closed()
            self._asked[camera] = time.monotonic()
            displaced = self._waiting.get(camera)
            # In the other's place: who asks often does not lose its turn.
            self._waiting[camera] = _Waiting(frame, regions, moving, loop, future)
            self._changed.notify()
        if displaced is not None:
            self.dropped[camera] += 1
            self.totals["pictures"] += 1
            _tell(displaced.loop, displaced.future, None, None)
        return await future

    def close(self) -> None:
        """Finish the piece of work in hand, cancel what waits, and join the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()
        left: list[_Job | _Waiting] = [*self._jobs, *self._waiting.values()]
        for item in left:
            with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits
                item.loop.call_soon_threadsafe(item.future.cancel)
        self._jobs.clear()
        self._waiting.clear()

    def _refuse_when_closed(self) -> None:
        if self._stopping:
            raise RuntimeError("inference is closed")

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._jobs or self._waiting)
                if self._stopping:
                    return
                job = self._jobs.popleft() if self._jobs else None
                batch = {} if job else self._take()
            if job is not None:
                self._do(job)
            else:
                self._detect(batch)

    def _take(self) -> dict[str, _Waiting]:
        """The oldest waiting picture, and others besides where the model takes several at once."""
        assert self._detector is not None
        batch: dict[str, _Waiting] = {}
        regions = 0
        for camera, item in list(self._waiting.items()):
            regions += len(item.regions)
            if batch and (not self._detector.batches or regions > MAX_BATCH):
                break
            batch[camera] = self._waiting.pop(camera)
        return batch

    def _do(self, job: _Job) -> None:
        try:
            result = job.work()
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            _tell(job.loop, job.future, None, error)
        else:
            _tell(job.loop, job.future, result, None)

    def _detect(self, batch: dict[str, _Waiting]) -> None:
        assert self._detector is not None
        cuts = [region.cut(item.frame) for item in batch.values() for region in item.regions]
        begun = time.monotonic()
        try:
            found = iter(self._detector.detect(cuts))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            for item in batch.values():
                _tell(item.loop, item.future, None, error)
            return
        took_s = (time.monotonic() - begun) / max(1, len(cuts))
        self._region_s += (_STEADY if self._region_s else 1.0) * (took_s - self._region_s)
        for camera, item in batch.items():
            self.detected[camera] += 1
            looks = [(region, next(found)) for region in item.regions]
            size = item.frame.shape[1], item.frame.shape[0]
            _tell(item.loop, item.future, merge(looks, size, item.moving), None)


def _tell(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[Any],
    result: Any,
    error: Exception | None,
) -> None:
    def settle() -> None:
        if future.done():  # whoever asked has been cancelled meanwhile
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits
        loop.call_soon_threadsafe(settle)
