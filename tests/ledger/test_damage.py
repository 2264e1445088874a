"""The table of docs/operations.md, row by row: what happens to a ledger, and what is said."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge.clock import ManualClock
from edge.domain.record import RecordType
from edge.errors import EsealError, LedgerCorrupt, StorageFull
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.export import export
from edge.ledger.fsck import fsck
from edge.ledger.schema import FILE_NAME
from edge.ledger.store import Ledger
from edge.ledger.verify import verify
from edge.ledger.witness import HEAD_NAME, read_head
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft
from tests.support import require_program

SIZE = 40
REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def intact(tmp_path_factory, signer, province):
    """A ledger as kill -9 leaves it: its newest records are in the WAL only."""
    directory = tmp_path_factory.mktemp("intact")
    ledger = Ledger.open(directory, origin=ORIGIN, signer=signer, clock=ManualClock())
    picture = ledger.put_evidence(b"picture", "image/jpeg", "").result(WAIT_S)
    for i in range(SIZE - 1):
        ledger.submit([draft(i)]).result(WAIT_S)
    named = {"evidence": [{"sha256": picture.sha256}]}
    ledger.submit([alarm(SIZE - 1, **named)]).result(WAIT_S)
    ledger.add_receipt(province.cosign(ledger.checkpoint(), 1_750_000_000), SIZE).result(WAIT_S)
    copy = tmp_path_factory.mktemp("copies") / "killed"
    shutil.copytree(directory, copy)
    ledger.close()
    return copy


@pytest.fixture
def place(intact, tmp_path):
    shutil.copytree(intact, tmp_path / "place")
    return tmp_path / "place"


@pytest.fixture
def start(signer):
    """Open as the daemon does, look, and close."""

    def opened(directory: Path) -> int:
        ledger = Ledger.open(directory, origin=ORIGIN, signer=signer, clock=ManualClock())
        try:
            return ledger.size
        finally:
            ledger.close()

    return opened


def found(directory: Path) -> str:
    return fsck(directory, [], lambda *_: None).text()


def test_killed_in_the_middle_nothing_is_missing(place, start):
    assert start(place) == SIZE
    assert "ledger is whole" in found(place)


def test_a_cut_wal_is_found_at_start_and_the_missing_records_are_counted(place, start):
    wal = place / (FILE_NAME + "-wal")
    whole = wal.read_bytes()
    wal.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(LedgerCorrupt, match=r"signed for 40; the last \d+ are missing"):
        start(place)


@pytest.mark.parametrize("left", [0, 100, 4000, 20_000, 60_000])
def test_a_wal_cut_anywhere_is_found_at_start(place, start, left):
    wal = place / (FILE_NAME + "-wal")
    wal.write_bytes(wal.read_bytes()[:left])
    with pytest.raises(LedgerCorrupt):
        start(place)


def test_a_wal_with_flipped_bits_is_found_at_start(place, start):
    wal = place / (FILE_NAME + "-wal")
    data = bytearray(wal.read_bytes())
    data[len(data) // 2] ^= 1
    wal.write_bytes(data)
    with pytest.raises(LedgerCorrupt):
        start(place)


def test_a_deleted_database_is_found_at_start_where_only_the_key_is_left(place, start):
    for path in place.glob(f"{FILE_NAME}*"):
        path.unlink()
    with pytest.raises(LedgerCorrupt, match=r"ledger\.db is gone or empty: 40 records"):
        start(place)
    assert not (place / FILE_NAME).exists()  # nothing is begun in its place


@pytest.mark.parametrize("content", [b"", bytes(8192), b"garbage " * 1000])
def test_a_zeroed_or_overwritten_database_is_found_at_start(place, start, content):
    for path in place.glob(f"{FILE_NAME}-*"):
        path.unlink()
    (place / FILE_NAME).write_bytes(content)
    with pytest.raises(LedgerCorrupt):
        start(place)


def test_an_old_copy_put_back_is_found_at_start(place, start, signer, tmp_path):
    start(place)
    shutil.copy(place / FILE_NAME, tmp_path / "yesterday")
    ledger = Ledger.open(place, origin=ORIGIN, signer=signer, clock=ManualClock())
    ledger.submit([alarm(SIZE)]).result(WAIT_S)
    ledger.close()
    shutil.copy(tmp_path / "yesterday", place / FILE_NAME)
    with pytest.raises(LedgerCorrupt, match="signed for 41; the last 1 are missing"):
        start(place)


def test_another_history_of_the_same_length_is_found_at_start(place, start, signer):
    (place / HEAD_NAME).write_bytes(signer.checkpoint(Checkpoint(ORIGIN, 7, bytes(32))))
    with pytest.raises(LedgerCorrupt, match="its first 7 leaves are not those"):
        start(place)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"x" * 100_000])
def test_a_head_that_cannot_be_read_is_passed_over(place, start, content):
    (place / HEAD_NAME).write_bytes(content)
    assert start(place) == SIZE


def test_a_head_of_another_log_or_key_is_passed_over(place, start, signer):
    for stranger, origin in ((signer, "eseal/2/other"), (Signer.generate(ORIGIN), ORIGIN)):
        (place / HEAD_NAME).write_bytes(stranger.checkpoint(Checkpoint(origin, 99, bytes(32))))
        assert start(place) == SIZE


def test_the_head_lies_beside_the_database_after_every_checkpoint(place, start, signer):
    (place / HEAD_NAME).unlink()
    ledger = Ledger.open(place, origin=ORIGIN, signer=signer, clock=ManualClock())
    note = ledger.submit([alarm(SIZE)]).result(WAIT_S) and ledger.checkpoint()
    assert (place / HEAD_NAME).read_bytes() == note
    ledger.close()
    head = read_head(place, signer.verifier)
    assert head is not None
    assert head.size == SIZE + 1


def test_where_there_is_no_room_for_the_head_work_goes_on(place, start, signer):
    (place / HEAD_NAME).unlink()
    (place / HEAD_NAME).mkdir()
    ledger = Ledger.open(place, origin=ORIGIN, signer=signer, clock=ManualClock())
    with capture_logs() as logs:
        assert ledger.submit([alarm(SIZE)]).result(WAIT_S)[0].index == SIZE
        ledger.submit([alarm(SIZE + 1)]).result(WAIT_S)
        assert ledger.head.dropped == {"ledger.head not written": 2}
        (place / HEAD_NAME).rmdir()
        note = ledger.submit([alarm(SIZE + 2)]).result(WAIT_S) and ledger.checkpoint()
    assert (place / HEAD_NAME).read_bytes() == note
    told = [(entry["log_level"], entry["event"]) for entry in logs]
    assert told == [
        ("warning", "a file cannot be kept; work goes on"),
        ("info", "a file can be kept again"),
    ]
    ledger.close()


def test_deleted_evidence_keeps_nobody_from_starting_and_fsck_names_it(place, start, signer):
    [picture] = place.glob("evidence/??/*")
    picture.unlink()
    assert start(place) == SIZE
    assert f"{picture.name} is missing (named by record 39)" in found(place)
    export(place, place / "b.tar")
    report = verify(place / "b.tar", [str(signer.verifier)])
    assert report.sound
    assert report.missing == [picture.name]


def test_a_torn_page_is_found_at_start_or_by_fsck_or_changes_nothing(
    place, start, signer, tmp_path
):
    start(place)
    whole = (place / FILE_NAME).read_bytes()
    for page in range(len(whole) // 4096):
        data = bytearray(whole)
        data[page * 4096 + 2048 : (page + 1) * 4096] = bytes(2048)
        torn = tmp_path / f"torn-{page}"
        torn.mkdir()
        (torn / FILE_NAME).write_bytes(data)
        shutil.copytree(place / "evidence", torn / "evidence")
        told = "ledger is whole" not in found(torn)
        try:
            start(torn)
        except EsealError:
            continue
        assert told or numbers(torn, signer) == list(range(SIZE)), f"page {page}"


def test_bits_that_flip_in_200_random_places_are_told_at_start_or_change_nothing(
    place, start, signer, tmp_path
):
    start(place)
    whole = (place / FILE_NAME).read_bytes()
    shutil.copy(place / HEAD_NAME, tmp_path / HEAD_NAME)
    chance = random.Random()
    for _ in range(200):
        changed = bytearray(whole)
        where = chance.randrange(len(whole))
        changed[where] ^= 1 << chance.randrange(8)
        for path in tmp_path.glob(f"{FILE_NAME}*"):
            path.unlink()
        (tmp_path / FILE_NAME).write_bytes(changed)
        try:
            start(tmp_path)
            said = numbers(tmp_path, signer)
        except EsealError:
            continue
        assert said == list(range(SIZE)), f"byte {where}"


def numbers(directory: Path, signer: Signer) -> list[int]:
    ledger = Ledger.open(directory, origin=ORIGIN, signer=signer, clock=ManualClock())
    try:
        return [leaf["data"]["number"] for leaf in ledger.leaves_of(RecordType)]
    finally:
        ledger.close()


def test_a_read_only_file_system_is_no_damage(place, start, tmp_path):
    require_program("unshare")
    script = (
        "import sys; from pathlib import Path; from tests.ledger import test_damage as t;"
        "t.on_read_only(Path(sys.argv[1]))"
    )
    mounted = ["unshare", "-rm", "sh", "-c", 'mount --bind "$0" "$0" && "$@"', place]
    remount = ["sh", "-c", 'mount -o remount,ro,bind "$0" && exec "$@"', place]
    if subprocess.run([*mounted, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a file-system (unshare -rm)")
    start(place)
    done = subprocess.run(
        [*mounted, *remount, sys.executable, "-c", script, place],
        cwd=REPO,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


def on_read_only(place: Path) -> None:
    """What the test above runs where nothing can be written."""
    signer = Signer.generate(ORIGIN)
    with pytest.raises(StorageFull, match="Read-only file system"):
        Ledger.open(place, origin=ORIGIN, signer=signer, clock=ManualClock())
    assert "ledger is whole" in found(place)
    os.write(1, b"ok\n")
