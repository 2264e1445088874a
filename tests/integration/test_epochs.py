"""What a disk that was put back, wiped or swapped does to the record: nothing goes unnoticed."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge.domain.record import RecordType
from edge.ledger.export import export
from edge.ledger.store import LedgerView
from edge.ledger.verify import verify
from edge.uplink.topics import Topics
from tests.integration.rig import GATEWAY, MINE_CODE, Rig, rig

pytestmark = pytest.mark.timeout(150)

SITE = {"mine_code": MINE_CODE, "gateway": GATEWAY, "state": "suspended"}
ORIGIN = f"eseal/{MINE_CODE}/{GATEWAY}"


async def receipted(r: Rig) -> int:
    """Wait until the province has everything and has receipted it; gives how much."""

    def settled(_: object) -> bool:
        log = r.view.log
        return 0 < log.received == log.proven == r.province._cosigned.get(log.origin)

    for _ in range(100):
        if await r.province.wait_until(settled, 0.2):
            return r.view.log.proven
    pytest.fail(f"not receipted: {r.view.log.received} {r.view.log.proven} {r.view.faults}")


def first_leaf(storage: Path) -> dict[str, Any]:
    with closing(LedgerView.open(storage)) as view:
        leaves = list(view.leaves_of({RecordType.EPOCH_BEGUN}))
    assert len(leaves) == 1
    assert leaves[0]["id"] == "0"
    found: dict[str, Any] = leaves[0]
    return found


async def test_an_image_of_yesterday_put_back_begins_an_epoch_and_is_an_incident(tmp_path):
    image = tmp_path / "image"
    async with rig(tmp_path) as r:
        await r.gateway.start()
        r.province.enrol(MINE_CODE, GATEWAY, r.gateway.verifier_key())
        assert await r.province.wait_until(lambda _: r.view.online, 20)
        await r.province.send_order(MINE_CODE, GATEWAY, "set-state", {"state": "closed"})
        assert await r.province.wait_until(
            lambda _: RecordType.ORDER_ACCEPTED in r.view.types.values(), 25
        )
        await r.gateway.stop()
        then = await receipted(r)
        shutil.copytree(r.storage, image)

        await r.gateway.start()
        r.hoist.start()
        assert await r.alarm("production-load", "hoist")
        await r.gateway.stop()
        held = await receipted(r)
        assert held > then
        r.hoist.stop()
        shutil.rmtree(r.storage)
        shutil.copytree(image, r.storage)

        await r.gateway.start()
        assert await r.alarm("ledger-rolled-back", "host")
        assert await r.province.wait_until(lambda _: r.view.verified, 25)
        (broken,) = r.view.breaks
        assert (broken.ended, broken.reason) == (ORIGIN, "rolled-back")
        assert (broken.lost, broken.held) == (held - then, held)
        assert r.view.log.origin == broken.origin != ORIGIN
        assert not r.view.chapters[ORIGIN].log.verified
        assert not r.view.chapters[ORIGIN].log.faults
        assert broken.origin in json.dumps(r.view.state)

        data = first_leaf(r.storage)["data"]
        assert data["previous"]["origin"] == ORIGIN
        assert data["previous"]["size"] >= then
        assert (data["receipt"]["size"], data["lost_at_least"]) == (held, held - then)
        await r.gateway.stop()
        await r.gateway.start()  # the state that was ordered holds in the new epoch too
        assert await r.province.wait_until(lambda _: r.view.online, 20)
        await r.gateway.stop()
        with closing(LedgerView.open(r.storage)) as view:
            orders = list(view.leaves_of({RecordType.ORDER_ACCEPTED}))
        assert [order["data"]["args"] for order in orders] == [{"state": "closed"}]
        for directory in (r.storage, r.storage / "epochs" / "1"):
            export(directory, tmp_path / "bundle.tar")
            report = verify(tmp_path / "bundle.tar", [r.gateway.verifier_key()])
            assert report.sound, report.text()


async def test_a_database_that_was_deleted_is_noticed_though_the_key_is_the_same(tmp_path):
    async with rig(tmp_path) as r:
        await r.gateway.start()
        r.province.enrol(MINE_CODE, GATEWAY, r.gateway.verifier_key())
        assert await r.province.wait_until(lambda _: r.view.log.proven > 0, 20)
        await r.gateway.stop()
        held = await receipted(r)
        for path in r.storage.glob("ledger.*"):
            path.unlink()
        await r.gateway.start()
        assert await r.alarm("ledger-rolled-back", "host")
        assert await r.province.wait_until(lambda _: r.view.verified, 25)
        (broken,) = r.view.breaks
        assert broken.lost >= held
        await r.gateway.stop()


async def test_another_gateways_disk_is_set_aside_and_the_mine_is_still_watched(tmp_path):
    async with rig(tmp_path / "other", site={**SITE, "gateway": "gw-8"}) as other:
        await other.gateway.start()
        await other.gateway.stop()
    async with rig(tmp_path / "ours") as r:
        await r.gateway.start()
        r.province.enrol(MINE_CODE, GATEWAY, r.gateway.verifier_key())
        assert await r.province.wait_until(lambda _: r.view.log.proven > 0, 20)
        await r.gateway.stop()
        shutil.rmtree(r.storage)
        shutil.copytree(other.storage, r.storage)
        await r.gateway.start()
        assert await r.alarm("ledger-rolled-back", "host")
        r.hoist.start()
        assert await r.alarm("production-load", "hoist")
        data = first_leaf(r.storage)["data"]
        assert data["reason"] == "foreign"
        assert data["previous"]["origin"].endswith("/gw-8")
        # It came with another key than the one that was enrolled, and that shows.
        assert await r.province.wait_until(lambda _: bool(r.view.faults), 20)
        assert not r.view.verified
        await r.gateway.stop()


async def test_a_province_that_is_silent_at_the_start_holds_alarms_back_for_moments_only(tmp_path):
    """And what it says later still ends a log that cannot stand by it."""
    image = tmp_path / "image"
    async with rig(tmp_path) as r:
        await r.gateway.start()
        r.province.enrol(MINE_CODE, GATEWAY, r.gateway.verifier_key())
        assert await r.province.wait_until(lambda _: r.view.log.proven > 0, 20)
        await r.gateway.stop()
        await receipted(r)
        shutil.copytree(r.storage, image)
        await r.gateway.start()
        r.hoist.start()
        assert await r.alarm("production-load", "hoist")
        await r.gateway.stop()
        await receipted(r)
        r.hoist.stop()

        receipt = Topics(MINE_CODE, GATEWAY).receipt
        await r.province.send_raw(receipt, b"", retain=True)  # the broker knows of none
        r.province.silent = True
        shutil.rmtree(r.storage)
        shutil.copytree(image, r.storage)
        await r.gateway.start()
        r.fan.garbage = True
        began = time.monotonic()
        assert await r.province.wait_until(lambda _: bool(r.view.faults), 30)
        assert time.monotonic() - began < 15
        assert not r.view.breaks

        r.province.silent = False
        r.province._receipts_due.set()  # it has been asked by the gateway's state
        assert await r.alarm("ledger-rolled-back", "host")
        assert await r.alarm("meter-lost", "fan")
        assert await r.province.wait_until(lambda _: r.view.verified, 25)
        (broken,) = r.view.breaks
        assert broken.ended == ORIGIN
        await r.gateway.stop()


async def test_a_changed_key_is_followed_by_the_province_and_by_verify(tmp_path):
    async with rig(tmp_path) as r:
        await r.gateway.start()
        old = r.gateway.verifier_key()
        r.province.enrol(MINE_CODE, GATEWAY, old)
        assert await r.province.wait_until(lambda _: r.view.log.proven > 0, 20)
        await r.gateway.stop()
        assert await eseal("rotate-key", "-c", r.gateway.config_file) == 0
        new = r.gateway.verifier_key()
        assert new != old
        await r.gateway.start()
        r.hoist.start()
        assert await r.alarm("production-load", "hoist")
        await r.gateway.stop()
        assert await r.province.wait_until(
            lambda _: r.view.verified and r.view.log.proven == r.view.received, 25
        )
        assert str(r.view.log.key) == new
        assert not r.view.breaks
        export(r.storage, tmp_path / "bundle.tar")
        for key in (old, new):
            report = verify(tmp_path / "bundle.tar", [key, *r.province.keys])
            assert report.sound, report.text()
            assert report.rotated


async def eseal(*arguments: object) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge", *map(str, arguments), stdout=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


async def test_a_clock_that_is_off_from_the_provinces_is_an_incident_until_it_agrees(tmp_path):
    async with rig(tmp_path) as r:
        r.province.time = lambda: time.time() + 3600
        await r.gateway.start()
        r.province.enrol(MINE_CODE, GATEWAY, r.gateway.verifier_key())
        assert await r.alarm("clock-wrong", "host")
        r.province.time = time.time
        assert await r.province.wait_until(
            lambda _: any(row.code == "clock-wrong" and row.closed for row in r.view.incidents), 30
        )
        assert r.opened() == [("clock-wrong", "host")]
        await r.gateway.stop()
