"""The writing thread: kill -9, a full disk, a read-only one, and bugs."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.domain.record import Lane, RecordType
from edge.errors import EsealError, LedgerCorrupt, StorageFull
from edge.ledger.checkpoint import Signer, verify_checkpoint
from edge.ledger.commit import Commit
from edge.ledger.schema import corrupt
from edge.ledger.store import Ledger
from edge.ledger.writer import BATCH_DRAFTS
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft, eventually
from tests.support import require_program

REPO = Path(__file__).resolve().parents[2]
KILLS = 20


def put(ledger, *drafts):
    return ledger.submit(drafts).result(WAIT_S)


def connection_of(ledger):
    return ledger._writer._connection


class Victims:
    """Forks writers, kills each at a moment of chance, and gathers what they acknowledged."""

    def __init__(self, directory, key: bytes) -> None:
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.ledger.killed_writer", directory, key.hex()],
            cwd=REPO,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def kill_one(self, first: int, after_s: float) -> dict[int, int]:
        """Index to number of every record that was acknowledged before the kill."""
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(f"{first}\n".encode())
        self._nursery.stdin.flush()
        pid = int(self._nursery.stdout.readline().split()[1])
        time.sleep(after_s)
        os.kill(pid, signal.SIGKILL)
        told = list(iter(self._nursery.stdout.readline, b"dead\n"))
        whole = [line.split() for line in told if line.endswith(b"\n")]
        return {int(index): int(number) for index, number in whole}

    def close(self) -> None:
        self._nursery.communicate()


def test_kill_9_at_any_moment_loses_nothing_that_was_acknowledged(directory, clock):
    private = Ed25519PrivateKey.generate()
    signer = Signer(ORIGIN, private)
    victims = Victims(directory, private.private_bytes_raw())
    acknowledged: dict[int, int] = {}
    chance = random.Random()  # every run kills at other moments
    productive = 0
    for round_ in range(KILLS):
        told = victims.kill_one(round_ * 1_000_000, chance.random() * 0.25)
        productive += bool(told)
        acknowledged |= told
        ledger = Ledger.open(directory, origin=ORIGIN, signer=signer, clock=clock)
        leaves = list(ledger.leaves_of(RecordType))
        ledger.close()
        assert [int(leaf["id"]) for leaf in leaves] == list(range(len(leaves)))
        numbers = [leaf["data"]["number"] for leaf in leaves]
        assert len(set(numbers)) == len(numbers)
        assert {index: numbers[index] for index in acknowledged} == acknowledged
    victims.close()
    assert productive >= KILLS // 10  # on a busy machine few get as far


def test_a_full_disk_is_told_with_place_and_remedy_and_works_again_when_space_returns(
    ledger, directory
):
    kept = put(ledger, draft(1), alarm(2))
    connection_of(ledger).execute("PRAGMA max_page_count = 1")
    with pytest.raises(StorageFull, match=r"no space is left.*Free space") as caught:
        put(ledger, *(draft(i, text="x" * 9000) for i in range(20)))
    assert str(directory) in str(caught.value)
    assert ledger.size == 2
    connection_of(ledger).execute("PRAGMA max_page_count = 1000000")
    assert put(ledger, alarm(3))[0].index == 2
    assert ledger.pending(Lane.ALARM, 0, 9)[0] == kept[1]


def test_the_probe_is_answered_though_the_disk_is_full_and_a_checkpoint_is_due(ledger, clock):
    put(ledger, draft())
    put(ledger, draft())
    connection_of(ledger).execute("PRAGMA query_only = ON")
    clock.advance(20)
    assert put(ledger) == []
    assert put(ledger) == []


def test_a_read_only_disk_is_told_and_nothing_is_lost(ledger):
    put(ledger, draft())
    connection_of(ledger).execute("PRAGMA query_only = ON")
    with pytest.raises(StorageFull, match="cannot be written"):
        put(ledger, draft())
    with pytest.raises(StorageFull):
        ledger.move_cursor("routine", 1).result(WAIT_S)
    assert ledger.cursor("routine") == 0
    connection_of(ledger).execute("PRAGMA query_only = OFF")
    assert put(ledger, draft())[0].index == 1


def test_closing_on_a_full_disk_is_no_reason_not_to_stop(opener, signer):
    ledger = opener()
    put(ledger, draft())
    put(ledger, draft())
    connection_of(ledger).execute("PRAGMA query_only = ON")
    ledger.close()
    again = opener()
    assert again.size == 2
    assert eventually(lambda: verify_checkpoint(again.checkpoint(), signer.verifier).size == 2)


def test_a_real_small_file_system_that_is_full_then_read_only(tmp_path):
    require_program("unshare")
    mount = tmp_path / "mount"
    mount.mkdir()
    mounted = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=4m none "$0" && exec "$@"']
    if subprocess.run([*mounted, mount, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a file-system (unshare -rm)")
    outcome = subprocess.run(
        [*mounted, mount, sys.executable, "-m", "tests.ledger.full_disk", mount, tmp_path / "b"],
        cwd=REPO,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (outcome.stdout, outcome.returncode) == ("ok\n", 0), outcome.stderr


def test_another_program_that_holds_the_file_is_told(ledger, directory):
    put(ledger, draft())
    connection_of(ledger).execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(directory / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageFull, match="another program holds it"):
        put(ledger, draft())
    other.execute("ROLLBACK")
    other.close()
    assert put(ledger, draft())[0].index == 1


def test_rows_that_another_hand_added_stop_the_ledger_for_good(ledger, directory):
    put(ledger, draft())
    other = sqlite3.connect(directory / "ledger.db")
    with other:
        other.execute("INSERT INTO leaf VALUES (1, 'alarm', 'x', 0, x'00')")
    other.close()
    with pytest.raises(LedgerCorrupt, match="damaged"):
        put(ledger, draft())
    with pytest.raises(LedgerCorrupt, match="damaged"):
        put(ledger)


def test_what_was_waiting_when_damage_was_found_is_refused_too(ledger, monkeypatch):
    begun = threading.Event()
    go_on = threading.Event()

    def broken(_self, _connection):
        begun.set()
        go_on.wait(WAIT_S)
        raise corrupt(Path("place"), "it is damaged")

    monkeypatch.setattr(Commit, "write", broken)
    first = ledger.submit([draft(1)])
    assert begun.wait(WAIT_S)
    second = ledger.submit([draft(2)])
    go_on.set()
    for future in (first, second):
        with pytest.raises(LedgerCorrupt, match="place: it is damaged"):
            future.result(WAIT_S)


def test_a_bug_ends_the_writer_loudly_and_nobody_waits_for_ever(opener, monkeypatch):
    ledger = opener()
    seen: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)

    def broken(_self, _connection):
        raise ZeroDivisionError

    monkeypatch.setattr(Commit, "write", broken)
    with pytest.raises(ZeroDivisionError):
        put(ledger, draft())
    assert eventually(lambda: bool(seen))
    with pytest.raises(EsealError, match="writer ended"):
        put(ledger)


def test_what_waits_is_committed_together_but_not_without_bound(ledger):
    commits = []
    real = Commit.write

    def counted(commit, connection):
        commits.append(commit.after.size)
        time.sleep(0.02)
        real(commit, connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Commit, "write", counted)
        futures = [ledger.submit([draft(i)]) for i in range(3 * BATCH_DRAFTS)]
        for future in futures:
            future.result(WAIT_S)
    sizes = [b - a for a, b in zip([0, *commits], commits, strict=False)]
    assert max(sizes) <= BATCH_DRAFTS
    assert len(commits) < 30


def test_what_many_threads_submit_lies_in_one_order_without_gaps(ledger):
    told: list[list[int]] = [[], [], [], []]

    def work(mine: list[int]) -> None:
        mine += [put(ledger, draft(number))[0].index for number in range(40)]

    threads = [threading.Thread(target=work, args=(mine,)) for mine in told]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert sorted(index for mine in told for index in mine) == list(range(160))
    assert all(mine == sorted(mine) for mine in told)
    assert [int(leaf["id"]) for leaf in ledger.leaves_of(RecordType)] == list(range(160))


def test_what_is_submitted_while_the_ledger_is_closed_is_committed_or_refused(opener):
    for _ in range(10):
        ledger = opener()
        size = ledger.size
        futures: list[Future[Any]] = []

        def work(ledger=ledger, futures=futures) -> None:
            for number in range(200):
                futures.append(ledger.submit([draft(number)]))

        thread = threading.Thread(target=work)
        thread.start()
        ledger.close()
        thread.join(WAIT_S)
        taken = [future for future in futures if future.exception(WAIT_S) is None]
        refused = [future.exception(0) for future in futures[len(taken) :]]
        assert all(isinstance(error, EsealError) for error in refused)
        assert [f.result(0)[0].index for f in taken] == list(range(size, size + len(taken)))
