from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Refused
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.uplink.receipts import COSIGNATURE, read_receipt

ORIGIN = "eseal/220182000001/gw1"
GATEWAY = Signer.generate(ORIGIN)
PROVINCE = Signer.generate("province.example")
NOTE = GATEWAY.checkpoint(Checkpoint(ORIGIN, 7, bytes(32)))


def read(payload: bytes, size: int = 7, origin: str = ORIGIN) -> tuple[int, int]:
    return read_receipt(payload, origin=origin, size=size, keys=[PROVINCE.cosigner])


def test_a_receipt_says_how_much_the_province_holds_and_since_when() -> None:
    assert PROVINCE.cosigner.algorithm == COSIGNATURE
    assert read(PROVINCE.cosign(NOTE, 1_767_225_600), size=9) == (7, 1_767_225_600)


@pytest.mark.parametrize(
    ("payload", "size", "origin", "reason"),
    [
        (NOTE, 7, ORIGIN, "no cosignature"),
        (Signer.generate("province.example").cosign(NOTE, 1), 7, ORIGIN, "no cosignature"),
        (PROVINCE.cosign(NOTE, 1), 7, "eseal/220182000001/gw2", "another ledger"),
        (PROVINCE.cosign(NOTE, 1), 6, ORIGIN, "was an old disk put back"),
        (PROVINCE.cosign(NOTE, 1).replace(b"\n7\n", b"\n6\n"), 7, ORIGIN, "no cosignature"),
        (b"", 7, ORIGIN, "not a checkpoint"),
        (b"x" * 20_000, 7, ORIGIN, "larger than"),
    ],
)
def test_what_is_no_receipt_for_us_is_refused(
    payload: bytes, size: int, origin: str, reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        read(payload, size, origin)


@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused_and_nothing_else_happens(payload: bytes) -> None:
    with suppress(Refused):
        read(payload)
        pytest.fail("taken for a receipt")
