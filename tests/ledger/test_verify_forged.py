"""Bundles of a forger who has the gateway's key: held to the rules, and to the receipts."""

import json

from edge.ledger import verify as module
from edge.ledger.bundle import Manifest, encode_proofs
from edge.ledger.checkpoint import Checkpoint, Signer, parse_note
from edge.ledger.merkle import EMPTY_ROOT, root
from edge.ledger.report import MAX_TOLD
from tests.ledger.bundles import Members, replaced, said
from tests.ledger.support import ORIGIN, tree_of


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


def test_a_receipt_that_is_no_note_is_noticed(members, check):
    assert "not a checkpoint" in said(check(replaced(members, "receipts/00", b"x")))


def test_faults_are_told_up_to_a_number(members, check, signer, monkeypatch):
    lines = [leaf(99)] * 50
    text = said(check(forged(members, lines, signer, before={})))
    assert text.count("does not hold") == MAX_TOLD
    assert "and 30 more" in text
    monkeypatch.setattr(module, "MAX_PROBLEMS", 30)
    report = check(forged(members, lines, signer, before={}))
    assert len(report.problems) == 31
    assert "more than 30 faults" in report.problems[-1][1]
