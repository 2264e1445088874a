"""Exports: the same ledger gives the same bytes, beside the running daemon."""

import tarfile

import pytest

from edge.errors import ConfigError, EsealError, LedgerCorrupt, StorageFull
from edge.ledger import export as module
from edge.ledger.export import export
from edge.ledger.verify import verify
from tests.ledger.support import WAIT_S, alarm, draft, tamper


@pytest.fixture
def filled(ledger, province):
    """A running ledger of 25 records with a receipt and a picture."""
    picture = ledger.put_evidence(b"picture" * 99, "image/jpeg", "clean").result(WAIT_S)
    ledger.submit([draft(i) for i in range(19)]).result(WAIT_S)
    ledger.submit([alarm(19, evidence=[{"sha256": picture.sha256}])]).result(WAIT_S)
    ledger.add_receipt(province.cosign(ledger.checkpoint(), 1_750_000_000), 20).result(WAIT_S)
    ledger.submit([alarm(i, evidence=[{"sha256": "e" * 64}]) for i in range(20, 25)]).result(WAIT_S)
    return ledger


def test_every_suffix_can_be_exported_and_verified(filled, directory, tmp_path, signer, province):
    keys = [str(signer.verifier), str(province.cosigner)]
    for start in range(26):
        summary = export(directory, tmp_path / "b.tar", start)
        report = verify(tmp_path / "b.tar", keys)
        assert report.sound, report.text()
        assert (report.start, report.read, report.size) == (start, 25 - start, 25)
        assert [(item.size, item.name) for item in report.receipts] == [(20, "province.example")]
        assert f"records {start} to 24" in summary


def test_the_same_ledger_gives_the_same_bytes(filled, directory, tmp_path):
    export(directory, tmp_path / "a.tar")
    filled.close()
    export(directory, tmp_path / "b.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_records_are_the_exact_leaves_one_a_line(filled, directory, tmp_path):
    export(directory, tmp_path / "b.tar", 3)
    with tarfile.open(tmp_path / "b.tar") as tar:
        member = tar.extractfile("records/0000000000000003.jsonl")
        assert member is not None
        lines = member.read().split(b"\n")
    with filled._reader.connection() as connection:
        leaves = connection.execute("SELECT leaf FROM leaf WHERE idx >= 3").fetchall()
    assert lines == [*(leaf for (leaf,) in leaves), b""]


def test_records_are_cut_into_members_of_bounded_size(
    filled, directory, tmp_path, signer, monkeypatch
):
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1000)
    export(directory, tmp_path / "b.tar")
    with tarfile.open(tmp_path / "b.tar") as tar:
        names = [name for name in tar.getnames() if name.startswith("records/")]
    assert len(names) > 5
    assert verify(tmp_path / "b.tar", [str(signer.verifier)]).sound


def test_evidence_that_is_gone_or_changed_is_left_out_and_counted(filled, directory, tmp_path):
    assert "evidence files: 1 (no longer here: 1)" in export(directory, tmp_path / "b.tar")
    (picture,) = (path for path in directory.glob("evidence/*/*") if path.is_file())
    picture.write_bytes(b"other")
    assert "evidence files: 0 (no longer here: 2)" in export(directory, tmp_path / "b.tar")


def test_evidence_that_cannot_be_read_is_an_error_that_names_it(filled, directory, tmp_path):
    (picture,) = (path for path in directory.glob("evidence/*/*") if path.is_file())
    picture.unlink()
    picture.mkdir()
    with pytest.raises(EsealError, match="cannot be read") as caught:
        export(directory, tmp_path / "b.tar")
    assert picture.name in str(caught.value)


def test_records_that_are_not_signed_yet_are_left_out_and_counted(filled, directory, tmp_path):
    filled.submit([draft(1), draft(2)]).result(WAIT_S)
    assert "left out: 2" in export(directory, tmp_path / "b.tar")


def test_an_empty_ledger_can_be_exported_once_it_is_sealed(ledger, directory, tmp_path, signer):
    with pytest.raises(EsealError, match="nothing has been signed"):
        export(directory, tmp_path / "b.tar")
    ledger.seal_head().result(WAIT_S)
    export(directory, tmp_path / "b.tar")
    assert verify(tmp_path / "b.tar", [str(signer.verifier)]).sound


@pytest.mark.parametrize("start", [-1, 26])
def test_a_start_outside_the_ledger_is_a_fault(filled, directory, tmp_path, start):
    with pytest.raises(ConfigError, match="from 0 to 25"):
        export(directory, tmp_path / "b.tar", start)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE checkpoint SET note = x'00'", "checkpoint is damaged"),
        ("DELETE FROM leaf WHERE idx = 7", "leaf 7 is missing"),
        ("UPDATE leaf SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx = 7", "root that was signed"),
        ("DELETE FROM leaf WHERE idx > 20", "leaf 21 is missing"),
    ],
)
def test_a_ledger_that_contradicts_itself_is_not_exported(
    filled, directory, tmp_path, change, said
):
    filled.close()
    tamper(directory, change)
    with pytest.raises(LedgerCorrupt, match=said):
        export(directory, tmp_path / "b.tar")
    assert not list(tmp_path.glob("b.tar*"))


def test_a_place_that_cannot_be_written_is_told(filled, directory, tmp_path):
    with pytest.raises(StorageFull, match=r"absent/b\.tar: No such file .* name a place"):
        export(directory, tmp_path / "absent" / "b.tar")
