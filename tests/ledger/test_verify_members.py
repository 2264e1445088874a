"""The parts of a bundle: none left out, none slipped in, none out of its place."""

import io
import json

import pytest

from edge.ledger.bundle import BundleWriter, encode_proofs
from tests.ledger.bundles import DIGEST, GONE, RECORDS, Members, replaced, said


def without(members: Members, name: str) -> Members:
    return {key: value for key, value in members.items() if key != name}


def placed(members: Members, name: str, data: bytes, *, before: str) -> Members:
    result: Members = {}
    for key, value in members.items():
        if key == before:
            result[name] = data
        result[key] = value
    return result


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
