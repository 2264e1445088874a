"""What a disk that was put back, wiped or swapped does to the record: nothing goes unnoticed."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge.domain.record import RecordType
from edge.ledger.export import export
from edge.ledger.store import LedgerView
from edge.ledger.verify import verify
from tests.integration.rig import GATEWAY, MINE_CODE, Rig, rig

pytestmark = pytest.mark.timeout(150)

ORIGIN = f"eseal/{MINE_CODE}/{GATEWAY}"


async def receipted(r: Rig) -> int:
    """Wait until the province has receipted what there is; gives how much."""

    def stored() -> int:
        with closing(LedgerView.open(r.storage)) as view:
            held = view.receipt()
            return held[0] if held and held[0] >= min(view.size, r.view.log.proven) else 0

    assert await r.province.wait_until(lambda _: r.view.log.proven > 0 and stored() > 0, 25)
    return stored()


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
        await receipted(r)
        with closing(LedgerView.open(r.storage)) as view:
            then = view.size
        shutil.copytree(r.storage, image)

        await r.gateway.start()
        r.hoist.start()
        assert await r.alarm("production-load", "hoist")
        await r.gateway.stop()
        held = r.view.log.received
        assert await r.province.wait_until(lambda _: r.view.log.proven == held, 20)
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
        await receipted(r)
        await r.gateway.kill()
        held = r.view.log.proven
        for path in r.storage.glob("ledger.db*"):
            path.unlink()
        await r.gateway.start()
        assert await r.alarm("ledger-rolled-back", "host")
        assert await r.province.wait_until(lambda _: r.view.verified, 25)
        (broken,) = r.view.breaks
        assert broken.lost >= held
        await r.gateway.stop()
