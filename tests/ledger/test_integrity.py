"""Opening a ledger that somebody or something changed: said, located, and never believed."""

import random
import sqlite3

import pytest

from edge.clock import ManualClock
from edge.domain.record import RecordType
from edge.errors import EsealError, LedgerCorrupt
from edge.ledger import integrity
from edge.ledger.checkpoint import Checkpoint
from edge.ledger.export import export
from edge.ledger.schema import FILE_NAME
from edge.ledger.store import Ledger
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft, tamper

NEWEST = "(SELECT max(size) FROM checkpoint)"


@pytest.fixture
def filled(opener, directory, province):
    """A closed ledger: 10 leaves under the checkpoint, a receipt, and 4 leaves after it."""
    ledger = opener()
    ledger.submit([draft(i) for i in range(9)]).result(WAIT_S)
    ledger.submit([alarm(9)]).result(WAIT_S)
    ledger.add_receipt(province.cosign(ledger.checkpoint(), 7), 10).result(WAIT_S)
    ledger.submit([draft(i) for i in range(10, 14)]).result(WAIT_S)
    ledger.move_cursor("alarm", 10).result(WAIT_S)
    ledger.close()
    tamper(directory, "DELETE FROM checkpoint WHERE size > 10")  # as if killed before sealing
    return directory


def test_an_unsealed_rest_is_taken_up(filled, opener):
    assert opener().size == 14


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE leaf SET leaf = CAST(replace(leaf, 12, 13) AS BLOB) WHERE idx = 12", "leaf 12"),
        ("UPDATE leaf SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx = 9", "leaf 9"),
        ("UPDATE leaf SET lane = 'routine' WHERE idx = 9", "leaf 9 is filed"),
        ("UPDATE leaf SET type = 'eseal.gateway.health' WHERE idx = 9", "leaf 9 is filed"),
        ("DELETE FROM leaf WHERE idx = 13", "its tree ends at leaf 13"),
        ("DELETE FROM leaf WHERE idx = 11", "leaf 11 is missing"),
        ("DELETE FROM leaf WHERE idx = 3", "leaf 3 is missing"),
        ("DELETE FROM leaf", "0 leaves but its tree ends"),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 0 AND pos = 12", "leaf 12"),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 3 AND pos = 0", "not have the root"),
        ("UPDATE node SET hash = zeroblob(31) WHERE level = 3 AND pos = 0", "3/0"),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 2 AND pos = 0", "leaf 3"),
        ("DELETE FROM node WHERE level = 1 AND pos = 6", "1/6 is missing"),
        ("DELETE FROM node WHERE level = 0 AND pos = 13", "its tree ends at leaf 12"),
        ("UPDATE checkpoint SET note = x'00'", "checkpoint is damaged"),
        ("UPDATE checkpoint SET size = 12 WHERE size = 10", "another size or origin"),
        ("UPDATE receipt SET note = x'00'", "receipt is damaged"),
        ("UPDATE receipt SET size = 11", "another size or origin"),
        ("UPDATE cursor SET idx = 15", "cursor alarm points past"),
        ("UPDATE cursor SET idx = -1", "cursor alarm"),
    ],
)  # fmt: skip
def test_every_contradiction_is_found_and_the_way_out_is_told(filled, opener, change, said):
    tamper(filled, change)
    with pytest.raises(LedgerCorrupt, match=said) as caught:
        opener()
    assert str(filled) in str(caught.value)
    assert "Change nothing there by hand" in str(caught.value)


def test_a_leaf_that_is_not_even_bytes_is_found(filled, opener):
    connection = sqlite3.connect(filled / FILE_NAME)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'leaf BLOB', 'leaf ANY')")
    connection.commit()
    connection.close()
    tamper(filled, "UPDATE leaf SET leaf = 5 WHERE idx = 12")
    with pytest.raises(LedgerCorrupt, match="leaf 12 is damaged"):
        opener()


def test_a_shortened_ledger_contradicts_its_own_signature(filled, opener):
    tamper(filled, "DELETE FROM leaf WHERE idx >= 8")
    tamper(filled, "DELETE FROM node WHERE (pos + 1) << level > 8")
    with pytest.raises(LedgerCorrupt, match="8 leaves but signed for 10"):
        opener()
    tamper(filled, "DELETE FROM checkpoint")
    with pytest.raises(LedgerCorrupt, match="8 leaves but the province holds 10"):
        opener()


@pytest.mark.parametrize(
    ("table", "what"), [("checkpoint", "its checkpoint names"), ("receipt", "its receipt names")]
)
def test_a_head_for_another_tree_is_found_though_it_is_signed(filled, opener, signer, table, what):
    note = signer.checkpoint(Checkpoint(ORIGIN, 10, bytes(32)))
    tamper(filled, f"UPDATE {table} SET note = ?", note)
    with pytest.raises(LedgerCorrupt, match=what):
        opener()


def test_a_head_of_another_log_is_found_though_it_is_signed(filled, opener, signer):
    note = signer.checkpoint(Checkpoint("eseal/1/other", 10, bytes(32)))
    tamper(filled, "UPDATE checkpoint SET note = ?", note)
    with pytest.raises(LedgerCorrupt, match="another size or origin"):
        opener()


def test_work_at_opening_is_in_proportion_to_what_is_new(filled, opener, monkeypatch):
    monkeypatch.setattr(integrity, "RECHECKED", 2)
    tamper(filled, "UPDATE leaf SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx = 7")
    opener()  # older than what is read again …
    with pytest.raises(LedgerCorrupt, match="root that was signed"):
        export(filled, filled / "bundle.tar")  # … but no export leaves with it
    assert not list(filled.glob("bundle*"))


@pytest.mark.parametrize("index", ["leaf_by_lane", "leaf_by_type"])
def test_an_index_that_forgot_a_record_is_found(filled, opener, index):
    connection = sqlite3.connect(filled / FILE_NAME)
    connection.execute("PRAGMA writable_schema = ON")
    # Rebuild the index over fewer rows, then let the schema say that it covers all.
    (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()
    connection.execute(f"DROP INDEX {index}")
    connection.execute(f"{sql} WHERE idx < 12")
    connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, index))
    connection.commit()
    connection.close()
    with pytest.raises(LedgerCorrupt, match=f"index {index} is damaged"):
        opener()


def test_a_file_that_is_no_database_is_told(filled, opener):
    (filled / FILE_NAME).write_bytes(b"garbage " * 1000)
    with pytest.raises(LedgerCorrupt, match="not a database"):
        opener()


def test_bits_that_flip_anywhere_in_the_file_are_told_or_change_nothing(filled, tmp_path, signer):
    connection = sqlite3.connect(filled / FILE_NAME)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    whole = (filled / FILE_NAME).read_bytes()
    chance = random.Random()
    for round_ in range(60):
        place = tmp_path / f"copy-{round_}"
        place.mkdir()
        changed = bytearray(whole)
        where = chance.randrange(len(whole))
        changed[where] ^= 1 << chance.randrange(8)
        (place / FILE_NAME).write_bytes(changed)
        try:
            ledger = Ledger.open(place, origin=ORIGIN, signer=signer, clock=ManualClock())
            try:
                ledger.seal_head().result(WAIT_S)
                numbers = [leaf["data"]["number"] for leaf in ledger.leaves_of(RecordType)]
                export(place, place / "bundle.tar")
            finally:
                ledger.close()
        except EsealError:
            continue
        assert numbers == list(range(14)), f"byte {where}"
