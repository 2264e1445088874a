"""From a signed order to its answer, with the daemon in a process of its own."""

import asyncio
import time
from contextlib import closing

import pytest

from edge.domain.mine import OrderKind
from edge.domain.permit import moment_text
from edge.domain.record import RecordType
from edge.ledger.store import LedgerView
from simulators.cameras.feeds import LoopFeed, encode_loop
from simulators.cameras.scene import Scene
from simulators.cameras.server import CameraServer
from tests.integration.rig import GATEWAY, MINE_CODE, rig

pytestmark = pytest.mark.timeout(120)


async def arrived(r, nonce, timeout_s=25.0):
    """Wait until the answer to an order is there."""
    return await r.province.wait_until(lambda _: nonce in r.view.answers, timeout_s)


async def answered(r, kind, args, timeout_s=25.0):
    """Order something and give its answer."""
    nonce = await r.province.send_order(MINE_CODE, GATEWAY, kind.value, args)
    assert await arrived(r, nonce, timeout_s)
    return r.view.answers[nonce]


async def ready(r):
    await r.gateway.start()
    r.province.enrol(MINE_CODE, GATEWAY, r.gateway.verifier_key())
    assert await r.province.wait_until(lambda _: r.view.online, 20)


def count(r, kind):
    return sum(found is kind for found in r.view.types.values())


async def test_an_order_changes_the_state_closes_the_incident_and_is_answered(tmp_path):
    async with rig(tmp_path) as r:
        await ready(r)
        r.hoist.start()
        assert await r.alarm("production-load", "hoist")
        answer = await answered(r, OrderKind.SET_STATE, {"state": "producing"})
        assert answer["result"] == "done"
        [row] = r.view.incidents
        assert await r.province.wait_until(lambda _: bool(row.closed), 10)
        disposed = {"incident": row.id, "disposition": "approved-work", "by": "王主任"}
        assert (await answered(r, OrderKind.DISPOSE, disposed))["result"] == "done"
        unknown = {**disposed, "incident": "no/such/-/1"}
        answer = await answered(r, OrderKind.DISPOSE, unknown)
        assert (answer["result"], answer["reason"]["zh"]) == ("failed", "没有这一异常")


async def test_a_permit_holds_over_kill_9_and_its_revocation_raises_the_alarm(tmp_path):
    async with rig(tmp_path) as r:
        await ready(r)
        now_us = time.time_ns() // 1000
        permit = {
            "id": "JL-12",
            "begins": moment_text(now_us - 60_000_000),
            "ends": moment_text(now_us + 3_600_000_000),
            "feeders": ["hoist"],
            "responsible": "李工",
            "plan": "12号方案",
        }
        assert (await answered(r, OrderKind.GRANT_PERMIT, {"permit": permit}))["result"] == "done"
        stray = {**permit, "id": "JL-13", "feeders": ["winch"]}
        answer = await answered(r, OrderKind.GRANT_PERMIT, {"permit": stray})
        assert answer["reason"]["en"] == "this gateway has no winch"
        await r.gateway.kill()
        await r.gateway.start()
        r.hoist.start()
        assert await r.province.wait_until(lambda _: count(r, RecordType.ACTIVITY_STARTED) == 1, 25)
        assert not await r.alarm("production-load", "hoist", timeout_s=5)
        revoked = {"permit": "JL-12", "by": "李工"}
        assert (await answered(r, OrderKind.REVOKE_PERMIT, revoked))["result"] == "done"
        assert await r.alarm("production-load", "hoist")


async def test_a_snapshot_order_brings_a_picture_of_now_to_the_province(tmp_path):
    loop = encode_loop(Scene((320, 180), seed=3), 4, "h264", 10, gop=1)
    async with CameraServer(lambda: LoopFeed(loop)) as server:
        camera = {"code": "shaft-cam", "url": server.url}
        async with rig(tmp_path, camera=[camera]) as r:
            await ready(r)
            wanted = {"camera": "shaft-cam"}
            for _ in range(60):
                answer = await answered(r, OrderKind.SNAPSHOT, wanted)
                if answer["result"] == "done":
                    break
                await asyncio.sleep(0.5)  # the camera is not connected yet
            assert answer["result"] == "done"
            assert [ref["caption"] for ref in answer["evidence"]] == ["annotated", "clean"]
            names = {ref["sha256"] for ref in answer["evidence"]}
            assert await r.province.wait_until(lambda _: names <= set(r.view.shelf.files), 20)
            assert all(r.view.shelf.files[name].startswith(b"\xff\xd8") for name in names)
            answer = await answered(r, OrderKind.SNAPSHOT, {"camera": "no-cam"})
            assert answer["reason"]["en"] == "no camera is called no-cam"
            one = min(names)
            assert (await answered(r, OrderKind.RESEND, {"sha256": one}))["result"] == "done"
            answer = await answered(r, OrderKind.RESEND, {"sha256": "0" * 64})
            assert answer["result"] == "failed"
            before = r.view.duplicates
            answer = await answered(r, OrderKind.RESEND, {"start": 0, "end": 5})
            assert answer["detail"] == {"records": 5}
            assert await r.province.wait_until(lambda _: r.view.duplicates >= before + 5, 10)


async def test_kill_9_right_after_the_order_came_loses_no_order(tmp_path):
    async with rig(tmp_path) as r:
        await ready(r)
        for pause_s in (0.0, 0.003, 0.01, 0.03):
            args = {"levels": {"production-load": 2}, "rules": {}}
            nonce = await r.province.send_order(MINE_CODE, GATEWAY, "policy", args)
            await asyncio.sleep(pause_s)
            await r.gateway.kill()
            await r.gateway.start()
            assert await arrived(r, nonce), pause_s
            assert r.view.answers[nonce]["result"] == "done"
        await r.gateway.stop()
        with closing(LedgerView.open(r.storage)) as ledger:
            accepted = [leaf["data"]["nonce"] for leaf in ledger.leaves_of({ACCEPTED})]
            done = [leaf["data"]["nonce"] for leaf in ledger.leaves_of({RecordType.ORDER_DONE})]
        assert len(accepted) == len(set(accepted)) == 4  # none twice, none lost
        assert set(done) == set(accepted)


async def test_a_new_key_signs_after_an_order_and_the_province_follows(tmp_path):
    async with rig(tmp_path) as r:
        await ready(r)
        old = r.gateway.verifier_key()
        answer = await answered(r, OrderKind.ROTATE_KEY, {"by": "王主任"})
        assert answer["result"] == "done"
        new = r.gateway.verifier_key()
        assert answer["detail"]["key"] == new != old
        answer = await answered(r, OrderKind.POLICY, {})
        assert await r.province.wait_until(lambda _: r.view.verified, 25)
        await r.gateway.kill()
        await r.gateway.start()
        assert r.gateway.verifier_key() == new
        count_before = r.view.received
        await answered(r, OrderKind.SET_STATE, {"state": "closed"})
        assert await r.province.wait_until(
            lambda _: r.view.verified and r.view.received > count_before, 25
        )
        assert not r.view.faults


ACCEPTED = RecordType.ORDER_ACCEPTED
