"""Verification: whatever is changed in a bundle, it does not pass."""

import io
import json
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.errors import Refused
from edge.ledger import verify as module
from edge.ledger.bundle import BundleReader, BundleWriter, Manifest, encode_proofs
from edge.ledger.checkpoint import Checkpoint, Signer, parse_note
from edge.ledger.export import export
from edge.ledger.merkle import EMPTY_ROOT, root
from edge.ledger.report import MAX_TOLD, Report
from edge.ledger.store import Ledger
from edge.ledger.verify import verify
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft, tree_of

START = 3
PICTURE = b"picture" * 50
DIGEST = sha256(PICTURE).hexdigest()
GONE = "e" * 64
RECORDS = "records/0000000000000003.jsonl"

Members = dict[str, bytes]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory, signer, province):
    """A bundle of records 3 to 12 with two receipts, a picture, and one picture gone."""
    directory = tmp_path_factory.mktemp("ledger")
    ledger = Ledger.open(directory, origin=ORIGIN, signer=signer, clock=ManualClock())
    ledger.put_evidence(PICTURE, "image/jpeg", "clean").result(WAIT_S)
    ledger.submit([draft(i) for i in range(5)]).result(WAIT_S)
    note = ledger.seal_head().result(WAIT_S)
    ledger.add_receipt(province.cosign(note, 1_750_000_000), 5).result(WAIT_S)
    named = [{"sha256": DIGEST}, {"sha256": GONE}]
    ledger.submit([alarm(i, evidence=named) for i in range(5, 13)]).result(WAIT_S)
    receipt = province.cosign(ledger.checkpoint(), 1_750_000_060)
    ledger.add_receipt(receipt, 13).result(WAIT_S)
    ledger.close()
    bundle = directory / "b.tar"
    export(directory, bundle, START)
    return bundle.read_bytes()


@pytest.fixture
def members(pristine) -> Members:
    reader = BundleReader(io.BytesIO(pristine))
    found = {}
    while name := reader.name:
        found[name] = reader.read(10**7)
    return found


@pytest.fixture
def check(tmp_path, signer, province):
    """Verify bytes, or members packed again by a forger who mends the manifest."""

    def verified(content: bytes | Members, keys=None) -> Report:
        data = content if isinstance(content, bytes) else packed(content)
        (tmp_path / "b.tar").write_bytes(data)
        trusted = [str(signer.verifier), str(province.verifier)] if keys is None else keys
        return verify(tmp_path / "b.tar", trusted)

    return verified


def packed(content: Members) -> bytes:
    file = io.BytesIO()
    writer = BundleWriter(file)
    for name, data in content.items():
        if name == "manifest.json":
            stated = json.loads(data)
            writer.finish(stated["origin"], stated["start"], stated["size"])
        else:
            writer.add(name, data)
    return file.getvalue()


def replaced(members: Members, name: str, data: bytes) -> Members:
    return {key: data if key == name else value for key, value in members.items()}


def said(report: Report) -> str:
    assert not report.sound
    return report.text()


def test_an_untouched_bundle_is_sound_and_says_what_it_shows(pristine, check):
    report = check(pristine)
    assert report.sound
    assert (report.origin, report.start, report.read, report.size) == (ORIGIN, 3, 10, 13)
    assert report.first_time < report.last_time
    assert [(r.size, r.name, r.unix_s) for r in report.receipts] == [
        (13, "province.example", 1_750_000_060),
        (5, "province.example", 1_750_000_000),
    ]
    assert report.evidence == 1
    assert report.missing == [GONE]
    text = report.text()
    for words in ("可信", "Verdict: sound", "2025-06-15T15:07:40Z", "missing " + GONE):
        assert words in text


def test_packing_again_gives_the_same_bytes(pristine, members):
    assert packed(members) == pristine


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_noticed(pristine, check, data):
    place = data.draw(st.integers(0, len(pristine) - 1))
    changed = bytearray(pristine)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert check(bytes(changed)).sound is False
    assert check(bytes(changed), []).problems


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_noticed_though_the_forger_mends_the_manifest(members, check, data):
    names = sorted(set(members) - {"manifest.json"})
    name = data.draw(st.sampled_from(names))
    changed = bytearray(members[name])
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    report = check(replaced(members, name, bytes(changed)))
    if report.sound:  # a receipt may be made worthless, as it may be left out, but not another
        assert name.startswith("receipts/")
        genuine = check(members).receipts
        assert all(receipt in genuine for receipt in report.receipts if receipt.unix_s)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=3000))
def test_garbage_is_not_sound_and_nothing_is_raised(check, data):
    assert "NOT sound" in said(check(data))


def test_without_a_trusted_key_nothing_is_sound(pristine, check, province):
    for keys in ([], [str(province.verifier)]):
        report = check(pristine, keys)
        assert not report.problems
        assert "NOT established" in said(report)
        assert report.vkey in report.text()
    assert "its key was not given" in check(pristine, []).text()


def test_a_strangers_signature_under_our_name_is_noticed(pristine, check):
    report = check(pristine, [str(Signer.generate(ORIGIN).verifier)])
    assert "not signed by the key given" in said(report)


def test_a_key_under_another_name_vouches_for_nothing(pristine, check, signer):
    alias = Signer("alias", signer._private)
    assert "NOT established" in said(check(pristine, [str(alias.verifier)]))


def test_a_key_may_be_given_as_a_file(pristine, check, tmp_path, signer):
    path = tmp_path / "gateway.vkey"
    path.write_text(f"{signer.verifier}\n")
    assert check(pristine, [str(path)]).sound


@pytest.mark.parametrize("key", ["", "garbage", "/", "/nowhere", "a\0b", "x" * 5000])
def test_what_is_no_key_is_refused(pristine, check, key):
    with pytest.raises(Refused):
        check(pristine, [key])


def test_a_file_that_holds_no_key_is_refused(pristine, check, tmp_path):
    (tmp_path / "vkey").write_bytes(b"\xff")
    with pytest.raises(Refused, match="public key"):
        check(pristine, [str(tmp_path / "vkey")])


def test_a_bundle_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refused, match="cannot be read"):
        verify(tmp_path / "absent.tar", [])


def forged(members: Members, lines: list[bytes], signer: Signer, *, before: Members) -> Members:
    """All records replaced by `lines` from record 0, and signed by `signer`."""
    head = Checkpoint(ORIGIN, len(lines), root(len(lines), tree_of(lines)))
    return {
        "checkpoint": signer.checkpoint(head),
        "gateway.vkey": f"{signer.verifier}\n".encode(),
        **before,
        "proofs.json": encode_proofs(0, [], [[] for name in before if name.startswith("receipts")]),
        "records/0000000000000000.jsonl": b"".join(line + b"\n" for line in lines),
        "manifest.json": Manifest().encode(ORIGIN, 0, len(lines)),
    }


def leaf(index: int, **extra) -> bytes:
    time = "2025-06-15T15:06:40.000000Z"
    envelope = {"id": str(index), "source": ORIGIN, "time": time, **extra}
    return json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()


def test_a_bundle_of_the_gateways_own_making_is_still_held_to_the_rules(members, check, signer):
    good = [leaf(0), leaf(1)]
    assert check(forged(members, good, signer, before={})).sound
    for bad, why in (
        (leaf(0), "another record"),
        (leaf(1, source="other"), "another record or of another log"),
        (leaf(1, time="yesterday"), "its time"),
        (leaf(1, time=5), "its time"),
        (leaf(1).replace(b":", b": "), "canonical"),
        (b"", "canonical"),
    ):
        assert why in said(check(forged(members, [leaf(0), bad], signer, before={})))


def test_a_history_that_was_written_anew_contradicts_the_receipts(members, check, signer):
    receipts = {name: members[name] for name in ("receipts/00", "receipts/01")}
    lines = [leaf(index) for index in range(13)]
    report = check(forged(members, lines, signer, before=receipts))
    assert "not those that the receipt is for" in said(report)


def test_a_receipt_for_more_than_there_is_shows_a_cut_end(members, check, signer):
    receipts = {"receipts/00": members["receipts/00"]}
    report = check(forged(members, [leaf(0)], signer, before=receipts))
    assert "more than there are" in said(report)


def test_a_receipt_for_nothing_must_name_the_empty_tree(members, check, signer, province):
    for top, sound in ((EMPTY_ROOT, True), (bytes(32), False)):
        note = province.cosign(signer.checkpoint(Checkpoint(ORIGIN, 0, top)), 5)
        assert (
            check(forged(members, [leaf(0)], signer, before={"receipts/00": note})).sound is sound
        )


def test_the_gateway_cannot_confirm_its_own_records(members, check, signer):
    lines = [leaf(0)]
    own = forged(members, lines, signer, before={})["checkpoint"]
    receipt = {"receipts/00": signer.cosign(own, 5)}
    report = check(forged(members, lines, signer, before=receipt))
    assert [(item.name, item.unix_s) for item in report.receipts] == [("?", None)]


def test_a_cosignature_that_does_not_verify_is_noticed(members, check):
    lines = members["receipts/00"].decode().splitlines(keepends=True)
    other = members["receipts/01"].decode().splitlines(keepends=True)
    swapped = "".join([*lines[:-1], other[-1]]).encode()
    assert parse_note(swapped)
    report = check(replaced(members, "receipts/00", swapped))
    assert "cosignature is not valid" in said(report)


def test_a_key_in_the_bundle_that_is_not_the_signers_is_noticed(members, check):
    other = f"{Signer.generate(ORIGIN).verifier}\n".encode()
    assert "not the one that signed" in said(check(replaced(members, "gateway.vkey", other)))
    assert "signature is not valid" in said(check(replaced(members, "gateway.vkey", other), []))


def test_the_bundles_key_stands_alone_on_its_line(members, check):
    line = members["gateway.vkey"]
    for changed in (b" " + line, line[:-1], line + b" ", line + b"\n"):
        assert "not one line with a key" in said(check(replaced(members, "gateway.vkey", changed)))


def without(members: Members, name: str) -> Members:
    return {key: value for key, value in members.items() if key != name}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("checkpoint", "stands where checkpoint"),
        ("gateway.vkey", "stands where gateway.vkey"),
        ("receipts/00", "stands where receipts/00"),
        ("receipts/01", "proofs.json is not"),
        ("proofs.json", "stands where proofs.json"),
        (RECORDS, "covers 13 records, the bundle ends at 3"),
        ("manifest.json", "ends in the middle"),
    ],
)
def test_no_part_can_be_left_out(members, check, name, words):
    assert words in said(check(without(members, name)))


def test_a_missing_picture_is_told_and_the_records_stay_sound(members, check):
    report = check(without(members, f"evidence/{DIGEST}"))
    assert report.sound
    assert report.missing == sorted([DIGEST, GONE])


def placed(members: Members, name: str, data: bytes, *, before: str) -> Members:
    result: Members = {}
    for key, value in members.items():
        if key == before:
            result[name] = data
        result[key] = value
    return result


@pytest.mark.parametrize(
    ("name", "before", "words"),
    [
        ("extra", "checkpoint", "stands where checkpoint"),
        ("evidence/../../etc/cron.d/x", "manifest.json", "not named by a hash"),
        ("/etc/passwd", "manifest.json", "stands where manifest.json"),
        (f"evidence/{'0' * 64}", "manifest.json", "out of order"),
        (f"evidence/{'f' * 64}", "manifest.json", "named by no record"),
        (f"evidence/{GONE}", "manifest.json", f"{GONE} was changed"),
        ("records/0000000000000013.jsonl", f"evidence/{DIGEST}", "do not end with a line"),
        ("records/0000000000000099.jsonl", f"evidence/{DIGEST}", "stands where records/"),
        ("receipts/02", "proofs.json", "proofs.json is not"),
    ],
)
def test_nothing_can_be_slipped_in(members, check, name, before, words):
    assert words in said(check(placed(members, name, b"x", before=before)))


def test_nothing_may_follow_the_manifest(members, check):
    file = io.BytesIO()
    writer = BundleWriter(file)
    for name, data in {**members, "more": b""}.items():
        writer.add(name, data)
    file.write(bytes(1024))
    assert "'more' follows the manifest" in said(check(file.getvalue()))


def test_there_are_only_so_many_receipts(members, check):
    many = dict(members)
    for number in range(2, 20):
        many = placed(many, f"receipts/{number:02d}", members["receipts/00"], before="proofs.json")
    assert "more than 16 receipts" in said(check(many))


def test_a_receipt_that_is_no_note_is_noticed(members, check):
    assert "not a checkpoint" in said(check(replaced(members, "receipts/00", b"x")))


def test_a_record_cut_in_the_middle_is_noticed(members, check):
    assert "do not end with a line" in said(
        check(replaced(members, RECORDS, members[RECORDS][:-9]))
    )


def test_one_record_less_at_the_end_is_noticed(members, check):
    lines = members[RECORDS].split(b"\n")
    shorter = b"\n".join(lines[:-2]) + b"\n"
    assert "the bundle ends at 12" in said(check(replaced(members, RECORDS, shorter)))


def test_records_in_another_order_are_noticed(members, check):
    lines = members[RECORDS].split(b"\n")
    lines[0], lines[1] = lines[1], lines[0]
    words = said(check(replaced(members, RECORDS, b"\n".join(lines))))
    assert "do not give the signed root" in words
    assert "another record" in words


@pytest.mark.parametrize(
    "proofs",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"format":"eseal-bundle/1","peaks":[],"receipts":[],"start":-1}',
        b'{"format":"eseal-bundle/1","peaks":[],"receipts":[],"start":true}',
        b'{"format":"eseal-bundle/1","peaks":[1],"receipts":[],"start":0}',
        b'{"format":"eseal-bundle/1","peaks":{},"receipts":[],"start":0}',
        b'{"format":"eseal-bundle/1","peaks":["zz"],"receipts":[[],[]],"start":0}',
        b'{"format":"eseal-bundle/1","peaks":[],"receipts":[[]],"start":0}',
        b'{"format":"eseal-bundle/2","peaks":[],"receipts":[[],[]],"start":0}',
        b'{"format":"eseal-bundle/1","more":0,"peaks":[],"receipts":[[],[]],"start":0}',
    ],
)
def test_proofs_that_are_not_as_they_should_be_are_noticed(members, check, proofs):
    assert "proofs.json is not" in said(check(replaced(members, "proofs.json", proofs)))


def test_peaks_that_do_not_fit_the_start_are_noticed(members, check):
    stated = json.loads(members["proofs.json"])
    changed = encode_proofs(7, stated["peaks"], stated["receipts"])
    assert "has not the peaks of 7" in said(check(replaced(members, "proofs.json", changed)))
    changed = encode_proofs(3, ["0" * 64] * 2, stated["receipts"])
    assert "signed root" in said(check(replaced(members, "proofs.json", changed)))


def test_faults_are_told_up_to_a_number(members, check, signer, monkeypatch):
    lines = [leaf(99)] * 50
    text = said(check(forged(members, lines, signer, before={})))
    assert text.count("does not hold") == MAX_TOLD
    assert "and 30 more" in text
    monkeypatch.setattr(module, "MAX_PROBLEMS", 30)
    report = check(forged(members, lines, signer, before={}))
    assert len(report.problems) == 31
    assert "more than 30 faults" in report.problems[-1][1]


def test_missing_evidence_is_told_up_to_a_number():
    text = Report(missing=[f"{i:064x}" for i in range(50)]).text()
    assert text.count("  missing ") == MAX_TOLD
    assert "没有上级平台回执" in text
    assert "No record was read" in text
