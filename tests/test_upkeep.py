"""Space is looked at, told, and kept by sweeps that never overlap."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import cast

import pytest

from edge.clock import ManualClock
from edge.domain.observation import StorageSpace
from edge.errors import LedgerCorrupt, StorageFull
from edge.ledger.policy import Policy, Space
from edge.ledger.store import Ledger
from edge.upkeep import LOOK_S, SWEEP_S, TIGHT_SWEEP_S, keep_storage

POLICY = Policy(budget=1_000_000_000, reserve=100_000_000)
ROOM = Space(10_000_000, 900_000_000, POLICY)
LOW = Space(10_000_000, 60_000_000, POLICY)
NEARLY_FULL = Space(10_000_000, 20_000_000, POLICY)
_GONE = StorageFull("gone")


class Store:
    """A ledger of which only the room matters; each look takes the next answer, then the last."""

    def __init__(self, *looks) -> None:
        self.looks = deque(looks)
        self.sweeps: list[Future[Space]] = []
        self.answer: Space | Exception | None = ROOM

    def space(self, _policy):
        look = self.looks.popleft() if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return look

    def sweep(self, _policy):
        future: Future[Space] = Future()
        if isinstance(self.answer, Exception):
            future.set_exception(self.answer)
        elif self.answer is not None:
            future.set_result(self.answer)
        self.sweeps.append(future)
        return future


async def work(store, looks):
    """Let it look so many times; what was observed, and what was said of shedding."""
    clock = ManualClock()
    told: list[StorageSpace] = []
    shed: list[bool] = []
    left = looks

    class Pacing(ManualClock):
        async def sleep(self, seconds):
            nonlocal left
            left -= 1
            if not left:
                raise asyncio.CancelledError
            clock.advance(seconds)

        def now(self):
            return clock.now()

    with pytest.raises(asyncio.CancelledError):
        await keep_storage(store, POLICY, Pacing(), told.append, shed.append)
    return told, shed


async def test_room_is_told_with_figures():
    told, shed = await work(Store(ROOM, LOW, NEARLY_FULL), 3)
    assert [(seen.used_mb, seen.free_mb, seen.low) for seen in told] == [
        (10, 900, False),
        (10, 60, True),
        (10, 20, True),
    ]
    assert {seen.source for seen in told} == {"host"}
    assert shed == [False, False, True]


async def test_a_sweep_is_made_at_once_and_every_hour():
    store = Store(ROOM)
    await work(store, 1)
    assert len(store.sweeps) == 1
    store = Store(ROOM)
    await work(store, round(3 * SWEEP_S / LOOK_S))
    assert len(store.sweeps) == 3


async def test_where_space_is_short_sweeps_come_sooner():
    store = Store(LOW)
    await work(store, round(4 * TIGHT_SWEEP_S / LOOK_S))
    assert len(store.sweeps) == 4


async def test_there_is_one_sweep_at_a_time():
    store = Store(LOW)
    store.answer = None
    await work(store, 100)
    assert len(store.sweeps) == 1


async def test_a_disk_that_cannot_be_looked_at_or_swept_is_no_reason_to_stop():
    store = Store(_GONE, ROOM)
    store.answer = StorageFull("full")
    told, shed = await work(store, 3)
    assert len(told) == len(shed) == 2


async def test_damage_that_a_sweep_finds_ends_the_daemon():
    store = Store(ROOM)
    store.answer = LedgerCorrupt("damaged")
    with pytest.raises(LedgerCorrupt):
        await keep_storage(
            cast("Ledger", store), POLICY, ManualClock(), lambda _: None, lambda _: None
        )
