from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest

from edge.domain.observation import Label
from edge.errors import Refused
from edge.vision.detect.detector import Detection, Detector
from edge.vision.detect.inference import Inference
from edge.vision.detect.regions import MAX_REGIONS, Region
from edge.vision.picture import Pixels

FOUND = Detection(Label.PERSON, 0.9, (0, 0, 1, 1))


class _Slow:
    """A detector that waits until it may; remembers what it was shown."""

    def __init__(self, *, batches: bool = False) -> None:
        self.batches = batches
        self.input = (2, 2)
        self.may = threading.Event()
        self.shown: list[list[int]] = []

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        self.may.wait(10)
        self.shown.append([int(picture[0, 0, 0]) for picture in pictures])
        if self.shown[-1] == [99]:
            raise Refused("fails when run")
        return [[FOUND] for _ in pictures]


ALL = [Region(0, 0, 2, 2)]


def _inference(detector: Any) -> Inference:
    return Inference(cast("Detector | None", detector))


def _frame(value: int) -> Pixels:
    return np.full((2, 2, 3), value, np.uint8)


async def test_a_newer_picture_displaces_the_waiting_one_of_its_camera_and_is_counted():
    slow = _Slow()
    inference = _inference(slow)
    try:
        first = asyncio.create_task(inference.detect("a", _frame(1), ALL))
        await asyncio.sleep(0.05)  # it is in the detector now
        waiting = asyncio.create_task(inference.detect("a", _frame(2), ALL))
        other = asyncio.create_task(inference.detect("b", _frame(3), ALL))
        await asyncio.sleep(0)
        newer = asyncio.create_task(inference.detect("a", _frame(4), ALL))
        await asyncio.sleep(0)
        assert await waiting is None
        slow.may.set()
        assert await first == await other == await newer == [FOUND]
    finally:
        slow.may.set()
        inference.close()
    assert slow.shown == [[1], [4], [3]]  # in its place: who asks often does not lose its turn
    assert inference.dropped == {"a": 1}
    assert inference.totals == {"pictures": 1}
    assert inference.detected == {"a": 2, "b": 1}


async def test_a_model_that_takes_several_gets_all_that_wait():
    slow = _Slow(batches=True)
    inference = _inference(slow)
    try:
        tasks = [asyncio.create_task(inference.detect("a", _frame(1), ALL))]
        await asyncio.sleep(0.05)
        tasks += [asyncio.create_task(inference.detect(c, _frame(2), ALL)) for c in "bcd"]
        await asyncio.sleep(0)
        slow.may.set()
        assert await asyncio.gather(*tasks) == [[FOUND]] * 4
    finally:
        inference.close()
    assert slow.shown == [[1], [2, 2, 2]]


async def test_other_work_runs_in_the_one_thread_before_waiting_pictures():
    slow = _Slow()
    inference = _inference(slow)
    try:
        first = asyncio.create_task(inference.detect("a", _frame(1), ALL))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(inference.detect("b", _frame(2), ALL))
        work = asyncio.create_task(inference.run(lambda: len(slow.shown)))
        await asyncio.sleep(0)
        slow.may.set()
        assert await work == 1
        await asyncio.gather(first, second)
        name = await inference.run(lambda: threading.current_thread().name)
        assert name == "inference"
    finally:
        inference.close()


async def test_without_a_detector_pictures_find_nothing_out_and_work_is_done():
    inference = Inference(None)
    try:
        assert not inference.detecting
        assert await inference.detect("a", _frame(1), ALL) is None
        assert await inference.run(pow, 2, 10) == 1024
    finally:
        inference.close()


async def test_an_error_goes_to_whoever_asked_and_the_thread_works_on():
    slow = _Slow()
    slow.may.set()
    inference = _inference(slow)
    try:
        with pytest.raises(Refused):
            await inference.detect("a", _frame(99), ALL)
        with pytest.raises(ZeroDivisionError):
            await inference.run(divmod, 1, 0)
        assert await inference.detect("a", _frame(1), ALL) == [FOUND]
    finally:
        inference.close()


async def test_closing_cancels_what_waits_and_leaves_no_thread():
    slow = _Slow()
    inference = _inference(slow)
    tasks = [asyncio.create_task(inference.detect("a", _frame(1), ALL))]
    await asyncio.sleep(0.05)
    tasks += [
        asyncio.create_task(inference.detect("b", _frame(2), ALL)),
        asyncio.create_task(inference.run(int)),
    ]
    await asyncio.sleep(0)
    slow.may.set()
    inference.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[0] == [FOUND]
    assert all(isinstance(result, asyncio.CancelledError) for result in results[1:])
    assert "inference" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError):
        await inference.run(int)


async def test_whoever_stops_waiting_does_no_harm():
    slow = _Slow()
    inference = _inference(slow)
    try:
        first = asyncio.create_task(inference.detect("a", _frame(1), ALL))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        slow.may.set()
        assert await inference.detect("a", _frame(2), ALL) == [FOUND]
    finally:
        inference.close()


def test_closing_after_the_loop_has_gone_does_no_harm():
    slow = _Slow()
    inference = _inference(slow)

    async def ask() -> None:
        for _ in range(2):
            task = asyncio.create_task(inference.detect("a", _frame(1), ALL))
            await asyncio.sleep(0.05)
            task.cancel()

    asyncio.run(ask())
    slow.may.set()
    inference.close()


async def test_busy_cameras_share_the_time_and_one_region_a_picture_is_always_allowed():
    slow = _Slow()
    slow.may.set()
    inference = _inference(slow)
    try:
        assert inference.allowed == MAX_REGIONS
        await inference.detect("a", _frame(1), ALL)
        inference._region_s = 0.05
        assert inference.allowed == 2
        await inference.detect("b", _frame(1), ALL)
        assert inference.allowed == 1
        inference._region_s = 5.0
        assert inference.allowed == 1
        assert inference.region_ms == 5000
        assert inference.input == (2, 2)
    finally:
        inference.close()
