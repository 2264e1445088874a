"""Retention at work on a real ledger: what goes, what stays, and that it stays provable."""

import os
import sqlite3
import time

import pytest

from edge.domain.record import Lane, RecordType
from edge.errors import StorageFull
from edge.ledger import candidates, chore
from edge.ledger.checkpoint import parse_note
from edge.ledger.chore import Chore
from edge.ledger.export import export
from edge.ledger.keeper import Stopped
from edge.ledger.merkle import consistency_proof, verify_consistency
from edge.ledger.policy import CHECKPOINT_DAYS, Policy
from edge.ledger.pruned import runs
from edge.ledger.schema import FILE_NAME
from tests.ledger.support import WAIT_S, alarm, draft

NOW_S = 1_750_000_000  # of `support.draft`
DAYS = 200
OLD = Policy(routine_days=90, alarm_days=90, evidence_days=90)
KEPT = Policy(routine_days=9999, alarm_days=9999, evidence_days=9999)
KEEP = 5


@pytest.fixture(autouse=True)
def few_stay(monkeypatch):
    monkeypatch.setattr(chore, "KEEP_NEWEST", KEEP)
    monkeypatch.setattr(candidates, "KEEP_NEWEST", KEEP)
    monkeypatch.setattr("edge.ledger.keeper.PAUSE_S", 0)


def put(ledger, *drafts):
    return ledger.submit(drafts).result(WAIT_S)


def carry(ledger, province, days=DAYS):
    """Everything so far is PUBACKed, and the province says so some days later."""
    note = ledger.seal_head().result(WAIT_S)
    size = ledger.size
    for name in ("alarm", "routine", "evidence"):
        ledger.move_cursor(name, size).result(WAIT_S)
    ledger.add_receipt(province.cosign(note, NOW_S + days * 86_400), size).result(WAIT_S)


def sweep(ledger, policy=OLD):
    return ledger.sweep(policy).result(WAIT_S)


def indices(ledger):
    return [int(leaf["id"]) for leaf in ledger.leaves_of(RecordType)]


def evidence(ledger, name=b"picture"):
    ref = ledger.put_evidence(name, "image/jpeg", "").result(WAIT_S)
    return {"evidence": [{"sha256": ref.sha256}]}, ledger.evidence_path(ref.sha256)


@pytest.fixture
def late(clock):
    clock.advance(DAYS * 86_400)


def query(directory, statement):
    connection = sqlite3.connect(directory / FILE_NAME)
    rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


def test_old_routine_goes_and_the_tree_stays_provable(ledger, directory, province, late):
    put(ledger, *(draft(i) for i in range(20)))
    note = ledger.seal_head().result(WAIT_S)
    carry(ledger, province)
    sweep(ledger)
    assert indices(ledger) == list(range(15, 20))
    assert query(directory, "SELECT first, last FROM pruned") == [(0, 14)]
    put(ledger, draft(20))
    old = parse_note(note).checkpoint
    new = parse_note(ledger.seal_head().result(WAIT_S)).checkpoint
    proof = consistency_proof(old.size, new.size, ledger._reader.node)
    assert verify_consistency(old.size, new.size, old.root, new.root, proof)


def test_what_is_kept_for_good_stays_between_runs_that_grow_together(
    ledger, directory, province, late
):
    put(ledger, draft(0), draft(1, RecordType.ORDER_ACCEPTED), draft(2), alarm(3))
    put(ledger, *(draft(i) for i in range(4, 12)))
    carry(ledger, province)
    sweep(ledger, Policy(routine_days=90))
    assert indices(ledger) == [1, 3, *range(7, 12)]
    assert query(directory, "SELECT first, last FROM pruned") == [(0, 0), (2, 2), (4, 6)]
    sweep(ledger)  # alarms too
    assert query(directory, "SELECT first, last FROM pruned") == [(0, 0), (2, 6)]


def test_nothing_goes_that_no_receipt_covers(ledger, province, late):
    put(ledger, *(draft(i) for i in range(20)))
    sweep(ledger)
    assert indices(ledger) == list(range(20))
    carry(ledger, province)
    put(ledger, *(draft(i) for i in range(20, 40)))
    sweep(ledger)
    assert indices(ledger) == list(range(20, 40))


def test_nothing_goes_that_was_not_delivered(ledger, province, late):
    put(ledger, *(draft(i) for i in range(20)))
    note = ledger.seal_head().result(WAIT_S)
    ledger.add_receipt(province.cosign(note, NOW_S + DAYS * 86_400), 20).result(WAIT_S)
    sweep(ledger)
    assert indices(ledger) == list(range(20))


def test_the_writer_itself_refuses_what_must_stay(ledger, province):
    put(ledger, *(draft(i) for i in range(20)))
    with pytest.raises(ValueError, match="only 0 may go"):
        ledger._tend(Chore(prune=(0,))).result(WAIT_S)
    carry(ledger, province)
    with pytest.raises(ValueError, match="leaf 15 must stay"):
        ledger._tend(Chore(prune=(15,))).result(WAIT_S)
    with pytest.raises(ValueError, match="does not replace"):
        ledger._tend(Chore(checkpoints=(20,))).result(WAIT_S)


def test_a_clock_set_forward_deletes_nothing(ledger, clock, province):
    put(ledger, *(draft(i) for i in range(20)))
    carry(ledger, province, days=1)
    clock.step_wall(10_000 * 86_400)
    sweep(ledger)
    assert len(indices(ledger)) == 20


def test_a_ledger_that_was_pruned_opens_again(opener, province, late):
    ledger = opener()
    put(ledger, *(draft(i) for i in range(20)))
    carry(ledger, province)
    sweep(ledger)
    ledger.close()
    again = opener()
    assert again.size == 20
    assert put(again, draft(20))[0].index == 20


def test_alarms_of_an_open_incident_stay_however_old(ledger, province, late):
    put(ledger, alarm(0, incident="a"), alarm(1, incident="b"))
    put(ledger, draft(2, RecordType.INCIDENT_CLOSED, incident="b", closed="x"))
    put(ledger, *(draft(i) for i in range(3, 12)))
    carry(ledger, province)
    sweep(ledger)
    assert indices(ledger) == [0, *range(7, 12)]
    put(ledger, draft(12, RecordType.INCIDENT_CLOSED, incident="a", closed="x"))
    put(ledger, *(draft(i) for i in range(13, 20)))
    carry(ledger, province)
    sweep(ledger)
    assert 0 not in indices(ledger)


def test_old_evidence_goes_when_it_was_carried_and_its_incident_closed(
    ledger, directory, province, late
):
    named, path = evidence(ledger)
    put(ledger, alarm(0, incident="a", **named))
    put(ledger, *(draft(i) for i in range(1, 12)))
    carry(ledger, province)
    sweep(ledger)
    assert path.exists()
    put(ledger, draft(12, RecordType.INCIDENT_CLOSED, incident="a", closed="x", **named))
    sweep(ledger)
    assert path.exists()  # its newest record is not receipted yet
    carry(ledger, province)
    sweep(ledger)
    assert not path.exists()
    assert query(directory, "SELECT gone_us IS NOT NULL FROM evidence") == [(1,)]


def test_evidence_waits_for_its_upload(ledger, province, late):
    named, path = evidence(ledger)
    put(ledger, alarm(0, **named), alarm(1))
    note = ledger.seal_head().result(WAIT_S)
    for name in ("alarm", "routine"):
        ledger.move_cursor(name, 2).result(WAIT_S)
    ledger.add_receipt(province.cosign(note, NOW_S + DAYS * 86_400), 2).result(WAIT_S)
    sweep(ledger)
    assert path.exists()
    ledger.move_cursor("evidence", 1).result(WAIT_S)
    sweep(ledger)
    assert not path.exists()


def test_evidence_of_an_activity_that_was_no_incident_goes_too(ledger, province, late):
    named, path = evidence(ledger)
    put(ledger, draft(0, RecordType.ACTIVITY_STARTED, **named))
    carry(ledger, province)
    sweep(ledger)
    assert not path.exists()


def test_a_file_that_no_record_names_goes_after_a_day(ledger):
    _named, path = evidence(ledger)
    day_ago = NOW_S - 90_000
    os.utime(path, (NOW_S, NOW_S))
    assert sweep(ledger).used > 0
    assert path.exists()
    os.utime(path, (day_ago, day_ago))
    sweep(ledger)
    assert not path.exists()


def test_a_file_that_is_stored_again_meanwhile_is_not_deleted(ledger):
    _named, path = evidence(ledger)
    files = ledger._evidence
    before = files.touched_ns(path.name)
    os.utime(path, ns=(1, 1))
    evidence(ledger)
    assert files.remove(path.name, 1) == 0
    assert files.remove(path.name, files.touched_ns(path.name)) == len(b"picture")
    assert files.remove(path.name, before) == 0
    assert files.touched_ns(path.name) == 0


def test_where_space_is_short_routine_goes_before_evidence(ledger, province):
    named, path = evidence(ledger, bytes(300_000))
    put(ledger, draft(0, RecordType.ACTIVITY_STARTED, **named))
    put(ledger, *(draft(i, text="x" * 5000) for i in range(1, 100)))
    carry(ledger, province)
    sweep(ledger, KEPT)
    size = ledger.space(KEPT).used
    assert len(indices(ledger)) == 100
    sweep(ledger, Policy(budget=int(size / 0.93), reserve=0))
    assert 0 < len(indices(ledger)) < 100
    assert path.exists()
    sweep(ledger, Policy(budget=300_000, reserve=0))
    assert len(indices(ledger)) == KEEP
    assert not path.exists()


def test_where_nothing_may_go_it_is_said_that_space_is_low(ledger):
    put(ledger, *(draft(i, text="x" * 5000) for i in range(50)))
    space = sweep(ledger, Policy(budget=100_000, reserve=0))
    assert space.low
    assert space.shed
    assert len(indices(ledger)) == 50


def test_space_that_became_free_is_given_back(ledger, directory, province, late):
    put(ledger, *(draft(i, text="x" * 3000) for i in range(4000)))
    carry(ledger, province)
    before = sum(path.stat().st_size for path in directory.glob(f"{FILE_NAME}*"))
    sweep(ledger)
    ledger.close()
    assert (directory / FILE_NAME).stat().st_size < before - 5_000_000


def test_old_heads_go_and_the_newest_of_each_day_stays(ledger, directory, clock, province):
    clock.advance(-1)
    for day in range(CHECKPOINT_DAYS + 3):
        put(ledger, alarm(day))
        clock.advance(86_400)
    carry(ledger, province, days=CHECKPOINT_DAYS + 3)
    sweep(ledger, KEPT)
    sizes = [size for (size,) in query(directory, "SELECT size FROM checkpoint ORDER BY size")]
    assert sizes == list(range(4, 11))


def test_an_alarm_does_not_wait_for_a_sweep(ledger, province, late):
    put(ledger, *(draft(i, text="x" * 500) for i in range(3000)))
    carry(ledger, province)
    running = ledger.sweep(OLD)
    waits = []
    while not running.done():
        start = time.perf_counter()
        put(ledger, alarm(9999))
        waits.append(time.perf_counter() - start)
    assert running.result(WAIT_S).low is False
    assert ledger.newest(Lane.ALARM) == 2999 + len(waits)
    assert sorted(waits)[len(waits) // 2] < 0.05


def test_closing_does_not_wait_for_the_end_of_a_sweep(opener, province, late, monkeypatch):
    monkeypatch.setattr("edge.ledger.keeper.PAUSE_S", WAIT_S)
    ledger = opener()
    put(ledger, *(draft(i) for i in range(300)))
    carry(ledger, province)
    running = ledger.sweep(OLD)
    ledger.close()
    with pytest.raises(Stopped):
        running.result(WAIT_S)


def test_a_directory_that_is_gone_is_told(ledger, directory, monkeypatch):
    def fail(*_args):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("os.statvfs", fail)
    with pytest.raises(StorageFull, match="No such file"):
        ledger.space(OLD)


def test_whatever_fits_no_page_is_gone_through_page_by_page(
    ledger, directory, province, late, monkeypatch
):
    for name in ("edge.ledger.keeper.PAGE", "edge.ledger.candidates.PAGE"):
        monkeypatch.setattr(name, 3)
    monkeypatch.setattr("edge.ledger.candidates.PORTION", 2)
    monkeypatch.setattr("edge.ledger.pruned._PAGE", 2)
    paths = []
    for number in range(10):
        named, path = evidence(ledger, b"%d" % number)
        paths.append(path)
        put(ledger, draft(number, RecordType.ACTIVITY_STARTED, **named))
        put(ledger, alarm(number, incident=f"i{number}", **named))
    for number in range(0, 10, 2):
        closed = {"incident": f"i{number}", "closed": "x"}
        put(ledger, draft(number, RecordType.INCIDENT_CLOSED, **closed))
    put(ledger, *(draft(i) for i in range(KEEP)))
    carry(ledger, province)
    sweep(ledger)
    assert [path.exists() for path in paths] == [number % 2 == 1 for number in range(10)]
    opened = [2 * number + 1 for number in range(1, 10, 2)]
    assert indices(ledger) == [*opened, *range(25, 30)]
    with ledger._reader.connection() as connection:
        gone = [index for first, end in runs(connection, 0, 30) for index in range(first, end)]
    assert gone == [index for index in range(25) if index not in opened]


def test_a_pruned_ledger_can_be_exported(ledger, directory, tmp_path, province, late):
    put(ledger, *(draft(i) for i in range(20)))
    carry(ledger, province)
    sweep(ledger)
    export(directory, tmp_path / "bundle.tar")
