from __future__ import annotations

import base64

import pytest

from edge.errors import Refused
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.lineage import Lineage
from edge.ledger.rotation import read_rotation, rotation_data
from tests.ledger.support import ORIGIN

OLD, NEW, NEWEST = (Signer.generate(ORIGIN) for _ in range(3))
LATER = f"{ORIGIN}/1-0badcafe"


@pytest.mark.parametrize("origin", [ORIGIN, LATER])
def test_a_change_that_both_keys_sign_is_read(origin: str) -> None:
    old, new = read_rotation(origin, 7, rotation_data(origin, 7, OLD, NEW))
    assert (str(old), str(new)) == (str(OLD.verifier), str(NEW.verifier))


@pytest.mark.parametrize("new", [OLD, Signer.generate("eseal/220000000001/gw-2")])
def test_a_key_is_not_changed_for_itself_or_for_that_of_another_gateway(new: Signer) -> None:
    with pytest.raises(ValueError, match="another one of the same gateway"):
        rotation_data(ORIGIN, 7, OLD, new)


def forged(**changes: object) -> dict[str, object]:
    return {**rotation_data(ORIGIN, 7, OLD, NEW), **changes}


def signature(signer: Signer, message: bytes) -> str:
    return base64.b64encode(signer.sign(message)).decode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "not as it should"),
        (forged(more=""), "not as it should"),
        (forged(by_old=5), "not as it should"),
        (forged(new="nothing"), "cannot be read"),
        (forged(by_new="!"), "not base64"),
        (forged(by_old=signature(OLD, b"something else")), "by_old does not sign"),
        (forged(by_new=signature(OLD, b"")), "by_new does not sign"),
        (rotation_data(ORIGIN, 8, OLD, NEW), "does not sign"),
        (rotation_data(LATER, 7, OLD, NEW), "does not sign"),
        (forged(new=str(Signer.generate("eseal/1/x").verifier)), "another gateway"),
        (forged(new=str(NEWEST.verifier)), "does not sign"),
    ],
)
def test_whatever_else_claims_to_change_the_key_is_refused(
    data: dict[str, object], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        read_rotation(ORIGIN, 7, data)


def lineage() -> Lineage:
    line = Lineage(ORIGIN)
    line.take(3, rotation_data(ORIGIN, 3, OLD, NEW))
    line.take(9, rotation_data(ORIGIN, 9, NEW, NEWEST))
    return line


def note(signer: Signer) -> bytes:
    return signer.checkpoint(Checkpoint(ORIGIN, 12, bytes(32)))


@pytest.mark.parametrize("trusted", [OLD, NEW, NEWEST])
def test_whoever_trusts_a_key_trusts_its_heir(trusted: Signer) -> None:
    found = lineage().signer(note(NEWEST), [trusted.verifier])
    assert found is not None
    assert [str(key) for key in found] == [str(trusted.verifier), str(NEWEST.verifier)]


@pytest.mark.parametrize("retired", [OLD, NEW])
def test_a_key_that_was_handed_over_signs_nothing_more(retired: Signer) -> None:
    assert lineage().signer(note(retired), [retired.verifier]) is None


def test_a_stranger_is_nobodys_heir_and_a_key_of_another_name_counts_for_nothing() -> None:
    stranger = Signer.generate(ORIGIN)
    assert lineage().signer(note(stranger), [OLD.verifier]) is None
    other = Signer.generate("eseal/220000000001/gw-2")
    assert Lineage(ORIGIN).signer(note(other), [other.verifier]) is None


def test_only_the_key_in_force_hands_over() -> None:
    line = lineage()
    with pytest.raises(Refused, match="not in force"):
        line.take(11, rotation_data(ORIGIN, 11, OLD, Signer.generate(ORIGIN)))
    assert [index for index, _old, _new in line.changes] == [3, 9]
