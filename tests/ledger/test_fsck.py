"""`fsck` names everything that is missing or damaged, and nothing else; beside the daemon too."""

import random
import shutil
import sqlite3

import pytest

from edge.clock import ManualClock
from edge.errors import ConfigError, StorageFull
from edge.ledger import candidates, chore
from edge.ledger import fsck as module
from edge.ledger.checkpoint import Checkpoint, Signer, parse_note
from edge.ledger.chore import Chore
from edge.ledger.fsck import fsck
from edge.ledger.schema import FILE_NAME
from edge.ledger.store import Ledger
from edge.ledger.survey import (
    MAX_FOUND,
    MAX_RUNS,
    UNREADABLE,
    Findings,
    Runs,
    Survey,
    stepping_over,
)
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft, tamper

SIZE = 600
PICTURE = b"picture" * 100


def quiet(_stage, _done, _total):
    pass


@pytest.fixture(scope="module")
def whole(tmp_path_factory, signer, province):
    """600 records, some let go, a receipt, a picture, and one that retention deleted."""
    directory = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chore, "KEEP_NEWEST", 5)
        patch.setattr(candidates, "KEEP_NEWEST", 5)
        ledger = Ledger.open(directory, origin=ORIGIN, signer=signer, clock=ManualClock())
        refs = [
            ledger.put_evidence(data, "image/jpeg", "").result(WAIT_S)
            for data in (PICTURE, b"old picture")
        ]
        ledger.submit([draft(i) for i in range(400)]).result(WAIT_S)
        named = [{"sha256": ref.sha256} for ref in refs]
        ledger.submit([alarm(400, evidence=named)]).result(WAIT_S)
        ledger.submit([draft(i) for i in range(401, SIZE)]).result(WAIT_S)
        note = ledger.seal_head().result(WAIT_S)
        ledger.add_receipt(province.cosign(note, 1_750_000_000), SIZE).result(WAIT_S)
        ledger.move_cursor("alarm", 401).result(WAIT_S)
        gone = bytes.fromhex(refs[1].sha256)
        ledger._tend(Chore(prune=tuple(range(10, 20)), indexed=SIZE)).result(WAIT_S)
        with sqlite3.connect(directory / FILE_NAME) as other:
            other.execute("INSERT INTO evidence VALUES (?, 400, 0, 1)", (gone,))
        other.close()
        ledger.evidence_path(refs[1].sha256).unlink()
        ledger.close()
    return directory


@pytest.fixture
def place(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "place")
    return tmp_path / "place"


@pytest.fixture
def check(province):
    return lambda directory: fsck(directory, [province.verifier], quiet)


def test_a_whole_ledger_is_said_to_be_whole_with_its_figures(place, check):
    found = check(place)
    assert found.sound, found.text()
    assert (found.size, found.whole, found.pruned, found.signed) == (SIZE, SIZE - 10, 10, SIZE)
    assert (found.checkpoints, found.receipts, found.evidence, found.gone) == (3, 1, 1, 1)
    assert "账本完好" in found.text()
    assert "the ledger is whole" in found.text()


def test_every_stage_tells_how_much_is_done(place):
    told = []
    fsck(place, [], lambda stage, done, total: told.append((stage[1], done, total)))
    stages = dict.fromkeys(stage for stage, _done, _total in told)
    assert list(stages) == [
        "database structure", "records", "hash tree", "checkpoints", "receipts", "evidence",
    ]  # fmt: skip
    assert all(done <= total for _stage, done, total in told)
    assert {told[-1][1], told[-1][2]} == {2}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM leaf WHERE idx IN (5, 6, 7, 99)", "4 records are missing: 5-7, 99"),
        ("DELETE FROM leaf WHERE idx = 599", "1 records are missing: 599"),
        ("UPDATE leaf SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx = 3", "their hash: 3"),
        ("UPDATE leaf SET lane = 'alarm' WHERE idx = 3", "filed under another place or kind: 3"),
        ("UPDATE leaf SET type = 'x' WHERE idx = 3", "filed under another place or kind: 3"),
        ("UPDATE leaf SET wall_us = wall_us + 1 WHERE idx = 3", "another place or kind: 3"),
        ("UPDATE leaf SET wall_us = 1 << 62 WHERE idx = 3", "another place or kind: 3"),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 0 AND pos = 7", "tree nodes"),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 0 AND pos = 12", "1/6"),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 5 AND pos = 3", "5/3, 6/1"),
        ("DELETE FROM node WHERE level = 2 AND pos = 9", "2/9"),
        ("INSERT INTO node VALUES (70, 0, zeroblob(32))", "should have 1196 nodes and has 1197"),
        ("UPDATE checkpoint SET note = x'00' WHERE size = 401", "checkpoint of 401"),
        ("UPDATE checkpoint SET size = 402 WHERE size = 401", "another origin or size"),
        ("DELETE FROM checkpoint", "there is no valid checkpoint"),
        ("UPDATE receipt SET note = x'00'", "receipt for 600"),
        ("UPDATE receipt SET size = 599", "another origin or size"),
        ("UPDATE cursor SET idx = 601 WHERE name = 'alarm'", "cursor alarm is at 601"),
        ("UPDATE cursor SET name = 'alarn' WHERE name = 'alarm'", "cursor alarn"),
        ("UPDATE pruned SET last = 5000", "pruned leaves 10-5000"),
        ("UPDATE pruned SET last = 25", "leaves are there though pruned"),
        ("DELETE FROM pruned", "10 records are missing: 10-19"),
        ("DELETE FROM meta WHERE key = 'origin'", "does not say its origin"),
        ("UPDATE meta SET value = 'x' WHERE key = 'vkey'", "public key is damaged"),
        ("DELETE FROM evidence", "is missing (named by record 400)"),
    ],
)  # fmt: skip
def test_everything_is_named(place, check, change, said):
    tamper(place, change)
    found = check(place)
    assert not found.sound
    assert said in found.text()


def test_a_cut_end_shows_in_what_was_signed(place, check):
    tamper(place, "DELETE FROM leaf WHERE idx >= 590")
    tamper(place, "DELETE FROM node WHERE (pos + 1) << level > 590")
    assert "the last 10 records are missing: 600 were signed" in check(place).text()


def test_evidence_that_is_missing_changed_or_unreadable_is_named(place, check, monkeypatch):
    [file] = [path for path in place.glob("evidence/??/*") if path.read_bytes() == PICTURE]
    file.write_bytes(PICTURE[:-1])
    assert f"evidence {file.name} was changed (named by record 400)" in check(place).text()
    file.unlink()
    assert f"evidence {file.name} is missing" in check(place).text()
    file.mkdir()
    assert "cannot be read" in check(place).text()


def test_files_that_no_record_names_are_counted_and_no_fault(place, check):
    (place / "evidence" / "ee").mkdir()
    (place / "evidence" / "ee" / ("e" * 64)).write_bytes(b"x")
    found = check(place)
    assert found.sound
    assert found.unnamed == 1


def test_a_receipt_by_a_strangers_key_is_named_where_the_provinces_is_known(place, signer, check):
    assert fsck(place, [], quiet).sound
    assert "no cosignature by a known key" in fsck(place, [signer.verifier], quiet).text()


def test_a_head_of_another_tree_is_named_though_it_is_signed(place, signer, check):
    note = signer.checkpoint(Checkpoint(ORIGIN, 401, bytes(32)))
    tamper(place, "UPDATE checkpoint SET note = ? WHERE size = 401", note)
    assert "does not have its root" in check(place).text()
    note = signer.checkpoint(Checkpoint(ORIGIN, 700, bytes(32)))
    tamper(place, "UPDATE checkpoint SET note = ?, size = 700 WHERE size = 401", note)
    assert "there are only 600 leaves" in check(place).text()


def test_heads_are_held_against_the_key_that_was_in_force(place, signer, province):
    successor = Signer.generate(ORIGIN)
    ledger = Ledger.open(place, origin=ORIGIN, signer=signer, clock=ManualClock())
    index = ledger.rotate(successor).result(WAIT_S).index
    ledger.submit([alarm(9)]).result(WAIT_S)
    ledger.close()
    found = fsck(place, [province.verifier], quiet)
    assert found.sound, found.text()
    note = signer.checkpoint(parse_note(newest_note(place)).checkpoint)
    newest = "(SELECT max(size) FROM checkpoint)"
    tamper(place, f"UPDATE checkpoint SET note = ? WHERE size = {newest}", note)
    assert "is not signed by" in fsck(place, [], quiet).text()
    change = "UPDATE leaf SET leaf = CAST(replace(leaf, 'by_old', 'by_odd') AS BLOB)"
    tamper(place, f"{change} WHERE idx = ?", index)
    assert f"their hash: {index}" in fsck(place, [], quiet).text()


def newest_note(place):
    connection = sqlite3.connect(place / FILE_NAME)
    (note,) = connection.execute("SELECT note FROM checkpoint ORDER BY size DESC").fetchone()
    connection.close()
    return note


def test_it_works_beside_the_daemon(place, signer, province):
    ledger = Ledger.open(place, origin=ORIGIN, signer=signer, clock=ManualClock())
    grown: list[object] = []

    def grow(stage, _done, _total):
        if not grown or stage[1] == "hash tree":
            grown.extend(ledger.submit([draft(9)] * 20).result(WAIT_S))

    try:
        found = fsck(place, [province.verifier], grow)
    finally:
        ledger.close()
    assert found.sound, found.text()
    assert len(grown) > 20


def test_what_retention_takes_meanwhile_is_not_missing(place, signer, province, monkeypatch):
    monkeypatch.setattr(chore, "KEEP_NEWEST", 5)
    monkeypatch.setattr(module, "PAGE", 50)
    ledger = Ledger.open(place, origin=ORIGIN, signer=signer, clock=ManualClock())

    def prune(stage, done, _total):
        if stage[1] == "records" and done == 50:
            ledger._tend(Chore(prune=tuple(range(300, 340)))).result(WAIT_S)

    try:
        found = fsck(place, [province.verifier], prune)
    finally:
        ledger.close()
    assert found.sound, found.text()
    assert found.pruned == 50


def test_where_there_is_no_ledger_there_is_nothing_to_check(tmp_path, check):
    with pytest.raises(ConfigError, match="holds no ledger"):
        check(tmp_path)


@pytest.mark.parametrize("content", [b"", b"garbage " * 1000, bytes(40_960)])
def test_a_file_that_is_no_ledger_any_more_is_a_finding(place, check, content):
    (place / FILE_NAME).write_bytes(content)
    found = check(place)
    assert not found.sound
    assert "账本" in found.text()


def content_of(directory):
    """Everything that the file says, but for local times that nothing rests on."""
    connection = sqlite3.connect(directory / FILE_NAME)
    queries = (
        "SELECT * FROM leaf ORDER BY idx", "SELECT * FROM node", "SELECT * FROM meta",
        "SELECT * FROM cursor", "SELECT size, note FROM checkpoint ORDER BY size",
        "SELECT size, note FROM receipt ORDER BY size", "SELECT * FROM pruned",
        "SELECT idx FROM leaf INDEXED BY leaf_by_lane WHERE lane = 'alarm'",
        "SELECT idx FROM leaf INDEXED BY leaf_by_type WHERE type = 'eseal.gateway.health'",
    )  # fmt: skip
    try:
        return [connection.execute(query).fetchall() for query in queries]
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    finally:
        connection.close()


def test_bits_that_flip_in_200_random_places_are_found_or_change_nothing(whole, tmp_path, check):
    intact, right = (whole / FILE_NAME).read_bytes(), content_of(whole)
    shutil.copytree(whole / "evidence", tmp_path / "evidence")
    chance = random.Random()
    found = 0
    for _ in range(200):
        changed = bytearray(intact)
        where, bit = chance.randrange(len(intact)), chance.randrange(8)
        changed[where] ^= 1 << bit
        (tmp_path / FILE_NAME).write_bytes(changed)
        sound = check(tmp_path).sound
        found += not sound
        harmless = content_of(tmp_path) == right
        assert harmless or not sound, f"byte {where}, bit {bit}"
        for path in tmp_path.glob("ledger.db-*"):
            path.unlink()
    assert found > 100


@pytest.mark.parametrize("page", range(2, 12))
def test_a_torn_page_is_found(place, check, page):
    data = bytearray((place / FILE_NAME).read_bytes())
    middle = (page - 1) * 4096 + 2048
    data[middle : page * 4096] = bytes(2048)
    before = content_of(place)
    (place / FILE_NAME).write_bytes(data)
    assert not check(place).sound or content_of(place) == before


def test_a_failing_disk_is_not_the_files_fault(place):
    survey = Survey(place, sqlite3.connect(":memory:"))
    error = sqlite3.ProgrammingError("bug")
    with pytest.raises(sqlite3.ProgrammingError), stepping_over(survey, "x", "x"):
        raise error
    survey.connection.close()
    survey.named.close()
    assert StorageFull.exit_code == 74


def test_findings_are_bounded():
    found = Findings()
    for _ in range(MAX_FOUND + 1):
        found.fault("x", "x")
    assert len(found.faults) == MAX_FOUND
    runs = Runs()
    for index in range(0, 4 * MAX_RUNS, 2):
        runs.add(index)
    assert len(runs.runs) == MAX_RUNS
    assert runs.count == 2 * MAX_RUNS
    assert str(runs).endswith(f"(+{2 * MAX_RUNS - 20})")
    assert not isinstance(UNREADABLE, tuple)
