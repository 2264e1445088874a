"""The uplink and the province over amqtt, which speaks MQTT 3.1.1 only."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.uplink import entrance
from simulators.province.broker import Broker
from simulators.province.service import Province
from tests.uplink.rig import GATEWAY, MINE, Rig, until, via


async def test_a_broker_that_falls_silent_at_5_is_spoken_to_in_3_1_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "ANSWER_TIMEOUT_S", 1.0)
    async with (
        Broker(kind="amqtt") as broker,
        Province(broker.host, broker.province_port, protocol=broker.mqtt) as province,
        Rig(tmp_path, via(broker, protocol="auto"), keys=province.keys) as rig,
    ):
        view = province.view(MINE, GATEWAY)
        await rig.routine(20)
        await rig.add(rig.opened("a/b/-/1", [await rig.picture(b"p" * 150_000)]))
        assert await province.wait_until(
            lambda _p: view.received == 21 and view.verified and bool(view.shelf.files), 15.0
        )
        assert view.state["mqtt"] == "3.1.1"
        await province.send_order(MINE, GATEWAY, "set-state", {"state": "closed"})
        await until(lambda: len(rig.orders) == 1)
        assert await rig.stop() == ""
