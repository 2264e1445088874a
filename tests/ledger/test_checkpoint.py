"""Signed notes: they read back, hostile ones are Refused, and nobody else's key passes."""

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Refused
from edge.ledger.checkpoint import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Checkpoint,
    Signer,
    Verifier,
    parse_note,
    verify_checkpoint,
    verify_cosignature,
)

ORIGIN = "eseal/220000000001/gw-1"
GATEWAY = Signer.generate(ORIGIN)
PROVINCE = Signer.generate("province.example")
STRANGER = Signer.generate("stranger.example")
HEAD = Checkpoint(ORIGIN, 42, bytes(range(32)))
NOTE = GATEWAY.checkpoint(HEAD)
RECEIPT = PROVINCE.cosign(NOTE, 1_750_000_000)
ROOT = base64.b64encode(HEAD.root).decode()
WRONG_KIND = base64.b64encode(b"\x02" + bytes(32)).decode()
SIGNATURE_LINE = NOTE.decode().split("\n\n")[1]


def test_a_published_key_and_its_signature_are_accepted():
    # The example that Go's note package documents.
    verifier = Verifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        b"If you think cryptography is the answer to your problem,\n"
        b"then you don't know what your problem is.\n"
    )
    blob = base64.b64decode(
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    assert blob[:4] == verifier.key_id
    assert verifier.accepts(text, blob[4:])
    assert verifier.accepts(text + b"!", blob[4:]) is False


@given(
    origin=st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=60),
    size=st.integers(0, 2**53),
    root=st.binary(min_size=32, max_size=32),
)
def test_what_is_signed_reads_back(origin, size, root):
    head = Checkpoint(origin, size, root)
    assert verify_checkpoint(GATEWAY.checkpoint(head), GATEWAY.verifier) == head


def test_the_note_has_the_published_form():
    body, signatures = NOTE.decode().split("\n\n")
    assert body == f"{ORIGIN}\n42\n{ROOT}"
    assert signatures.startswith(f"— {ORIGIN} ")
    assert signatures.endswith("\n")


def test_a_cosignature_has_the_published_form():
    encoded = str(PROVINCE.cosigner).split("+", 2)[2]
    kind, public = base64.b64decode(encoded)[:1], base64.b64decode(encoded)[1:]
    assert kind == b"\x04"
    blob = base64.b64decode(RECEIPT.decode().rsplit(" ", 1)[1])
    assert blob[:4] == sha256(b"province.example\n" + kind + public).digest()[:4]
    assert int.from_bytes(blob[4:12], "big") == 1_750_000_000
    signed = f"cosignature/v1\ntime 1750000000\n{ORIGIN}\n42\n{ROOT}\n".encode()
    Ed25519PublicKey.from_public_bytes(public).verify(blob[12:], signed)


def test_the_same_head_always_gives_the_same_note():
    assert GATEWAY.checkpoint(HEAD) == NOTE


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_one_changed_byte_anywhere_spoils_a_checkpoint(place, change):
    changed = bytearray(NOTE)
    changed[place] ^= change
    with pytest.raises(Refused):
        verify_checkpoint(bytes(changed), GATEWAY.verifier)


@given(st.integers(len(NOTE), len(RECEIPT) - 1), st.integers(1, 255))
def test_one_changed_byte_anywhere_spoils_a_cosignature(place, change):
    changed = bytearray(RECEIPT)
    changed[place] ^= change
    with pytest.raises(Refused):
        verify_cosignature(bytes(changed), [PROVINCE.cosigner])


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_garbage_is_refused_and_nothing_else_is_raised(data):
    with pytest.raises(Refused):
        parse_note(data)


@given(st.text(max_size=120))
def test_garbage_is_no_key(text):
    with pytest.raises(Refused):
        Verifier.parse(text)


def test_a_receipt_tells_who_cosigned_when():
    assert verify_cosignature(RECEIPT, [STRANGER.cosigner, PROVINCE.cosigner]) == (
        HEAD,
        "province.example",
        1_750_000_000,
    )
    assert verify_checkpoint(RECEIPT, GATEWAY.verifier) == HEAD


def test_several_may_cosign_one_checkpoint():
    both = STRANGER.cosign(RECEIPT, 5)
    assert verify_cosignature(both, [STRANGER.cosigner])[1:] == ("stranger.example", 5)
    assert verify_cosignature(both, [PROVINCE.cosigner])[2] == 1_750_000_000


def test_a_checkpoint_is_no_receipt_and_a_cosignature_no_signature():
    with pytest.raises(Refused, match="cosignature"):
        verify_cosignature(NOTE, [GATEWAY.cosigner, PROVINCE.cosigner])
    with pytest.raises(Refused, match="not signed"):
        verify_checkpoint(RECEIPT, PROVINCE.verifier)


def test_a_strangers_key_of_the_same_name_is_not_accepted():
    twin = Signer.generate(ORIGIN)
    with pytest.raises(Refused, match="not signed"):
        verify_checkpoint(NOTE, twin.verifier)
    with pytest.raises(Refused, match="cosignature"):
        verify_cosignature(RECEIPT, [Signer.generate("province.example").cosigner])


def test_a_cosignature_with_another_time_does_not_hold():
    line = RECEIPT.decode().rstrip("\n").rsplit(" ", 1)
    blob = bytearray(base64.b64decode(line[1]))
    blob[11] ^= 1  # last byte of the time
    changed = f"{line[0]} {base64.b64encode(blob).decode()}\n".encode()
    with pytest.raises(Refused):
        verify_cosignature(changed, [PROVINCE.cosigner])


def test_a_time_after_the_year_9999_is_not_accepted():
    last = PROVINCE.cosign(NOTE, 253_402_300_799)
    assert verify_cosignature(last, [PROVINCE.cosigner])[2] == 253_402_300_799
    receipt = PROVINCE.cosign(NOTE, 253_402_300_800)
    with pytest.raises(Refused):
        verify_cosignature(receipt, [PROVINCE.cosigner])


def test_a_valid_cosignature_under_another_name_or_key_id_is_not_accepted():
    assert verify_cosignature(cosigned("province.example"), [PROVINCE.cosigner])[0] == HEAD
    for receipt in (cosigned("province.exampl"), cosigned("province.example", id_change=1)):
        with pytest.raises(Refused, match="cosignature"):
            verify_cosignature(receipt, [PROVINCE.cosigner])


def cosigned(name: str, *, id_change: int = 0) -> bytes:
    """The receipt with its genuine cosignature on a line that claims another name or key."""
    blob = bytearray(base64.b64decode(RECEIPT.decode().rsplit(" ", 1)[1]))
    blob[3] ^= id_change
    return NOTE + f"— {name} {base64.b64encode(blob).decode()}\n".encode()


@pytest.mark.parametrize("size", [1, 7, 8, 71, 73])
def test_a_cosignature_of_the_wrong_length_is_passed_over(size):
    blob = base64.b64encode(PROVINCE.cosigner.key_id + bytes(size)).decode()
    receipt = NOTE + f"— province.example {blob}\n".encode()
    with pytest.raises(Refused, match="cosignature"):
        verify_cosignature(receipt, [PROVINCE.cosigner])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "three lines"),
        (b"x" * (MAX_NOTE_BYTES + 1), "larger"),
        (b"\xff\xfe", "not a checkpoint"),
        (f"{ORIGIN}\n42\n{ROOT}\n", "three lines"),
        (f"{ORIGIN}\n42\n\n{SIGNATURE_LINE}", "three lines"),
        (f"{ORIGIN}\n42\n{ROOT}\nextension\n\n{SIGNATURE_LINE}", "three lines"),
        (f"\n42\n{ROOT}\n\n{SIGNATURE_LINE}", "origin"),
        (f"a\x1b[31m\n42\n{ROOT}\n\n{SIGNATURE_LINE}", "origin"),
        (f"a\r\n42\n{ROOT}\n\n{SIGNATURE_LINE}", "origin"),
        (f"{ORIGIN}\n-1\n{ROOT}\n\n{SIGNATURE_LINE}", "size"),
        (f"{ORIGIN}\n\n{ROOT}\n\n{SIGNATURE_LINE}", "three lines"),
        (f"{ORIGIN}\n４２\n{ROOT}\n\n{SIGNATURE_LINE}", "size"),
        (f"{ORIGIN}\n042\n{ROOT}\n\n{SIGNATURE_LINE}", "plain number"),
        (f"{ORIGIN}\n{'9' * 17}\n{ROOT}\n\n{SIGNATURE_LINE}", "plain number"),
        (f"{ORIGIN}\n42\n{ROOT[:-4]}\n\n{SIGNATURE_LINE}", "not a checkpoint"),
        (f"{ORIGIN}\n42\n!{ROOT[1:]}\n\n{SIGNATURE_LINE}", "not a checkpoint"),
        (f"{ORIGIN}\n42\n{base64.b64encode(bytes(31)).decode()}\n\n{SIGNATURE_LINE}", "32"),
        (f"{ORIGIN}\n42\n{ROOT}\n\n", "dash"),
        (f"{ORIGIN}\n42\n{ROOT}\n\n{SIGNATURE_LINE}\n", "dash"),
        (f"{ORIGIN}\n42\n{ROOT}\n\n{SIGNATURE_LINE[:-1]}", "signature lines"),
        (f"{ORIGIN}\n42\n{ROOT}\n\n-{SIGNATURE_LINE[1:]}", "dash"),
        (f"{ORIGIN}\n42\n{ROOT}\n\n—  AAAAAAAA\n", "key name"),
        (f"{ORIGIN}\n42\n{ROOT}\n\n— a+b AAAAAAAA\n", "key name"),
        (f"{ORIGIN}\n42\n{ROOT}\n\n— a\u3000b AAAAAAAA\n", "key name"),
        (f"{ORIGIN}\n42\n{ROOT}\n\n— name AAAA\n", "too short"),
        (f"{ORIGIN}\n42\n{ROOT}\n\n— name AAAAAAAAAA==AAAA\n", "not a checkpoint"),
        (f"{ORIGIN}\n42\n{ROOT}\n\n" + SIGNATURE_LINE * (MAX_SIGNATURES + 1), "signature lines"),
    ],
)
def test_hostile_notes_are_refused(data, why):
    with pytest.raises(Refused, match=why):
        parse_note(data if isinstance(data, bytes) else data.encode())


def test_a_note_may_be_as_large_as_it_may_be_and_no_larger():
    assert MAX_NOTE_BYTES == 16_384, "the schemas of checkpoint and receipt say so"
    body = f"{ORIGIN}\n42\n{ROOT}\n\n"
    assert len(parse_note((body + SIGNATURE_LINE * MAX_SIGNATURES).encode()).signatures) == 16
    room = MAX_NOTE_BYTES - len(NOTE)
    largest = f"{'o' * room}{NOTE.decode()}".encode()
    assert parse_note(largest).checkpoint.size == 42
    with pytest.raises(Refused, match="larger"):
        parse_note(b"o" + largest)


@pytest.mark.parametrize(("size", "reads"), [(3, False), (4, False), (5, True), (6, True)])
def test_a_signature_is_more_than_a_key_id(size, reads):
    line = f"— name {base64.b64encode(bytes(size)).decode()}\n"
    note = f"{ORIGIN}\n42\n{ROOT}\n\n{line}".encode()
    if reads:
        assert parse_note(note).signatures[0].signature == bytes(size - 4)
    else:
        with pytest.raises(Refused, match="too short"):
            parse_note(note)


def test_base64_has_one_spelling_only():
    padded = ROOT.replace("8=", "9=")  # the same bytes, stray bits set
    assert padded != ROOT
    assert base64.b64decode(padded) == HEAD.root
    with pytest.raises(Refused, match="canonical"):
        parse_note(f"{ORIGIN}\n42\n{padded}\n\n{SIGNATURE_LINE}".encode())


@pytest.mark.parametrize("verifier", [GATEWAY.verifier, PROVINCE.cosigner])
def test_a_public_key_reads_back(verifier):
    again = Verifier.parse(f" {verifier}\n")
    assert str(again) == str(verifier)
    assert again.key_id == verifier.key_id


def test_a_key_has_a_different_id_in_each_role():
    assert GATEWAY.verifier.key_id != GATEWAY.cosigner.key_id
    assert str(GATEWAY.verifier.as_cosigner()) == str(GATEWAY.cosigner)


def test_a_key_that_does_not_match_its_hash_or_kind_is_refused():
    name, _hash, encoded = str(GATEWAY.verifier).split("+", 2)
    with pytest.raises(Refused, match="own hash"):
        Verifier.parse(f"{name}+00000000+{encoded}")
    with pytest.raises(Refused, match="own hash"):
        Verifier.parse(f"other+{_hash}+{encoded}")
    with pytest.raises(Refused, match="not an Ed25519"):
        Verifier.parse(f"{name}+{_hash}+{WRONG_KIND}")
    with pytest.raises(Refused, match="key name"):
        Verifier.parse(f"+{_hash}+{encoded}")


@pytest.mark.parametrize("name", ["", "two words", "plus+", "bell\x07"])
def test_a_signer_cannot_have_a_name_that_would_not_read_back(name):
    with pytest.raises(ValueError, match="key name"):
        Signer.generate(name)


def test_the_signature_over_other_bytes_is_the_keys_own():
    assert GATEWAY.verifier.accepts(b"order", GATEWAY.sign(b"order"))
    assert not GATEWAY.verifier.accepts(b"other", GATEWAY.sign(b"order"))
