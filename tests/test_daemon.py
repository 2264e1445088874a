"""The daemon's outermost loop: epochs, and damage that is noted for the next start."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from edge import daemon
from edge.clock import ManualClock, SystemClock
from edge.config import SealConfig
from edge.domain.record import Draft, RecordType
from edge.errors import LedgerCorrupt, StorageFull
from edge.gateway import EPOCH_LASTS_S, Gateway
from edge.ledger.damage import marked
from edge.ledger.epoch import begin
from edge.ledger.keys import gateway_signer
from edge.ledger.reader import LedgerView
from edge.ledger.succession import Break, Reason
from tests.seals import site


def gateway_that_raises(error: Exception) -> type:
    """A stand-in for `Gateway` whose work ends so."""

    class Failing:
        def __init__(self, _config: object, _clock: object) -> None:
            pass

        async def run(self, _stop: object) -> None:
            raise error

    return Failing


@pytest.mark.parametrize(
    "error",
    [
        LedgerCorrupt("tree node 3/0 is missing"),
        ExceptionGroup("tasks", [LedgerCorrupt("tree node 3/0 is missing"), StorageFull("x")]),
        ExceptionGroup("a", [ExceptionGroup("b", [LedgerCorrupt("tree node 3/0 is missing")])]),
    ],
)
async def test_damage_met_at_work_is_noted_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(daemon, "Gateway", gateway_that_raises(error))
    with pytest.raises(ExceptionGroup) as caught:
        await daemon.run(site(storage={"dir": str(tmp_path)}), ManualClock())
    assert caught.group_contains(LedgerCorrupt)
    assert marked(tmp_path) == "tree node 3/0 is missing"


async def test_a_full_disk_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "Gateway", gateway_that_raises(StorageFull("x")))
    with pytest.raises(StorageFull):
        await daemon.run(site(storage={"dir": str(tmp_path)}), ManualClock())
    assert marked(tmp_path) == ""


@pytest.fixture
def box(tmp_path: Path) -> SealConfig:
    """A gateway without cameras, whose broker is nowhere."""
    return site(
        storage={"dir": str(tmp_path)},
        camera=[],
        bus=[],
        broker=[{"host": "127.0.0.1", "port": 1}],
        page={"enabled": False},
    )


async def test_after_a_break_the_daemon_goes_on_in_the_next_epoch(
    box: SealConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    origins: list[str] = []

    class Once(Gateway):
        """Is told of a break in its first life, and to stop in its second."""

        async def run(self, stop: asyncio.Event) -> Break | None:
            origins.append(self._ledger.origin)
            if len(origins) == 1:
                assert self._break(Break(Reason.ROLLED_BACK, "why"))
            else:
                stop.set()
            return await super().run(stop)

    monkeypatch.setattr(daemon, "Gateway", Once)
    await daemon.run(box, SystemClock())
    assert len(origins) == 2
    assert origins[1].startswith(f"{origins[0]}/1-")
    with closing(LedgerView.open(box.storage.dir / "epochs" / "1")) as past:
        (stopped,) = past.leaves_of({RecordType.GATEWAY_STOPPED})
    assert stopped["data"] == {"reason": "a new epoch begins"}


async def test_a_young_epoch_is_not_ended_by_another_box_of_our_name(box: SealConfig) -> None:
    clock = ManualClock()
    origin = f"eseal/{box.site.mine_code}/{box.site.gateway}"
    begin(
        box.storage.dir,
        Break(Reason.ROLLED_BACK),
        gateway=origin,
        signer=gateway_signer(box.storage.dir, origin),
        clock=clock,
        state=box.site.state,
    ).close()
    one = Gateway(box, clock)
    assert not one._break(Break(Reason.ROLLED_BACK))
    clock.advance(EPOCH_LASTS_S)
    assert one._break(Break(Reason.ROLLED_BACK))
    one._inference.close()
    one._ledger.close()


async def test_files_that_cannot_be_kept_are_counted_in_the_health_record(box: SealConfig) -> None:
    for name in ("ledger.head", "upload.json"):
        (box.storage.dir / name).mkdir()
    clock = ManualClock()
    one = Gateway(box, clock)
    one._ledger.submit([Draft(RecordType.GATEWAY_HEALTH, clock.now(), {})]).result(5)
    one._ledger.seal_head().result(5)
    one._uplink._delivery.freight._courier._progress.keep()
    dropped = one._status.health()["dropped"]
    assert dropped == {"ledger.head not written": 1, "upload.json not written": 1}
    one._inference.close()
    one._ledger.close()
