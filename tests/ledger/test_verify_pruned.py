"""Bundles in which retention left only hashes: still provable, and honest about it."""

import io
import random

import pytest

from edge.clock import ManualClock
from edge.errors import LedgerCorrupt
from edge.ledger import candidates, chore
from edge.ledger import verify as module
from edge.ledger.bundle import BundleReader, BundleWriter, encode_node, parse_node
from edge.ledger.chore import Chore
from edge.ledger.export import export
from edge.ledger.merkle import leaf_hash
from edge.ledger.store import Ledger
from edge.ledger.verify import verify
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft, tamper

RECORDS = "records/0000000000000000.jsonl"
GONE = [*range(7), *range(8, 13), 20]
SIZE = 30


@pytest.fixture(scope="module")
def place(tmp_path_factory, signer, province):
    """A ledger of 30 records of which retention let 13 go, in three runs."""
    directory = tmp_path_factory.mktemp("ledger")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chore, "KEEP_NEWEST", 5)
        patch.setattr(candidates, "KEEP_NEWEST", 5)
        ledger = Ledger.open(directory, origin=ORIGIN, signer=signer, clock=ManualClock())
        ledger.submit([draft(i) for i in range(SIZE - 1)]).result(WAIT_S)
        ledger.submit([alarm(SIZE - 1)]).result(WAIT_S)
        receipt = province.cosign(ledger.checkpoint(), 1_750_000_000)
        ledger.add_receipt(receipt, SIZE).result(WAIT_S)
        for index in GONE:
            ledger._tend(Chore(prune=(index,))).result(WAIT_S)
        ledger.close()
    return directory


@pytest.fixture(scope="module")
def bundle(place):
    export(place, place / "b.tar")
    return (place / "b.tar").read_bytes()


def with_records(bundle: bytes, change) -> bytes:
    """The bundle with its records' lines changed, packed again with a manifest that fits."""
    reader, file = BundleReader(io.BytesIO(bundle)), io.BytesIO()
    writer = BundleWriter(file)
    while (name := reader.name) != "manifest.json":
        data = reader.read(10**7)
        if name == RECORDS:
            data = b"".join(line + b"\n" for line in change(data.split(b"\n")[:-1]))
        writer.add(name, data)
    writer.finish(ORIGIN, 0, SIZE)
    return file.getvalue()


def test_a_pruned_ledger_is_sound_and_says_what_is_missing(bundle, check):
    report = check(bundle)
    assert report.sound, report.text()
    assert report.hashed == [(0, 6), (8, 12), (20, 20)]
    assert (report.read, report.end, report.size) == (17, 30, 30)
    text = report.text()
    assert "现有记录未被改动" in text
    assert "only hashes are left" in text
    assert "Of 13 of them only the hash is here" in text
    assert "hash only: records 8 to 12" in text
    assert "records 0 to 29" in text


def test_every_suffix_of_it_can_be_exported(place, tmp_path, signer):
    for start in range(SIZE + 1):
        summary = export(place, tmp_path / "b.tar", start)
        report = verify(tmp_path / "b.tar", [str(signer.verifier)])
        assert report.sound, report.text()
        gone = sum(index >= start for index in GONE)
        assert report.read == SIZE - start - gone
        assert (f"of {gone} records only the hashes are kept" in summary) == (gone > 0)


def test_runs_are_written_with_the_fewest_nodes(bundle):
    reader = BundleReader(io.BytesIO(bundle))
    while reader.name != RECORDS:
        reader.read(10**7)
    lines = reader.read(10**7).split(b"\n")
    nodes = [node[0] for line in lines if (node := parse_node(line))]
    assert nodes == [2, 1, 0, 2, 0, 0]


def test_one_changed_byte_anywhere_is_noticed(bundle, check):
    chance = random.Random()
    for _ in range(300):
        changed = bytearray(bundle)
        where = chance.randrange(len(bundle))
        changed[where] ^= 1 << chance.randrange(8)
        assert not check(bytes(changed)).sound, f"byte {where}"


def split(lines):
    node = parse_node(lines[0])
    assert node is not None
    level, digest = node
    assert level == 2
    return [encode_node(1, digest), encode_node(1, digest), *lines[1:]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (split, "not covered by the fewest nodes"),
        (lambda lines: [encode_node(0, bytes(32)) for _ in range(200)], "the fewest nodes"),
        (lambda lines: [lines[2], *lines[1:]], "no node of level 1 begins at leaf 1"),
        (lambda lines: [encode_node(2, bytes(32)), *lines[1:]], "do not give the signed root"),
        (lambda lines: [*lines, encode_node(1, bytes(32))], "the bundle ends at 32"),
        (lambda lines: [line.replace(b"[2", b"[ 2") for line in lines], "record 0"),
    ],
)
def test_nodes_that_are_not_as_they_should_be_are_noticed(bundle, check, change, said):
    report = check(with_records(bundle, change))
    assert not report.sound
    assert said in report.text()


def test_a_record_cannot_pass_for_one_that_was_let_go_without_being_named(bundle, check):
    def hide(lines):
        return [encode_node(0, leaf_hash(line)) if b'"id":"16"' in line else line for line in lines]

    report = check(with_records(bundle, hide))
    assert (16, 16) in report.hashed


def test_the_number_of_runs_is_bounded(bundle, check, monkeypatch):
    monkeypatch.setattr(module, "MAX_GAPS", 2)
    assert "more than 2 runs" in check(bundle).text()


def test_a_leaf_that_retention_did_not_let_go_is_missing(place, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "ledger.db").write_bytes((place / "ledger.db").read_bytes())
    tamper(copy, "DELETE FROM leaf WHERE idx = 13")
    with pytest.raises(LedgerCorrupt, match="leaf 13 is missing"):
        export(copy, tmp_path / "b.tar")
