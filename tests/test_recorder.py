"""One consumer, nothing lost that is said only once, nothing told before it is durable."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from edge import incoming, outgoing
from edge import recorder as module
from edge.clock import ManualClock
from edge.domain.mine import MineState, OrderKind
from edge.domain.observation import ContactChange, Quality, SourceLost
from edge.domain.record import ALARM_TYPES, Draft, Lane, RecordType
from edge.errors import LedgerCorrupt, StorageFull
from edge.incoming import PICTURE_LIMIT, QUEUE_LIMIT
from edge.ledger.keys import load_or_create
from edge.ledger.store import Ledger
from edge.outgoing import BATCH, RETRY_S
from edge.recorder import Recorder, order_refused
from edge.rules.engine import initial
from edge.rules.incidents import fold
from edge.seal import DETECTOR, Seal
from edge.vision.picture import Picture
from tests.orders import an_order
from tests.recording import Bench, Rig
from tests.seals import picture_quality, reading, sighting, site


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_everything_is_durable_in_order_of_arrival(rig: Rig) -> None:
    rig.note(1)
    rig.recorder.observe(ContactChange("door", rig.clock.now(), Quality.GOOD, True))
    rig.note(2)
    await rig.recorder.drain()
    assert rig.types() == [
        RecordType.GATEWAY_HEALTH,
        RecordType.CONTACT_CHANGED,
        RecordType.GATEWAY_HEALTH,
    ]
    assert rig.durable == rig.ledger.records
    assert rig.recorder.waiting == {"observations": 0, "held_drafts": 0}


async def test_an_order_is_recorded_with_what_follows_from_it(rig: Rig) -> None:
    order = an_order(OrderKind.SET_STATE, {"state": "producing"}, rig.clock.now())
    recorded = rig.recorder.order(order)
    await asyncio.sleep(0)
    assert not recorded.done()
    await rig.recorder.drain()
    assert recorded.done()
    assert rig.types() == [RecordType.ORDER_ACCEPTED, RecordType.ORDER_DONE]


def mine_of(rig: Rig) -> MineState:
    return rig.seal.rules.mine


async def test_an_order_is_not_obeyed_before_it_is_recorded(rig: Rig) -> None:
    rig.ledger.fault = StorageFull("disk full")
    order = an_order(OrderKind.SET_STATE, {"state": "producing"}, rig.clock.now())
    recorded = rig.recorder.order(order)
    await rig.recorder.drain()
    assert not recorded.done()
    assert mine_of(rig) is MineState.SUSPENDED
    rig.ledger.fault = None
    await rig.recorder.drain()
    assert recorded.done()
    assert mine_of(rig) is MineState.PRODUCING
    assert rig.types() == [RecordType.ORDER_ACCEPTED, RecordType.ORDER_DONE]


async def test_an_order_whose_sender_went_away_is_obeyed_all_the_same(rig: Rig) -> None:
    order = an_order(OrderKind.SET_STATE, {"state": "producing"}, rig.clock.now())
    rig.recorder.order(order).cancel()
    await rig.recorder.drain()
    assert rig.seal.rules.mine is MineState.PRODUCING


async def test_an_order_that_was_recorded_before_a_restart_is_obeyed_and_answered(
    rig: Rig,
) -> None:
    args = {"state": "producing"}
    rig.recorder.resume(an_order(OrderKind.SET_STATE, args, rig.clock.now()))
    await rig.recorder.drain()
    assert rig.types() == [RecordType.ORDER_DONE]
    assert rig.seal.rules.mine is MineState.PRODUCING


async def test_an_errand_goes_to_who_runs_it_once_it_is_recorded(rig: Rig) -> None:
    order = an_order(OrderKind.SNAPSHOT, {"camera": "shaft-cam"}, rig.clock.now())
    rig.recorder.order(order)
    await rig.recorder.drain()
    assert rig.errands == [order]
    assert rig.types() == [RecordType.ORDER_ACCEPTED]


async def test_nothing_comes_behind_the_last_record(rig: Rig) -> None:
    work = asyncio.create_task(rig.recorder.run())
    rig.recorder.observe(SourceLost("shaft-cam", rig.clock.now(), "cut"))
    rig.clock.advance(1)
    last = Draft(RecordType.GATEWAY_STOPPED, rig.clock.now(), {"reason": "test"})
    await rig.recorder.finish(last)
    rig.clock.advance(60)  # the loss would be an incident by now
    rig.note(1)
    await asyncio.wait_for(work, 5)
    assert rig.types() == [RecordType.SOURCE_LOST, RecordType.ACTIVITY_STARTED, last.type]


class TestEvidence:
    """Pictures of what is forbidden."""

    async def test_a_person_brings_a_marked_and_a_clean_picture(self, rig: Rig) -> None:
        await rig.see_person(rig.picture())
        [opened] = [r for r in rig.ledger.records if r.type is RecordType.INCIDENT_OPENED]
        assert [name in opened.leaf for name in (b"annotated", b"clean")] == [True, True]
        assert all(digest.encode() in opened.leaf for digest in rig.ledger.evidence)
        assert all(data.startswith(b"\xff\xd8") for data in rig.ledger.evidence.values())
        assert rig.bench.work == 1

    async def test_a_covered_camera_brings_its_picture_too(self, rig: Rig) -> None:
        for covered in [False] * 6 + [True] * 6:
            stamp = rig.clock.advance(1)
            rig.recorder.observe(picture_quality(stamp, covered=covered), rig.picture())
            await rig.recorder.drain()
        assert len(rig.ledger.evidence) == 2

    async def test_no_picture_no_snapshot(self, rig: Rig) -> None:
        await rig.see_person(None)
        assert RecordType.INCIDENT_OPENED in rig.types()
        assert rig.bench.work == 0

    async def test_what_is_permitted_is_not_photographed(self, rig: Rig) -> None:
        rig.recorder.order(an_order(OrderKind.SET_STATE, {"state": "producing"}, rig.clock.now()))
        await rig.see_person(rig.picture())
        assert RecordType.ACTIVITY_STARTED in rig.types()
        assert rig.bench.work == 0

    async def test_the_alarm_goes_out_when_the_disk_takes_no_picture(self, rig: Rig) -> None:
        rig.ledger.evidence_fault = StorageFull("disk full")
        await rig.see_person(rig.picture())
        assert RecordType.INCIDENT_OPENED in rig.types()
        assert rig.recorder.dropped == {"snapshots": 1}

    async def test_the_alarm_does_not_wait_long_for_its_picture(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "SNAPSHOT_S", 0.01)
        rig.bench.hangs = True
        await rig.see_person(rig.picture())
        assert RecordType.INCIDENT_OPENED in rig.types()
        assert rig.recorder.dropped == {"snapshots": 1}


class TestOverload:
    """More arrives than can be judged."""

    async def test_only_regular_observations_are_dropped_the_oldest_first(self, rig: Rig) -> None:
        rig.note()
        rig.recorder.observe(SourceLost("hoist", rig.clock.now(), "timeout"))
        for i in range(QUEUE_LIMIT + 50):
            rig.recorder.observe(reading("pump", rig.clock.advance(60), float(i)))
        rig.recorder.order(an_order(OrderKind.SET_STATE, {"state": "closed"}, rig.clock.now()))
        assert rig.recorder.dropped == {"observations": 50}
        assert rig.recorder.waiting["observations"] == QUEUE_LIMIT + 3
        await rig.recorder.drain()
        for kind in (
            RecordType.GATEWAY_HEALTH,
            RecordType.SOURCE_LOST,
            RecordType.ORDER_ACCEPTED,
        ):
            assert kind in rig.types()
        first = next(r for r in rig.ledger.records if r.type is RecordType.POWER_SUMMARY)
        assert b'"mean":50' in first.leaf

    async def test_few_pictures_wait_and_the_sightings_stay(self, rig: Rig) -> None:
        for _ in range(PICTURE_LIMIT + 5):
            rig.recorder.observe(sighting(rig.clock.advance(0.2)), rig.picture())
        assert rig.recorder.dropped == {"pictures": 5}
        assert rig.recorder.waiting["observations"] == PICTURE_LIMIT + 5
        await rig.recorder.drain()
        for _ in range(PICTURE_LIMIT):
            rig.recorder.observe(sighting(rig.clock.advance(0.2)), rig.picture())
        assert rig.recorder.dropped == {"pictures": 5}

    async def test_a_picture_that_is_dropped_with_its_sighting_is_counted_once(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(incoming, "QUEUE_LIMIT", 3)
        for _ in range(10):
            rig.recorder.observe(sighting(rig.clock.advance(0.2)), rig.picture())
        assert rig.recorder.dropped == {"observations": 7}
        await rig.recorder.drain()

    async def test_time_passes_while_observations_pour_in(self, rig: Rig) -> None:
        """A loss turns into an incident though the queue is never empty."""
        rig.recorder.observe(SourceLost(DETECTOR, rig.clock.now(), "broken"))
        rig.recorder.observe(SourceLost("hoist", rig.clock.now(), "timeout"))
        await rig.recorder.drain()
        for _ in range(100):
            rig.recorder.observe(reading("pump", rig.clock.now(), 1.0))
        rig.clock.advance(10)
        await rig.recorder.drain()
        assert rig.types().count(RecordType.INCIDENT_OPENED) == 2


class TestFullDisk:
    """Storage takes nothing for a while."""

    async def test_drafts_are_held_and_appended_once_when_there_is_room(self, rig: Rig) -> None:
        rig.ledger.fault = StorageFull("disk full")
        with capture_logs() as logs:
            for i in range(3):
                rig.note(i)
                await rig.recorder.drain()
        assert [entry.get("records") for entry in logs] == [None, 1, 2, 3]
        assert rig.recorder.waiting["held_drafts"] == 3
        assert rig.durable == []
        rig.ledger.fault = None
        rig.note(3)
        await rig.recorder.drain()
        assert [b'"number":%d' % i in r.leaf for i, r in enumerate(rig.ledger.records)] == [
            True
        ] * 4
        assert rig.durable == rig.ledger.records
        assert rig.recorder.waiting["held_drafts"] == 0

    async def test_a_full_disk_is_asked_again_only_every_few_seconds(self, rig: Rig) -> None:
        rig.ledger.fault = StorageFull("disk full")
        task = asyncio.create_task(rig.recorder.run())
        for _ in range(20):
            rig.note()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        assert rig.ledger.submitted == 1
        rig.ledger.fault = None
        rig.clock.advance(RETRY_S)
        rig.note()
        for _ in range(40):
            await asyncio.sleep(0)
        assert len(rig.ledger.records) == 21
        task.cancel()

    async def test_much_that_was_held_is_appended_in_parts(self, rig: Rig) -> None:
        rig.ledger.fault = StorageFull("disk full")
        for i in range(2 * BATCH + 1):
            rig.note(i)
        await rig.recorder.drain()
        rig.ledger.fault, rig.ledger.submitted = None, 0
        await rig.recorder.drain()
        assert rig.ledger.submitted == 3
        assert len(rig.ledger.records) == 2 * BATCH + 1

    async def test_alarms_are_kept_longest(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outgoing, "HELD_LIMIT", 10)
        rig.ledger.fault = StorageFull("disk full")
        alarm = Draft(RecordType.INCIDENT_OPENED, rig.clock.now(), {"number": 0})
        for _ in range(4):
            rig.recorder.note(alarm)
        for i in range(20):
            rig.note(i)
        await rig.recorder.drain()
        assert rig.recorder.dropped == {"routine drafts": 14}
        for _ in range(8):
            rig.recorder.note(alarm)
        await rig.recorder.drain()
        assert rig.recorder.dropped == {"routine drafts": 20, "alarm drafts": 2}
        rig.ledger.fault = None
        await rig.recorder.drain()
        assert {record.lane for record in rig.ledger.records} == {Lane.ALARM}

    async def test_while_room_is_short_spare_routine_is_left_out_and_counted(
        self, rig: Rig
    ) -> None:
        rig.recorder.outgoing.shedding = True
        rig.note()
        kept = (RecordType.INCIDENT_OPENED, RecordType.ORDER_ACCEPTED, RecordType.CONFIG_IN_FORCE)
        for kind in kept:
            rig.recorder.note(Draft(kind, rig.clock.now(), {"number": 0}))
        await rig.recorder.drain()
        assert rig.types() == [*kept]
        assert rig.recorder.dropped == {"records shed": 1}

    async def test_a_corrupt_ledger_is_not_answered_here(self, rig: Rig) -> None:
        rig.ledger.fault = LedgerCorrupt("it contradicts itself")
        rig.note()
        with pytest.raises(LedgerCorrupt):
            await rig.recorder.drain()


async def test_two_drains_at_once_append_nothing_twice(rig: Rig) -> None:
    """At SIGTERM the hand-over drains while the loop is in the middle of an append."""
    rig.ledger.held_up = []
    rig.note(1)
    loop = asyncio.create_task(rig.recorder.run())
    await asyncio.sleep(0.01)
    rig.note(2)
    hand_over = asyncio.create_task(rig.recorder.drain())
    await asyncio.sleep(0.01)
    assert len(rig.ledger.held_up) == 1
    while not hand_over.done():
        for future, new in rig.ledger.held_up:
            if not future.done():
                future.set_result(new)
        await asyncio.sleep(0.001)
    loop.cancel()
    assert len(rig.ledger.records) == 2
    assert rig.durable == rig.ledger.records


async def test_the_loop_lets_time_pass_without_observations(rig: Rig) -> None:
    rig.recorder.observe(SourceLost("hoist", rig.clock.now(), "timeout"))
    await rig.recorder.drain()
    task = asyncio.create_task(rig.recorder.run())
    rig.clock.advance(10)
    async with asyncio.timeout(5):
        await rig.opened.wait()
    task.cancel()


async def test_after_a_restart_the_real_ledger_says_where_it_was(tmp_path: Path) -> None:
    """An incident that was open goes on, and nothing is opened twice."""
    config, clock = site(), ManualClock()
    signer = load_or_create(tmp_path / "gateway.key", "o")

    async def live(seconds: int) -> None:
        ledger = Ledger.open(tmp_path, origin="o", signer=signer, clock=clock)
        try:
            seal = Seal(config, initial(config.site.state))
            seal.restore(ledger.leaves_of(ALARM_TYPES))
            recorder = Recorder(seal, ledger, Bench(), clock, lambda _records: None)
            for _ in range(seconds):
                stamp = clock.advance(1)
                recorder.observe(
                    sighting(stamp, (0.5, 0.7)), Picture(np.zeros((9, 16, 3), np.uint8), stamp)
                )
                await recorder.drain()
        finally:
            ledger.close()

    await live(5)
    await live(5)
    ledger = Ledger.open(tmp_path, origin="o", signer=signer, clock=clock)
    [incident] = fold(ledger.leaves_of(ALARM_TYPES)).values()
    assert incident.closed is None
    assert all(ledger.evidence_path(ref.sha256).is_file() for ref in incident.evidence)
    assert len(incident.evidence) == 2
    assert len(list(ledger.leaves_of([RecordType.INCIDENT_OPENED]))) == 1
    assert len(list(ledger.leaves_of([RecordType.ACTIVITY_STARTED]))) == 2
    ledger.close()


def test_a_refused_order_leaves_its_trace() -> None:
    clock = ManualClock()
    draft = order_refused("it has expired", "ab" * 32, clock)
    assert draft.type is RecordType.ORDER_REFUSED
    assert draft.data == {"reason": "it has expired", "digest": "ab" * 32, "count": 1}
