"""A damaged ledger is set aside and a new epoch says what it left, unless that is unsound."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from edge.clock import ManualClock
from edge.domain.activity import Activity, ActivityKind, Phase
from edge.domain.alarm import AlarmCode
from edge.domain.mine import MineState
from edge.domain.record import Draft, RecordType
from edge.errors import ConfigError, EsealError, LedgerCorrupt
from edge.ledger.checkpoint import Signer
from edge.ledger.damage import MARK, mark, marked
from edge.ledger.epoch import open_ledger
from edge.ledger.fsck import fsck
from edge.ledger.schema import FILE_NAME
from edge.ledger.store import Ledger
from edge.ledger.witness import HEAD_NAME
from edge.rules.engine import initial, restore
from edge.rules.incidents import opened
from tests.ledger.support import ORIGIN, WAIT_S, draft, tamper

SIZE = 12
INCIDENT = opened(
    AlarmCode.CAMERA_LOST,
    MineState.SUSPENDED,
    Activity(ActivityKind.CAMERA_LOST, "cam", "", "", Phase.STARTED, draft().stamp, draft().stamp),
    draft().stamp,
    draft().stamp,
    level=2,
).data(draft().stamp)
ORDER = {"nonce": "n" * 22, "kind": "set-state", "args": {"state": "closed"}}
Starter = Callable[[], Ledger]


@pytest.fixture
def start(directory: Path, signer: Signer) -> Starter:
    def open_it() -> Ledger:
        return open_ledger(
            directory, gateway=ORIGIN, signer=signer, clock=ManualClock(), state=MineState.SUSPENDED
        )

    return open_it


@pytest.fixture
def old_root(start: Starter) -> bytes:
    """A closed ledger of 12 records; gives its root."""
    ledger = start()
    ledger.submit([draft(i) for i in range(SIZE - 2)]).result(WAIT_S)
    ledger.submit([Draft(RecordType.ORDER_ACCEPTED, draft().stamp, ORDER)]).result(WAIT_S)
    ledger.submit([Draft(RecordType.INCIDENT_OPENED, draft().stamp, INCIDENT)]).result(WAIT_S)
    root = ledger.root_at(SIZE)
    ledger.close()
    return root


def first_of(ledger: Ledger) -> Any:
    leaf = next(ledger.leaves_of(RecordType))
    assert leaf["type"] == RecordType.EPOCH_BEGUN
    return leaf["data"]


def test_a_changed_record_ends_the_log_and_the_next_names_it(start, directory, old_root):
    tamper(directory, "UPDATE leaf SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx = 5")
    ledger = start()
    told = first_of(ledger)
    assert told["reason"] == "damaged"
    assert "leaf 5 is not the one" in told["detail"]
    assert told["previous"] == {"origin": ORIGIN, "size": SIZE, "root": old_root.hex()}
    assert ledger.origin.startswith(f"{ORIGIN}/1-")
    assert ledger.newest is not None
    assert (directory / "epochs" / "1" / FILE_NAME).exists()
    assert (directory / "epochs" / "1" / HEAD_NAME).exists()
    ledger.close()
    assert fsck(directory, [], lambda *_: None).sound


def test_what_is_whole_is_handed_on_and_what_is_changed_is_not(start, directory, old_root):
    tamper(
        directory,
        "UPDATE leaf SET leaf = CAST(replace(leaf, 'camera-lost', 'camera-losu')"
        " AS BLOB) WHERE idx = 11",
    )
    ledger = start()
    assert [leaf["data"] for leaf in ledger.leaves_of({RecordType.ORDER_ACCEPTED})] == [ORDER]
    told = [leaf["data"]["code"] for leaf in ledger.leaves_of({RecordType.INCIDENT_OPENED})]
    assert told == ["ledger-damaged"]
    ledger.close()


def test_the_incident_says_that_the_ledger_was_damaged_and_not_that_it_was_rolled_back(
    start, directory, old_root
):
    tamper(directory, "UPDATE leaf SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx = 5")
    ledger = start()
    told = next(ledger.leaves_of({RecordType.INCIDENT_OPENED}))["data"]
    assert "damaged" in told["text"]["en"]
    assert "损坏" in told["text"]["zh"]
    assert ledger.origin in told["text"]["en"]
    assert "receipted" not in told["text"]["en"]
    ledger.close()


@pytest.mark.parametrize(
    "strange",
    [
        {"code": "a-code-of-tomorrow"},
        {"evidence": [{"sha256": "a" * 64, "media_type": "x", "size": 1, "a_new_field": 1}]},
        {"acknowledged": None},
    ],
)
def test_an_open_incident_of_another_version_is_handed_on_as_it_is(
    start, directory, old_root, strange
):
    ledger = start()
    data = {**INCIDENT, "incident": "of tomorrow", **strange}
    ledger.submit([Draft(RecordType.INCIDENT_OPENED, draft().stamp, data)]).result(WAIT_S)
    ledger.close()
    tamper(directory, "UPDATE leaf SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx = 5")
    for _ in range(2):  # the second start has only the new log
        ledger = start()
        incidents = [leaf["data"] for leaf in ledger.leaves_of({RecordType.INCIDENT_OPENED})]
        assert data in incidents
        assert INCIDENT in incidents
        assert restore(initial(MineState.CLOSED), ledger.leaves_of(RecordType)).live
        ledger.close()


def test_a_record_of_another_version_that_names_no_incident_is_passed_over_and_counted(
    start, directory, old_root
):
    ledger = start()
    nameless = {key: value for key, value in INCIDENT.items() if key != "incident"}
    ledger.submit([Draft(RecordType.INCIDENT_OPENED, draft().stamp, nameless)]).result(WAIT_S)
    ledger.submit(
        [Draft(RecordType.ORDER_ACCEPTED, draft().stamp, {**ORDER, "nonce": "m" * 22})]
    ).result(WAIT_S)
    ledger.close()
    tamper(directory, "UPDATE leaf SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx = 5")
    with capture_logs() as logs:
        ledger = start()
    (entry,) = [entry for entry in logs if "another version" in entry["event"]]
    assert entry["records"] == 1
    orders = [leaf["data"]["nonce"] for leaf in ledger.leaves_of({RecordType.ORDER_ACCEPTED})]
    assert orders == ["n" * 22, "m" * 22]
    ledger.close()


def test_of_a_deleted_database_the_signed_head_tells_what_was_lost(start, directory, old_root):
    for path in directory.glob(f"{FILE_NAME}*"):
        path.unlink()
    ledger = start()
    told = first_of(ledger)
    assert told["previous"] == {"origin": ORIGIN, "size": SIZE, "root": old_root.hex()}
    assert told["lost_at_least"] == SIZE
    assert "ledger.db is gone" in told["detail"]
    ledger.close()


def test_of_a_database_that_is_garbage_too(start, directory, old_root):
    (directory / FILE_NAME).write_bytes(b"garbage " * 4096)
    ledger = start()
    assert first_of(ledger)["previous"]["root"] == old_root.hex()
    ledger.close()


def test_a_later_epochs_name_is_known_from_its_head_when_its_database_is_gone(
    start, directory, old_root
):
    tamper(directory, "DELETE FROM leaf WHERE idx = 5")
    ledger = start()
    second = ledger.origin
    ledger.close()
    hour_ago(directory)
    for path in directory.glob(f"{FILE_NAME}*"):
        path.unlink()
    ledger = start()
    assert first_of(ledger)["previous"]["origin"] == second
    assert ledger.origin.startswith(f"{ORIGIN}/2-")
    ledger.close()


def test_damage_so_soon_again_is_a_failing_disk_and_no_further_epoch(
    start, directory, old_root, monkeypatch
):
    tamper(directory, "DELETE FROM leaf WHERE idx = 5")
    start().close()
    tamper(directory, "DELETE FROM leaf WHERE idx = 0")
    now_s = ManualClock().now().wall_us / 1e6
    os.utime(directory / "epochs" / "1", (now_s - 60, now_s - 60))
    with pytest.raises(LedgerCorrupt, match="then replace the disk"):
        start()
    assert not (directory / "epochs" / "2").exists()
    hour_ago(directory)
    start().close()
    assert (directory / "epochs" / "2").exists()


def hour_ago(directory: Path) -> None:
    past_s = ManualClock().now().wall_us / 1e6 - 3601
    for path in (directory / "epochs").iterdir():
        os.utime(path, (past_s, past_s))


def test_damage_that_was_met_at_work_is_noted_for_the_next_start(start, directory, old_root):
    mark(directory, "tree node 3/0 is missing. And so on")
    ledger = start()
    assert first_of(ledger)["detail"] == "tree node 3/0 is missing"
    assert not (directory / MARK).exists()
    ledger.close()
    start().close()  # once only


def test_an_empty_note_is_a_note_and_none_is_none(tmp_path):
    assert marked(tmp_path) == ""
    mark(tmp_path, "")
    assert marked(tmp_path) != ""
    with capture_logs() as logs:
        mark(tmp_path / "gone", "x")  # where nothing can be written nothing is noted, but told
    assert [entry["event"] for entry in logs] == ["damage cannot be noted"]


def test_a_ledger_in_use_is_not_set_aside(start, directory, old_root):
    ledger = start()
    mark(directory, "damaged")
    with pytest.raises(EsealError, match="in use"):
        start()
    assert not (directory / "epochs").exists()
    ledger.close()


def test_another_key_is_no_damage_and_nothing_is_set_aside(directory, start, old_root):
    stranger = Signer.generate(ORIGIN)
    with pytest.raises(ConfigError, match="not the key that signed this ledger"):
        open_ledger(
            directory, gateway=ORIGIN, signer=stranger, clock=ManualClock(), state=MineState.CLOSED
        )
    assert not (directory / "epochs").exists()
