"""The ledger as the daemon uses it."""

import asyncio
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from edge.clock import ManualClock
from edge.domain.record import Lane, RecordType
from edge.errors import ConfigError, EsealError, LedgerCorrupt, Refused, StorageFull
from edge.ledger import store
from edge.ledger.checkpoint import Checkpoint, Signer, verify_checkpoint
from edge.ledger.merkle import root
from edge.ledger.schema import FILE_NAME
from edge.ledger.store import Ledger, LedgerView
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft, eventually, tamper, tree_of


def put(ledger, *drafts):
    return ledger.submit(drafts).result(WAIT_S)


def test_records_get_dense_places_and_their_exact_bytes_are_kept(ledger, signer):
    first = put(ledger, draft(1), alarm(2))
    second = put(ledger, draft(3))
    assert [record.index for record in first + second] == [0, 1, 2]
    assert ledger.size == 3
    assert ledger.vkey == str(signer.verifier)
    again = ledger.pending(Lane.ROUTINE, 0, 10)
    assert again == [first[0], second[0]]
    assert [json.loads(record.leaf)["id"] for record in again] == ["0", "2"]


def test_a_new_ledger_is_empty(ledger):
    assert ledger.size == 0
    assert ledger.checkpoint() is None
    assert ledger.receipt() is None
    assert ledger.newest(Lane.ALARM) is None
    assert ledger.backlog(Lane.ALARM) == (0, None)
    assert ledger.pending(Lane.ALARM, 0, 10) == []
    assert list(ledger.leaves_of(RecordType)) == []


def test_the_liveness_probe_writes_nothing(ledger):
    assert put(ledger) == []
    assert ledger.size == 0


def test_lanes_are_read_apart_from_any_place_and_in_portions(ledger):
    put(ledger, *(alarm(i) if i % 3 == 0 else draft(i) for i in range(20)))
    alarms = [record.index for record in ledger.pending(Lane.ALARM, 0, 100)]
    assert alarms == [0, 3, 6, 9, 12, 15, 18]
    assert [record.index for record in ledger.pending(Lane.ALARM, 4, 2)] == [6, 9]
    assert ledger.newest(Lane.ALARM) == 18
    assert ledger.newest(Lane.ROUTINE) == 19


def test_the_backlog_counts_from_the_cursor_and_tells_the_oldest(ledger):
    put(ledger, alarm(1), draft(2), alarm(3))
    assert ledger.backlog(Lane.ALARM) == (2, 1_750_000_000_000_001)
    ledger.move_cursor("alarm", 1).result(WAIT_S)
    assert ledger.backlog(Lane.ALARM) == (1, 1_750_000_000_000_003)
    ledger.move_cursor("alarm", 3).result(WAIT_S)
    assert ledger.backlog(Lane.ALARM) == (0, None)
    assert ledger.backlog(Lane.ROUTINE)[0] == 1


def test_a_cursor_only_moves_forward_and_never_past_the_end(ledger):
    put(ledger, alarm(), alarm())
    ledger.move_cursor("alarm", 2).result(WAIT_S)
    ledger.move_cursor("alarm", 1).result(WAIT_S)
    assert ledger.cursor("alarm") == 2
    assert ledger.cursor("routine") == ledger.cursor("evidence") == 0
    with pytest.raises(ValueError, match="2 leaves"):
        ledger.move_cursor("alarm", 3).result(WAIT_S)
    with pytest.raises(ValueError, match="no cursor"):
        ledger.move_cursor("other", 1)


def test_everything_is_there_again_after_a_restart(opener, province):
    ledger = opener()
    records = put(ledger, draft(1), alarm(2), draft(3))
    note = ledger.seal_head().result(WAIT_S)
    receipt = province.cosign(note, 1_750_000_000)
    ledger.add_receipt(receipt, 3).result(WAIT_S)
    ledger.move_cursor("routine", 3).result(WAIT_S)
    ledger.close()
    again = opener()
    assert again.size == 3
    assert again.checkpoint() == note
    assert again.receipt() == (3, receipt)
    assert (again.cursor("alarm"), again.cursor("routine")) == (0, 3)
    assert again.newest(Lane.ALARM) == 1
    assert again.pending(Lane.ALARM, 0, 9) == [records[1]]
    assert put(again, draft(4))[0].index == 3


def test_restored_types_come_back_oldest_first_over_many_pages(ledger):
    drafts = [alarm(i) if i % 2 else draft(i) for i in range(700)]
    put(ledger, *drafts, draft(700, RecordType.SOURCE_LOST))
    types = [RecordType.INCIDENT_OPENED, RecordType.GATEWAY_HEALTH, RecordType.GATEWAY_HEALTH]
    assert [leaf["data"]["number"] for leaf in ledger.leaves_of(types)] == list(range(700))


def test_an_alarm_is_sealed_in_its_own_commit(ledger, signer):
    put(ledger, draft())
    put(ledger, draft(), alarm())
    assert verify_checkpoint(ledger.checkpoint(), signer.verifier).size == 3


def test_checkpoints_are_at_most_ten_seconds_apart_while_there_are_new_leaves(ledger, clock):
    put(ledger, draft())
    first = ledger.checkpoint()
    assert first is not None, "the first leaf after a silence is sealed at once"
    clock.advance(8.0)
    put(ledger, draft())
    assert ledger.checkpoint() == first
    clock.advance(1.5)
    put(ledger)
    put(ledger)  # the writer has looked at the clock before it answers the second
    assert ledger.checkpoint() != first


def test_a_checkpoint_comes_without_further_leaves(ledger, clock, signer):
    put(ledger, draft())
    clock.advance(1.0)
    put(ledger, draft())
    clock.advance(9.0)
    assert eventually(lambda: verify_checkpoint(ledger.checkpoint(), signer.verifier).size == 2)


def test_sealing_gives_the_newest_head_and_signs_none_twice(ledger, signer):
    empty = ledger.seal_head().result(WAIT_S)
    assert verify_checkpoint(empty, signer.verifier).size == 0
    records = put(ledger, draft(), draft(), draft())
    note = ledger.seal_head().result(WAIT_S)
    expected = root(3, tree_of([record.leaf for record in records]))
    assert verify_checkpoint(note, signer.verifier) == Checkpoint(ORIGIN, 3, expected)
    assert ledger.seal_head().result(WAIT_S) == note == ledger.checkpoint()


def test_every_checkpoint_names_the_root_of_its_leaves(ledger, signer):
    leaves = []
    for number in range(40):
        leaves += [record.leaf for record in put(ledger, alarm(number), *[draft()] * (number % 4))]
        head = verify_checkpoint(ledger.checkpoint(), signer.verifier)
        assert head == Checkpoint(ORIGIN, len(leaves), root(len(leaves), tree_of(leaves)))


def test_a_receipt_is_kept_only_for_a_head_that_is_ours(ledger, signer, province):
    put(ledger, draft(), draft())
    note = ledger.seal_head().result(WAIT_S)
    twin = Signer.generate("other")
    foreign = {
        "not a checkpoint": (b"garbage", 2),
        "not eseal": (twin.checkpoint(Checkpoint("other", 2, bytes(32))), 2),
        "is for": (note, 1),
        "but there are 2": (signer.checkpoint(Checkpoint(ORIGIN, 3, bytes(32))), 3),
        "another root": (signer.checkpoint(Checkpoint(ORIGIN, 2, bytes(32))), 2),
    }
    for why, (bad, size) in foreign.items():
        with pytest.raises(Refused, match=why):
            ledger.add_receipt(bad, size).result(WAIT_S)
    assert ledger.receipt() is None
    good = province.cosign(note, 7)
    ledger.add_receipt(good, 2).result(WAIT_S)
    ledger.add_receipt(good, 2).result(WAIT_S)
    assert ledger.receipt() == (2, good)


def test_an_older_receipt_that_comes_late_does_not_replace_a_newer(ledger, province):
    put(ledger, alarm())
    early = province.cosign(ledger.checkpoint(), 7)
    put(ledger, alarm())
    late = province.cosign(ledger.checkpoint(), 8)
    ledger.add_receipt(late, 2).result(WAIT_S)
    ledger.add_receipt(early, 1).result(WAIT_S)
    assert ledger.receipt() == (2, late)


def test_a_draft_that_is_no_leaf_harms_nobody_else(ledger):
    futures = [
        ledger.submit([draft(1)]),
        ledger.submit([draft(2), draft(3, value=float("nan"))]),
        ledger.submit([draft(4)]),
    ]
    with pytest.raises(ValueError, match="nan"):
        futures[1].result(WAIT_S)
    assert [futures[0].result(WAIT_S)[0].index, futures[2].result(WAIT_S)[0].index] == [0, 1]
    assert [leaf["data"]["number"] for leaf in ledger.leaves_of(RecordType)] == [1, 4]


def test_many_threads_submit_at_once_and_each_order_is_kept(opener):
    ledger = opener()

    def work(thread):
        futures = [ledger.submit([draft(thread * 1000 + i), draft(0)]) for i in range(100)]
        return [future.result(WAIT_S) for future in futures]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    for answers in results:
        places = [record.index for records in answers for record in records]
        assert places == sorted(places)
        assert all(records[1].index == records[0].index + 1 for records in answers)
    assert sorted(r.index for answers in results for records in answers for r in records) == list(
        range(1600)
    )
    ledger.close()
    assert opener().size == 1600


def test_readers_run_beside_the_writer(ledger):
    with ThreadPoolExecutor(4) as pool:
        writing = [ledger.submit([alarm(i)]) for i in range(300)]
        reading = [pool.submit(ledger.pending, Lane.ALARM, 0, 1000) for _ in range(40)]
        for future in reading:
            places = [record.index for record in future.result(WAIT_S)]
            assert places == list(range(len(places)))
    assert [future.result(WAIT_S)[0].index for future in writing] == list(range(300))


async def test_the_event_loop_can_wait_for_a_record_and_give_up(ledger):
    waiting = asyncio.wrap_future(ledger.submit([draft()]))
    waiting.cancel()
    records = await asyncio.wrap_future(ledger.submit([draft()]))
    assert records[0].index in (0, 1)


def test_evidence_is_durable_and_found_by_its_hash(ledger):
    ref = ledger.put_evidence(b"picture", "image/jpeg", "clean").result(WAIT_S)
    assert ref.sha256 == sha256(b"picture").hexdigest()
    assert ledger.evidence_path(ref.sha256).read_bytes() == b"picture"


def test_evidence_that_finds_no_space_says_where_and_what_to_do(ledger, directory, monkeypatch):
    def fail(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StorageFull, match="No space left") as caught:
        ledger.put_evidence(b"picture", "image/jpeg", "").result(WAIT_S)
    assert str(directory) in str(caught.value)
    assert "Free space" in str(caught.value)


def test_a_closed_ledger_takes_nothing_and_closes_twice(opener):
    ledger = opener()
    ledger.close()
    ledger.close()
    with pytest.raises(EsealError, match="closed"):
        ledger.submit([draft()]).result(WAIT_S)


def test_closing_commits_what_waits_and_leaves_a_sealed_head(opener, clock, signer):
    ledger = opener()
    put(ledger, draft())
    waiting = [ledger.submit([draft(i)]) for i in range(50)]
    ledger.close()
    assert [future.result(0)[0].index for future in waiting] == list(range(1, 51))
    assert verify_checkpoint(ledger.checkpoint(), signer.verifier).size == 51


def test_only_one_may_have_it_open(opener, ledger):
    with pytest.raises(EsealError, match="in use by another"):
        opener()
    ledger.close()
    opener()


def test_a_ledger_of_another_origin_is_a_fault_of_the_configuration(ledger, directory):
    ledger.close()
    other = Signer.generate("eseal/220000000001/gw-2")
    with pytest.raises(ConfigError, match=r"ledger of eseal/220000000001/gw-1.*gw-2"):
        Ledger.open(directory, origin=other.name, signer=other, clock=ManualClock())


def test_another_key_is_a_fault_of_the_configuration(ledger, directory):
    ledger.close()
    twin = Signer.generate(ORIGIN)
    with pytest.raises(ConfigError, match=r"gateway\.key.*not the key that signed"):
        Ledger.open(directory, origin=ORIGIN, signer=twin, clock=ManualClock())


def test_a_ledger_that_does_not_say_whose_it_is_is_corrupt(ledger, opener, directory):
    put(ledger, draft())
    ledger.close()
    tamper(directory, "DELETE FROM meta WHERE key = 'vkey'")
    with pytest.raises(LedgerCorrupt, match="vkey"):
        opener()
    with pytest.raises(LedgerCorrupt, match="vkey"):
        LedgerView.open(directory)
    tamper(directory, "DELETE FROM meta")
    with pytest.raises(LedgerCorrupt, match="origin"):
        opener()


def test_a_failed_opening_lets_go_of_the_directory(opener, directory):
    ledger = opener()
    put(ledger, alarm())
    ledger.close()
    tamper(directory, "UPDATE checkpoint SET note = x'00'")
    for _ in range(2):
        with pytest.raises(LedgerCorrupt, match="checkpoint is damaged"):
            opener()


def test_a_directory_that_cannot_be_made_is_told(tmp_path, signer):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFull, match="file/ledger"):
        Ledger.open(tmp_path / "file" / "ledger", origin=ORIGIN, signer=signer, clock=ManualClock())


def test_a_ledger_that_could_not_be_begun_is_begun_later(opener, directory, monkeypatch):
    class Reluctant(sqlite3.Connection):
        def executemany(self, sql, parameters, /):
            if "meta" in sql:
                self.execute("PRAGMA query_only = ON")
            return super().executemany(sql, parameters)

    def connect(path):
        return sqlite3.connect(
            path / FILE_NAME, isolation_level=None, check_same_thread=False, factory=Reluctant
        )

    with monkeypatch.context() as patch:
        patch.setattr(store, "connect_writer", connect)
        with pytest.raises(StorageFull, match="cannot be written"):
            opener()
    assert opener().size == 0
