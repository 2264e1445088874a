"""docs/verify.md is enough to write a verifier, and its example is right to the last digit."""

from __future__ import annotations

import base64
import random
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.clock import ManualClock
from edge.ledger import chore
from edge.ledger.bundle import encode_node, parse_node
from edge.ledger.checkpoint import (
    Checkpoint,
    Signer,
    Verifier,
    parse_note,
    verify_checkpoint,
    verify_cosignature,
)
from edge.ledger.chore import Chore
from edge.ledger.export import export
from edge.ledger.leaf import parse_leaf
from edge.ledger.merkle import Frontier
from edge.ledger.policy import province_time_us
from edge.ledger.store import Ledger
from edge.ledger.verify import verify
from tests.docs.example import COSIGNED_S, ORIGIN, PROVINCE, blocks
from tests.docs.independent import Key, check
from tests.docs.pages import REPO
from tests.docs.pages import blocks as blocks_of
from tests.ledger.support import WAIT_S, alarm, draft

PAGE = REPO / "docs" / "verify.md"
SIZE = 30


def test_the_example_is_what_it_says():
    # `python -m tests.docs.example` prints what must stand there.
    assert blocks_of(PAGE, "text")[:-1] == blocks()


def test_the_example_holds_for_the_product():
    leaves, hashes, keys, note, _message, receipt = (block.encode() for block in blocks())
    gateway, province = (Verifier.parse(line) for line in keys.decode().splitlines())
    tree = Frontier()
    for index, leaf in enumerate(leaves.splitlines()):
        parse_leaf(leaf, ORIGIN, index)
        tree.add(leaf)
    head = Checkpoint(ORIGIN, 3, tree.root())
    assert tree.root().hex() == hashes.decode().split()[-1]
    assert verify_checkpoint(note, gateway) == head
    assert verify_cosignature(receipt, [province]) == (head, PROVINCE, COSIGNED_S)


def test_the_examples_hash_only_form_gives_the_same_root():
    lines = blocks_of(PAGE, "text")[-1].encode().splitlines()
    node = parse_node(lines[0])
    assert node is not None
    assert encode_node(*node) == lines[0]
    tree = Frontier()
    tree.add_node(*node)
    tree.add(lines[1])
    assert tree.root().hex() == blocks()[1].split()[-1]


def test_the_page_names_the_members_of_a_bundle_in_their_order():
    text = PAGE.read_text("utf-8")
    table = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert table == [
        "checkpoint", "gateway.vkey", "receipts/NN", "proofs.json", "records/FIRST.jsonl",
        "evidence/SHA256", "manifest.json",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """An export of a pruned ledger with receipts and evidence, and the keys to it."""
    signer, province = Signer.generate("g/1"), Signer.generate("p")
    directory = tmp_path_factory.mktemp("ledger")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chore, "KEEP_NEWEST", 5)
        ledger = Ledger.open(directory, origin="g/1", signer=signer, clock=ManualClock())
        picture = ledger.put_evidence(b"picture", "image/jpeg", "").result(WAIT_S)
        for end in (11, 20):
            ledger.submit([draft(i) for i in range(ledger.size, end)]).result(WAIT_S)
            note = ledger.seal_head().result(WAIT_S)
            ledger.add_receipt(province.cosign(note, 1_750_000_000 + end), end).result(WAIT_S)
        named = [{"sha256": picture.sha256}, {"sha256": "e" * 64}]
        ledger.submit([alarm(i, evidence=named) for i in range(20, SIZE)]).result(WAIT_S)
        ledger._tend(Chore(prune=(4, 5, 6, 7, 8, 12))).result(WAIT_S)
        ledger.close()
    export(directory, directory / "b.tar", 3)
    return directory / "b.tar", str(signer.verifier), str(province.cosigner)


def test_a_verifier_written_from_the_page_agrees_with_ours(bundle):
    path, gateway, province = bundle
    shown, ours = check(*bundle), verify(path, [gateway, province])
    assert ours.sound
    assert (shown.origin, shown.start, shown.size) == (ours.origin, ours.start, ours.size)
    assert shown.hash_only == sum(b - a + 1 for a, b in ours.hashed) == 6
    assert shown.receipts == [(item.size, item.unix_s) for item in ours.receipts]
    assert sorted(shown.missing) == ours.missing == ["e" * 64]


def test_it_notices_what_ours_notices(bundle, tmp_path):
    path, gateway, province = bundle
    whole, chance = path.read_bytes(), random.Random()
    with tarfile.open(path) as tar:
        places = [
            at
            for member in tar.getmembers()[:-1]
            for at in range(member.offset_data, member.offset_data + member.size)
        ]
    for _ in range(60):
        changed = bytearray(whole)
        changed[chance.choice(places)] ^= 1 << chance.randrange(8)
        (tmp_path / "b.tar").write_bytes(changed)
        assert not verify(tmp_path / "b.tar", [gateway, province]).sound
        assert not holds(tmp_path / "b.tar", gateway, province)


def holds(path: Path, gateway: str, province: str) -> bool:
    try:
        check(path, gateway, province)
    except Exception:  # noqa: BLE001 whatever stops it, it has not agreed
        return False
    return True


# The examples that C2SP publishes, so that others' tools read what we write.
# https://c2sp.org/signed-note and https://c2sp.org/tlog-cosignature


def test_a_published_key_and_note_are_read_by_both():
    key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    blob = (
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
        "otpRZb6KE6RyyBwJnAM="
    )
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
        f"\n\u2014 PeterNeumann {blob}\n"
    )
    assert str(Verifier.parse(key)) == key
    assert Key(key).signed(note) == 0
    assert Key(key).signed(note.replace("answer", "remedy")) is None


def test_the_published_key_has_the_published_hash():
    raw = bytes.fromhex("e932791ae6e7a840a46164c904786426d5e7821dd8b29a00d61cae72afdd4da4")
    public = Ed25519PublicKey.from_public_bytes(raw)
    assert Verifier("example.com/foo", public, 1).key_id.hex() == "530d903a"


def test_the_published_cosigned_checkpoint_is_read_as_it_was_meant():
    text = (
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n"
        "\u2014 example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "\u2014 witness.example.com/w1 "
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ"
        "qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    note = parse_note(text.encode())
    assert (note.checkpoint.origin, note.checkpoint.size) == (
        "example.com/behind-the-sofa",
        20_852_163,
    )
    log, witness = note.signatures
    assert (log.name, len(log.signature)) == ("example.com/behind-the-sofa", 64)
    assert (witness.name, len(witness.signature)) == ("witness.example.com/w1", 72)
    assert province_time_us(text.encode()) == 1_679_315_147_000_000
    assert text.startswith(note.checkpoint.body() + "\n")


def test_a_cosignature_signs_the_bytes_that_the_specification_names():
    seed = sha256(PROVINCE.encode()).digest()
    private = Ed25519PrivateKey.from_private_bytes(seed)
    signer = Signer(PROVINCE, private)
    *_, note, message, receipt = blocks()
    assert signer.cosign(note.encode(), COSIGNED_S).decode() == receipt
    blob = base64.b64decode(receipt.splitlines()[-1].split(" ")[2])
    private.public_key().verify(blob[12:], message.encode())
    assert (blob[:4], int.from_bytes(blob[4:12], "big")) == (signer.cosigner.key_id, COSIGNED_S)
    assert (
        signer.cosigner.key_id
        == sha256(PROVINCE.encode() + b"\n\x04" + private.public_key().public_bytes_raw()).digest()[
            :4
        ]
    )
