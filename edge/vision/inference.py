"""The one thread in which pictures are detected and other short CPU work is done."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.clock import Stamp
from edge.vision.detector import Detection, Detector
from edge.vision.picture import Pixels


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Waiting:
    frame: Pixels
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
        self.dropped: Counter[str] = Counter()  # pictures a camera that a newer one displaced
        self.detected: Counter[str] = Counter()
        self.failing_since: Stamp | None = None  # kept by the watchers, who share the detector
        self._thread = threading.Thread(target=self._work, name="inference")
        self._thread.start()

    @property
    def detecting(self) -> bool:
        """Whether there is a detector at all."""
        return self._detector is not None

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """Run short CPU work in the thread; it goes before waiting pictures."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        with self._changed:
            self._refuse_when_closed()
            self._jobs.append(_Job(lambda: work(*args), loop, future))
            self._changed.notify()
        return await future

    async def detect(self, camera: str, frame: Pixels) -> list[Detection] | None:
        """Detections in `frame`; None when a newer picture of that camera took its place.

        Raises:
            Refused: the model failed.
        """
        if self._detector is None:
            return None
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Detection] | None] = loop.create_future()
        with self._changed:
            self._refuse_when_closed()
            displaced = self._waiting.pop(camera, None)
            self._waiting[camera] = _Waiting(frame, loop, future)
            self._changed.notify()
        if displaced is not None:
            self.dropped[camera] += 1
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
        """All waiting pictures where the model takes several at once, else the oldest."""
        assert self._detector is not None
        if self._detector.batches:
            batch, self._waiting = self._waiting, {}
            return batch
        camera = next(iter(self._waiting))
        return {camera: self._waiting.pop(camera)}

    def _do(self, job: _Job) -> None:
        try:
            result = job.work()
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            _tell(job.loop, job.future, None, error)
        else:
            _tell(job.loop, job.future, result, None)

    def _detect(self, batch: dict[str, _Waiting]) -> None:
        assert self._detector is not None
        try:
            found = self._detector.detect([item.frame for item in batch.values()])
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            for item in batch.values():
                _tell(item.loop, item.future, None, error)
            return
        for (camera, item), detections in zip(batch.items(), found, strict=True):
            self.detected[camera] += 1
            _tell(item.loop, item.future, detections, None)


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
