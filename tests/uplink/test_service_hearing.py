"""After a start nothing is said before the province's newest receipt, and not for long without."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from edge.domain.observation import ClockCompared
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.succession import Break, Reason
from tests.uplink.rig import ORIGIN, PREFIX, SIGNER, Rig, until
from tests.uplink.scripted import PUBLISH, Published, Script, ScriptedBroker, packet

PROVINCE = Signer.generate("province.example")
KEYS = (str(PROVINCE.verifier), str(PROVINCE.cosigner))


def retained(receipt: bytes) -> bytes:
    """The receipt as a broker of MQTT 5 sends what it has retained."""
    topic = f"{PREFIX}/receipt".encode()
    body = len(topic).to_bytes(2, "big") + topic + b"\x00\x01\x00" + receipt
    return packet(PUBLISH, body, flags=3)


def receipt(size: int, root: bytes = bytes(32), unix_s: int | None = None) -> bytes:
    note = SIGNER.checkpoint(Checkpoint(ORIGIN, size, root))
    return PROVINCE.cosign(note, int(time.time()) if unix_s is None else unix_s)


def told(broker: ScriptedBroker) -> list[str]:
    """Topics of what was published, without the state."""
    topics = [item.topic.removeprefix(f"{PREFIX}/") for item in broker.published]
    return [topic for topic in topics if topic != "state"]


async def test_a_receipt_for_more_than_we_hold_comes_before_a_word_is_said(tmp_path: Path) -> None:
    breaks: list[Break] = []

    def broke(broken: Break) -> bool:
        breaks.append(broken)
        return True

    script = Script(greeting=retained(receipt(500)))
    async with (
        ScriptedBroker(script) as broker,
        Rig(tmp_path, broker.spec(), keys=KEYS, run=False, ask_s=30.0, on_break=broke) as rig,
    ):
        await rig.add(rig.opened("a/b/-/1"))
        rig.start()
        await until(lambda: bool(breaks))
        await rig.add(rig.opened("a/b/-/2"))
        await asyncio.sleep(0.3)
        assert "2 records wait" in await rig.stop(0.8)
        assert told(broker) == []
    assert [broken.reason for broken in breaks] == [Reason.ROLLED_BACK]


async def test_a_receipt_that_fits_lets_everything_go_at_once(tmp_path: Path) -> None:
    async with Rig(tmp_path, keys=KEYS, run=False) as rig:
        await rig.routine(3)
        note = await asyncio.wrap_future(rig.ledger.seal_head())
    script = Script(greeting=retained(PROVINCE.cosign(note, int(time.time()))))
    compared: list[ClockCompared] = []
    async with (
        ScriptedBroker(script) as broker,
        Rig(
            tmp_path, broker.spec(), keys=KEYS, run=False, ask_s=60.0, on_compared=compared.append
        ) as rig,
    ):
        await rig.add(rig.opened("a/b/-/1"))
        rig.start()
        await until(lambda: rig.ledger.cursor("alarm") == 4, 3.0)
        assert told(broker)[0] == "alarm"
        await until(lambda: "checkpoint" in told(broker))
        await until(lambda: rig.uplink.newest_receipt is not None)
    assert len(compared) == 1
    assert compared[0].least_s is None


async def test_a_silent_province_holds_an_alarm_back_for_so_long_and_no_longer(
    tmp_path: Path,
) -> None:
    async with (
        ScriptedBroker() as broker,
        Rig(tmp_path, broker.spec(), keys=KEYS, run=False, ask_s=60.0) as rig,
    ):
        await rig.add(rig.opened("a/b/-/1"))
        rig.start()
        await until(lambda: rig.uplink.connected)
        began = time.monotonic()
        await asyncio.sleep(0.5)
        assert told(broker) == []
        await until(lambda: rig.ledger.cursor("alarm") == 1)
        assert time.monotonic() - began < 4.0  # the broker answered the state: no receipt is there
        await until(lambda: "checkpoint" in told(broker))


async def test_a_broker_that_answers_nothing_does_not_make_the_wait_longer(tmp_path: Path) -> None:
    async with (
        ScriptedBroker(Script(puback=lambda _item: None)) as broker,
        Rig(tmp_path, broker.spec(), keys=KEYS, run=False, ask_s=1.0) as rig,
    ):
        await rig.add(rig.opened("a/b/-/1"))
        rig.start()
        await until(lambda: told(broker)[:1] == ["alarm"])


@pytest.mark.parametrize("puback", [0, None])
async def test_a_stop_does_not_wait_for_a_province_that_says_nothing(
    tmp_path: Path, puback: int | None
) -> None:
    """Once the broker has answered, that is enough; if it answers nothing, nothing can be said."""
    script = Script(puback=lambda _item: puback)
    async with (
        ScriptedBroker(script) as broker,
        Rig(tmp_path, broker.spec(), keys=KEYS, run=False, ask_s=60.0) as rig,
    ):
        await rig.add(rig.opened("a/b/-/1"))
        rig.start()
        await until(lambda: any(item.topic.endswith("state") for item in broker.published))
        left = await rig.stop(1.5)
        assert (left == "") == (puback == 0)
        assert ("alarm" in told(broker)) == (puback == 0)


async def test_without_a_key_for_receipts_it_is_said_once_and_nothing_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Script(greeting=retained(receipt(1)) * 3)
    async with (
        ScriptedBroker(script) as broker,
        Rig(tmp_path, broker.spec(), run=False, ask_s=60.0) as rig,
    ):
        await rig.add(rig.opened("a/b/-/1"))
        rig.start()
        await until(lambda: rig.ledger.cursor("alarm") == 1)
        await until(lambda: rig.uplink.refused["receipt"] == 3)
    out = capsys.readouterr().out
    assert out.count("no province key for receipts is configured") == 1
    assert "receipt refused" not in out


async def test_the_state_tells_what_waits_and_for_how_long(tmp_path: Path) -> None:
    def refuse(item: Published) -> int:
        return 0x97 if item.topic.endswith(("alarm", "record")) else 0

    async with ScriptedBroker(Script(puback=refuse)) as broker, Rig(tmp_path) as rig:
        await rig.routine(2)
        await rig.add(rig.opened("a/b/-/1"))
        rig.uplink._session._brokers = (broker.spec(),)
        await until(lambda: any(item.topic.endswith("state") for item in broker.published), 10.0)
        state: dict[str, Any] = next(
            json.loads(item.payload)
            for item in broker.published
            if item.topic.endswith("state") and item.payload
        )
    assert state["origin"] == ORIGIN
    assert state["newest"] == {"alarm": 2, "routine": 1}
    assert state["next"] == {"alarm": 0, "routine": 0}
    assert state["backlog"] == {"alarm": 1, "routine": 2}
    assert all(0 < age_s < 20 for age_s in state["waits_s"].values())
    assert (state["receipt"], state["receipted"], state["puback"]) == (None, None, None)
