"""The view of another process: the same answers, nothing written."""

import os
import sqlite3

import pytest

from edge.domain.record import Lane, RecordType
from edge.errors import ConfigError, LedgerCorrupt
from edge.ledger.schema import FILE_NAME
from edge.ledger.store import LedgerView
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft, tamper


@pytest.fixture
def view(ledger, directory, province):
    ledger.submit([draft(1), alarm(2), draft(3)]).result(WAIT_S)
    ledger.add_receipt(province.cosign(ledger.checkpoint(), 9), 3).result(WAIT_S)
    ledger.move_cursor("alarm", 2).result(WAIT_S)
    view = LedgerView.open(directory)
    yield view
    view.close()


def test_the_view_says_what_the_daemon_says(view, ledger, signer):
    assert view.origin == ORIGIN
    assert view.vkey == str(signer.verifier)
    assert view.size == ledger.size == 3
    assert view.checkpoint() == ledger.checkpoint()
    assert view.receipt() == ledger.receipt()
    assert [view.cursor(name) for name in ("alarm", "routine", "evidence")] == [2, 0, 0]
    assert view.newest(Lane.ALARM) == 1
    assert view.backlog(Lane.ALARM) == (0, None)
    assert view.backlog(Lane.ROUTINE) == ledger.backlog(Lane.ROUTINE)
    assert [leaf["id"] for leaf in view.leaves_of([RecordType.INCIDENT_OPENED])] == ["1"]
    assert view.evidence_path("a" * 64) == ledger.evidence_path("a" * 64)


def test_the_view_sees_what_comes_later(view, ledger):
    ledger.submit([alarm(4)]).result(WAIT_S)
    assert view.size == 4
    assert view.newest(Lane.ALARM) == 3
    assert view.checkpoint() == ledger.checkpoint()


def test_the_view_outlives_the_daemon(view, ledger):
    ledger.close()
    assert view.size == 3


def test_where_there_is_no_ledger_the_view_says_so_and_makes_none(tmp_path):
    with pytest.raises(ConfigError, match="holds no ledger"):
        LedgerView.open(tmp_path)
    assert os.listdir(tmp_path) == []  # noqa: PTH208


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE leaf SET leaf = CAST('{' AS BLOB) WHERE idx = 1", "leaf 1 is damaged"),
        ("UPDATE leaf SET type = 'eseal.of.tomorrow' WHERE idx = 1", "unknown type"),
    ],
)
def test_a_damaged_record_is_told_when_it_is_read(view, ledger, directory, change, said):
    tamper(directory, change)
    with pytest.raises(LedgerCorrupt, match=said):
        list(view.leaves_of([RecordType.INCIDENT_OPENED])) + ledger.pending(Lane.ALARM, 0, 9)


@pytest.mark.parametrize(
    ("table", "column", "said"),
    [
        ("leaf", "leaf BLOB", "leaf 1 is damaged"),
        ("node", "hash BLOB", "is no hash"),
        ("checkpoint", "note BLOB", "not of its kind"),
        ("receipt", "note BLOB", "not of its kind"),
    ],
)
def test_values_of_another_kind_are_damage(view, ledger, directory, table, column, said):
    ledger.close()
    name, kind = column.split()
    connection = sqlite3.connect(directory / FILE_NAME)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = ?",
        (f"{name} {kind}", f"{name} ANY", table),
    )
    connection.commit()
    connection.close()
    tamper(directory, f"UPDATE {table} SET {name} = 5")
    with pytest.raises(LedgerCorrupt, match=said):
        [view.reader.node(0, 0), view.checkpoint(), *view.leaves_of([RecordType.INCIDENT_OPENED])]
