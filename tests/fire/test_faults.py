"""What breaks, what is promised then, and which test shows it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from edge.clock import Stamp, SystemClock
from edge.domain.record import Lane
from edge.ledger.checkpoint import Signer
from edge.uplink import entrance
from edge.uplink.patience import Patience
from edge.uplink.spec import BrokerSpec
from simulators.province.broker import Broker
from simulators.province.service import Province
from tests.support import require_program
from tests.uplink.rig import GATEWAY, MINE, Rig, until, via
from tests.uplink.scripted import CONNACK, ScriptedBroker, packet

LEDGER, UPLINK, HERE = "tests.ledger", "tests.uplink", "tests.fire.test_faults"

TABLE = [
    (
        "the process is killed",
        "nothing acknowledged is lost, and it arrives",
        "tests.fire.test_kills",
        "test_what_was_acknowledged_survives_kill_9_and_arrives_once_unaltered_and_in_order",
    ),
    (
        "the broker acknowledges, and dies without having stored anything",
        "what no receipt covers goes again, from the receipt's size",
        HERE,
        "test_what_a_broker_forgot_goes_again_from_the_receipts_size",
    ),
    (
        "the broker refuses with 0x97, quota exceeded",
        "the cursor stays, the record goes again, alarms go on",
        f"{UPLINK}.test_delivery",
        "test_a_failing_puback_does_not_move_the_cursor_and_the_record_goes_again",
    ),
    (
        "the broker says nothing more after CONNACK",
        "the next broker is tried within bounded time",
        HERE,
        "test_a_broker_that_hangs_after_connack_is_left_for_the_next",
    ),
    (
        "the broker acknowledges no publish any more",
        "the line counts as dead, a new one is made",
        f"{UPLINK}.test_service_scripted",
        "test_a_dead_line_is_left_and_a_new_one_made",
    ),
    (
        "the disk is full",
        "it is told, nothing acknowledged is lost, work goes on when there is room",
        f"{LEDGER}.test_writer",
        "test_a_real_small_file_system_that_is_full_then_read_only",
    ),
    (
        "the disk of a running gateway is full",
        "the alarm is held and arrives when there is room",
        "tests.integration.test_bad_input",
        "test_a_disk_that_takes_nothing_holds_the_alarm_until_it_does_again",
    ),
    (
        "the wall clock jumps by a day, forward and back",
        "records stay in order and arrive, heads are signed as before",
        HERE,
        "test_a_clock_that_jumps_by_a_day_disturbs_neither_order_nor_delivery",
    ),
    (
        "evidence was deleted",
        "the rest is sent; what is missing is counted and named",
        f"{UPLINK}.test_delivery",
        "test_evidence_that_is_gone_is_skipped_and_counted",
    ),
    (
        "evidence is missing from an export",
        "the records stay sound, and the report says what is missing",
        f"{LEDGER}.test_verify_members",
        "test_a_missing_picture_is_told_and_the_records_stay_sound",
    ),
    (
        "an image of yesterday is put back",
        "a new epoch begins that names the old head; an incident",
        "tests.integration.test_epochs",
        "test_an_image_of_yesterday_put_back_begins_an_epoch_and_is_an_incident",
    ),
    (
        "bits flip in 200 places of the database",
        "told at the start or by fsck, or without effect",
        f"{LEDGER}.test_damage",
        "test_bits_that_flip_in_200_random_places_are_told_at_start_or_change_nothing",
    ),
    (
        "the WAL is cut",
        "found at the start, and the missing records are counted",
        f"{LEDGER}.test_damage",
        "test_a_wal_cut_anywhere_is_found_at_start",
    ),
    (
        "a second gateway takes the session over",
        "it is told each time, one incident",
        f"{UPLINK}.test_session_moves",
        "test_a_session_that_is_taken_over_is_told_each_time_and_when_it_is_over",
    ),
    (
        "our clock is off from the province's",
        "an incident until it agrees",
        "tests.integration.test_epochs",
        "test_a_clock_that_is_off_from_the_provinces_is_an_incident_until_it_agrees",
    ),
    (
        "history was written anew by somebody with the key",
        "it contradicts the receipts and is refused, exactly then",
        "tests.fire.test_history",
        "TestHistory",
    ),
]


@pytest.mark.parametrize(("module", "name"), [row[2:] for row in TABLE])
def test_every_row_of_the_table_has_its_test(module: str, name: str) -> None:
    assert hasattr(import_module(module), name)


async def test_what_a_broker_forgot_goes_again_from_the_receipts_size(tmp_path: Path) -> None:
    """The province is away, the broker holds 300 records for it in memory, and is killed."""
    require_program("mosquitto")
    signer = Signer.generate("province.simulated")
    async with Broker(kind="mosquitto", options=("persistence false",)) as broker:
        port = broker.province_port
        keys = (str(signer.verifier), str(signer.cosigner))
        async with (
            Province(broker.host, port, signer=signer) as province,
            Rig(tmp_path, via(broker), keys=keys) as rig,
        ):
            await rig.routine(100)
            await until(lambda: rig.ledger.receipt() is not None, 10)
            await until(lambda: rig.ledger.receipt()[0] >= 100, 10)  # type: ignore[index]
            await province.__aexit__()
            await rig.routine(300)
            await until(lambda: rig.ledger.cursor("routine") == 400, 10)
            await broker.kill()
            await broker.start()
            rig.uplink._herald.patience = Patience(_wait_s=1.0)
            rig.uplink._herald.patience.told(400, 0.0)
            async with Province(broker.host, port, signer=signer) as again:
                view = again.view(MINE, GATEWAY)
                assert await again.wait_until(lambda _p: view.received >= 300, 20)
                first = min(view.arrivals)
                await until(lambda: rig.ledger.cursor("routine") == 400)
    assert first == 100, "what the receipt covers is not sent again"


async def test_a_broker_that_hangs_after_connack_is_left_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "ANSWER_TIMEOUT_S", 0.3)

    async def welcome_and_hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10_000)
        writer.write(packet(CONNACK, b"\x00\x00\x00"))
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(welcome_and_hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    hung = BrokerSpec(host="127.0.0.1", port=port, protocol="5")
    async with ScriptedBroker() as good, Rig(tmp_path, hung, good.spec()) as rig:
        await rig.routine(5)
        await until(lambda: rig.ledger.cursor("routine") == 5)
        assert rig.uplink.broker == f"127.0.0.1:{good.port}"
    server.close()
    await server.wait_closed()


class JumpingClock(SystemClock):
    """The wall clock is off by this much; the monotonic one is not."""

    off_s = 0.0

    def now(self) -> Stamp:
        stamp = super().now()
        return replace(stamp, wall_us=stamp.wall_us + round(self.off_s * 1e6))


async def test_a_clock_that_jumps_by_a_day_disturbs_neither_order_nor_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_program("mosquitto")
    monkeypatch.setattr("tests.uplink.rig.SystemClock", JumpingClock)
    async with (
        Broker(kind="mosquitto") as broker,
        Province(broker.host, broker.province_port) as province,
        Rig(tmp_path, via(broker), keys=province.keys) as rig,
    ):
        view = province.view(MINE, GATEWAY)
        assert isinstance(rig.clock, JumpingClock)
        for round_, off_s in enumerate((0.0, 86_400.0, -86_400.0, 0.0), 1):
            rig.clock.off_s = off_s
            await rig.routine(20)
            await rig.add(rig.opened(f"person/cam/-/{round_}"))
            done = await province.wait_until(
                lambda _p, size=21 * round_: view.verified and view.log.proven >= size,  # type: ignore[misc]
                10,
            )
            assert done, (round_, view.received, view.log.proven)
        assert sorted(view.arrivals)[:84] == list(range(84))
        assert view.duplicates == 0
        await until(lambda: all(rig.ledger.backlog(lane)[0] == 0 for lane in Lane))
