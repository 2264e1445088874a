"""The running daemon's status, computed from what each part last did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rfc8785

from edge.domain.mine import OrderKind
from edge.domain.observation import (
    ClockStepped,
    ContactChange,
    Quality,
    SourceBack,
    SourceLost,
    StorageSpace,
)
from edge.domain.record import RecordType
from edge.errors import StorageFull
from edge.seal import DETECTOR, HOST
from edge.status import live
from edge.vision.picture import Picture
from tests.orders import an_order
from tests.seals import picture_quality, reading, sighting
from tests.status.gateway import PROVINCE, Gateway


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path, province={"keys": [str(PROVINCE.cosigner)]})
    yield gateway
    gateway.ledger.close()


@pytest.fixture
async def busy(gateway):
    """Everything was seen, delivered and receipted a moment ago."""
    gateway.status.observe(ContactChange("door", gateway.clock.now(), Quality.GOOD, True))
    await gateway.look()
    await gateway.note(RecordType.GATEWAY_HEALTH, {})
    gateway.acknowledge_all()
    gateway.clock.advance(5)
    return gateway


def _source(gateway, code):
    [source] = [s for s in gateway.status.snapshot()["sources"] if s["code"] == code]
    return source


async def test_a_gateway_at_work_works(busy):
    busy.clock.advance(1)
    assert busy.failing() == {}
    snapshot = busy.status.snapshot()
    assert snapshot["works"]
    assert [check["name"] for check in snapshot["checks"]] == [
        "hoist",
        "pump",
        "door",
        "shaft-cam",
        "detector",
        "storage",
        "uplink",
        "receipt",
    ]


async def test_after_a_start_what_was_not_seen_yet_is_held_against_nobody_for_a_while(gateway):
    gateway.clock.advance(20)
    assert gateway.failing() == {}
    gateway.clock.advance(30)
    await gateway.note(RecordType.GATEWAY_HEALTH, {})
    assert set(gateway.failing()) == {"hoist", "pump", "door", "shaft-cam", "detector"}


async def test_observations_reach_the_recorder_with_their_pictures(gateway):
    frame = np.zeros((16, 16, 3), np.uint8)
    shown = []
    gateway.recorder.observe = lambda *given: shown.append(given)
    observation, picture = sighting(gateway.clock.now()), Picture(frame, gateway.clock.now())
    gateway.status.observe(observation, picture)
    gateway.status.observe(reading("pump", gateway.clock.now(), 1.0))
    assert shown[0] == (observation, picture)
    assert shown[1][1] is None


async def test_a_source_shows_its_newest_figures_and_their_age(busy):
    busy.clock.advance(2)
    hoist, camera, door = (_source(busy, code) for code in ("hoist", "shaft-cam", "door"))
    assert hoist["figures"] == {"power_kw": 0.2}
    assert (hoist["kind"], hoist["aspect"], hoist["age_s"]) == ("meter", "hoist", 7.0)
    assert camera["figures"] == {
        "objects": 0,
        "brightness": 110.0,
        "sharpness": 200.0,
        "still_s": 0.0,
        "gate_limit": 0.0,
        "repeats": 0,
        "clock_read": 0,
    }
    assert camera["detected_s"] == 7.0
    assert (camera["watched"], door["watched"]) == (None, None)
    assert door["figures"] == {"closed": 1}


async def test_a_meter_that_no_longer_speaks_fails_by_age_even_if_nobody_says_it_is_lost(busy):
    busy.clock.advance(5)
    busy.status.observe(picture_quality(busy.clock.now()))
    busy.status.observe(sighting(busy.clock.now()))
    busy.clock.advance(10)
    assert busy.failing() == {"hoist": "seen 20 s ago", "pump": "seen 20 s ago"}


async def test_a_lost_source_fails_with_its_reason_until_it_is_back(busy):
    now = busy.clock.now()
    busy.status.observe(SourceLost("shaft-cam", now, "no route to host"))
    assert busy.failing() == {"shaft-cam": "lost: no route to host"}
    assert _source(busy, "shaft-cam")["lost"] == "no route to host"
    busy.status.observe(SourceBack("shaft-cam", now, 3.0))
    busy.status.observe(picture_quality(now))
    assert busy.failing() == {}


async def test_a_contact_speaks_only_of_changes_and_is_never_too_old(busy):
    busy.clock.advance(100_000)
    assert "door" not in busy.failing()


async def test_pictures_without_detection_show_that_the_detector_stands_still(busy):
    for _ in range(12):
        busy.status.observe(picture_quality(busy.clock.advance(5)))
    assert "not run lately on shaft-cam" in busy.failing()["detector"]


async def test_a_detector_that_does_not_run_fails_with_its_reason(busy):
    busy.status.observe(SourceLost(DETECTOR, busy.clock.now(), "model broken"))
    assert busy.failing() == {"detector": "does not run: model broken"}


async def test_a_clock_step_is_no_source(busy):
    busy.status.observe(ClockStepped(HOST, busy.clock.now(), 3600.0))
    await busy.recorder.drain()
    assert {source["code"] for source in busy.status.snapshot()["sources"]} == {
        "hoist",
        "pump",
        "door",
        "shaft-cam",
    }


async def test_records_that_wait_too_long_for_their_puback_fail_the_uplink(busy):
    await busy.hoist()
    busy.clock.advance(40)
    await busy.look()
    assert set(busy.failing()) == {"uplink"}
    backlog = busy.status.snapshot()["backlog"]
    assert backlog["alarm"]["records"] == 1
    assert backlog["alarm"]["oldest_s"] >= 40
    busy.acknowledge_all()
    assert busy.failing() == {}


async def test_without_a_broker_the_uplink_fails_and_says_why(busy):
    busy.broker.connected, busy.broker.fault = False, "connection refused"
    assert busy.failing() == {"uplink": "not connected: connection refused"}


async def test_records_that_no_receipt_covers_for_five_minutes_fail_the_receipt(busy):
    await busy.note(RecordType.GATEWAY_HEALTH, {})
    assert busy.failing() == {}
    busy.clock.advance(301)
    assert "receipt" in busy.failing()
    busy.acknowledge_all()
    assert "receipt" not in busy.failing()


async def test_storage_fails_when_nothing_became_durable_for_long(busy):
    busy.clock.advance(390)
    assert "storage" not in busy.failing()
    busy.clock.advance(20)
    assert "storage" in busy.failing()


async def test_storage_that_takes_nothing_fails_at_once(busy, monkeypatch):
    def full(_drafts):
        raise StorageFull("no space left")

    monkeypatch.setattr(busy.ledger, "submit", full)
    await busy.hoist()
    assert "could not be written" in busy.failing()["storage"]
    assert busy.status.snapshot()["queues"]["held_drafts"] > 0


async def test_little_room_fails_storage_until_there_is_room_again(busy):
    def verdict():
        return next(c for c in busy.status.snapshot()["checks"] if c["name"] == "storage")

    busy.status.observe(StorageSpace(HOST, busy.clock.now(), 7900.0, 123.4, low=True))
    assert not verdict()["works"]
    assert verdict()["en"] == "room is short: 123 MB are free"
    busy.status.observe(StorageSpace(HOST, busy.clock.now(), 6000.0, 2000.0, low=False))
    assert verdict()["works"]


async def test_a_long_queue_of_observations_fails_storage(busy):
    for _ in range(600):
        busy.status.observe(picture_quality(busy.clock.now()))
    assert "wait to be judged" in busy.failing()["storage"]


async def test_incidents_appear_once_they_are_durable_and_go_on_to_be_told_when_closed(busy):
    assert busy.status.incidents() == []
    await busy.hoist()
    [incident] = busy.status.incidents()
    assert incident["code"] == "production-load"
    assert "closed" not in incident
    assert busy.status.snapshot()["open"] == 1
    for _ in range(300):
        busy.status.observe(reading("hoist", busy.clock.advance(2), 0.1))
        await busy.recorder.drain()
    [incident] = busy.status.incidents()
    assert incident["closed"]
    assert busy.status.snapshot()["open"] == 0


async def test_an_acknowledgement_shows_on_its_incident(busy):
    await busy.hoist()
    [incident] = busy.status.incidents()
    args = {"incident": incident["incident"], "by": "duty officer"}
    busy.recorder.order(an_order(OrderKind.ACKNOWLEDGE, args, busy.clock.now()))
    await busy.recorder.drain()
    assert busy.status.incidents()[0]["acknowledged"][0]["by"] == "duty officer"


async def test_after_a_restart_the_incidents_are_folded_from_the_ledger(tmp_path):
    first = Gateway(tmp_path)
    await first.hoist()
    told = first.status.incidents()
    first.ledger.close()
    second = Gateway(tmp_path)
    assert second.status.incidents() == told
    assert len(told) == 1
    second.ledger.close()


async def test_incidents_are_bounded_and_open_ones_come_first(busy, monkeypatch):
    monkeypatch.setattr(live, "KEPT_CLOSED", 3)
    monkeypatch.setattr(live, "SHOWN_INCIDENTS", 3)
    for _ in range(6):
        await busy.hoist()
        for _ in range(150):
            busy.status.observe(reading("hoist", busy.clock.advance(2), 0.1))
            await busy.recorder.drain()
    await busy.hoist()
    shown = busy.status.incidents()
    assert ["closed" in incident for incident in shown] == [False, True, True]
    assert shown[1]["opened"] > shown[2]["opened"]
    assert len(busy.status._incidents) <= 4
    assert busy.status.snapshot()["open"] == 1


async def test_the_health_record_is_json_that_fits_a_leaf_and_names_what_fails(busy):
    busy.broker.connected = False
    health = busy.status.health()
    assert health["works"] is False
    assert health["failing"] == ["uplink"]
    assert health["age_s"]["hoist"] == 5.0
    assert health["ledger"]["receipt"] == busy.ledger.size
    assert len(rfc8785.dumps(health)) < 20_000
    await busy.note(RecordType.GATEWAY_HEALTH, health)


async def test_the_snapshot_is_plain_json(busy):
    await busy.hoist()
    for told in (busy.status.snapshot(), busy.status.incidents()):
        json.dumps(told, allow_nan=False)


async def test_the_state_in_force_is_shown_in_both_languages(busy):
    args = {"state": "closed"}
    busy.recorder.order(an_order(OrderKind.SET_STATE, args, busy.clock.now()))
    await busy.recorder.drain()
    assert busy.status.snapshot()["state"] == {"code": "closed", "zh": "关闭取缔", "en": "closed"}


async def test_without_enrolled_keys_no_receipt_is_missed(tmp_path):
    gateway = Gateway(tmp_path)
    names = [check["name"] for check in gateway.status.snapshot()["checks"]]
    assert "receipt" not in names
    gateway.ledger.close()
