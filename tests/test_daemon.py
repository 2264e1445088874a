"""The daemon's outermost loop: epochs, and damage that is noted for the next start."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge import daemon
from edge.clock import ManualClock
from edge.errors import LedgerCorrupt, StorageFull
from edge.ledger.damage import marked
from tests.seals import site


def daemon_that_raises(error: Exception) -> type:
    """A stand-in for `Daemon` whose work ends so."""

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
    monkeypatch.setattr(daemon, "Daemon", daemon_that_raises(error))
    with pytest.raises(ExceptionGroup) as caught:
        await daemon.run(site(storage={"dir": str(tmp_path)}), ManualClock())
    assert caught.group_contains(LedgerCorrupt)
    assert marked(tmp_path) == "tree node 3/0 is missing"


async def test_a_full_disk_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "Daemon", daemon_that_raises(StorageFull("x")))
    with pytest.raises(StorageFull):
        await daemon.run(site(storage={"dir": str(tmp_path)}), ManualClock())
    assert marked(tmp_path) == ""
