from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock, Stamp
from edge.errors import Refused
from edge.ledger.checkpoint import COSIGNATURE, Checkpoint, Signer
from edge.ledger.succession import Reason
from edge.uplink.receipts import (
    Standing,
    break_of,
    clock_compared,
    compare,
    read_receipt,
)

ORIGIN = "eseal/220182000001/gw1"
LATER = f"{ORIGIN}/2-00c0ffee"
GATEWAY = Signer.generate(ORIGIN)
PROVINCE = Signer.generate("province.example")
NOTE = GATEWAY.checkpoint(Checkpoint(ORIGIN, 7, bytes(32)))


def read(payload: bytes, gateway: str = ORIGIN) -> tuple[Checkpoint, int]:
    return read_receipt(payload, gateway=gateway, keys=[PROVINCE.cosigner])


def test_a_receipt_says_how_much_the_province_holds_and_since_when() -> None:
    assert PROVINCE.cosigner.algorithm == COSIGNATURE
    head, unix_s = read(PROVINCE.cosign(NOTE, 1_767_225_600))
    assert (head.size, unix_s) == (7, 1_767_225_600)


def test_a_receipt_for_another_epoch_of_ours_is_one_for_us() -> None:
    note = GATEWAY.checkpoint(Checkpoint(LATER, 3, bytes(32)))
    assert read(PROVINCE.cosign(note, 5))[0].origin == LATER


@pytest.mark.parametrize(
    ("payload", "gateway", "reason"),
    [
        (NOTE, ORIGIN, "no cosignature"),
        (Signer.generate("province.example").cosign(NOTE, 1), ORIGIN, "no cosignature"),
        (PROVINCE.cosign(NOTE, 1), "eseal/220182000001/gw2", "another ledger"),
        (PROVINCE.cosign(NOTE, 1).replace(b"\n7\n", b"\n6\n"), ORIGIN, "no cosignature"),
        (b"", ORIGIN, "not a checkpoint"),
        (b"x" * 20_000, ORIGIN, "larger than"),
    ],
)
def test_what_is_no_receipt_for_us_is_refused(payload: bytes, gateway: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        read(payload, gateway)


@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused_and_nothing_else_happens(payload: bytes) -> None:
    with suppress(Refused):
        read(payload)
        pytest.fail("taken for a receipt")


@pytest.mark.parametrize(
    ("theirs", "ours", "standing"),
    [
        ((ORIGIN, 7, b"r"), (ORIGIN, 9), Standing.COVERS),
        ((ORIGIN, 9, b"r"), (ORIGIN, 9), Standing.COVERS),
        ((ORIGIN, 10, b"r"), (ORIGIN, 9), Standing.MORE),
        ((ORIGIN, 7, b"?"), (ORIGIN, 9), Standing.OTHER),
        ((ORIGIN, 99, b"?"), (LATER, 1), Standing.EARLIER),
        ((LATER, 1, b"r"), (ORIGIN, 99), Standing.MORE),
        ((f"{ORIGIN}/2-11111111", 1, b"r"), (LATER, 9), Standing.OTHER),
        ((f"{ORIGIN}/1-11111111", 1, b"r"), (LATER, 9), Standing.EARLIER),
    ],
)
def test_a_receipt_is_held_against_the_ledger(
    theirs: tuple[str, int, bytes], ours: tuple[str, int], standing: Standing
) -> None:
    origin, size = ours
    assert compare(Checkpoint(*theirs), origin, size, lambda _size: b"r") is standing


@pytest.mark.parametrize(
    ("standing", "reason"),
    [(Standing.MORE, Reason.ROLLED_BACK), (Standing.OTHER, Reason.REPLACED)],
)
def test_a_receipt_that_contradicts_the_ledger_says_why_a_new_epoch_begins(
    standing: Standing, reason: Reason
) -> None:
    head = Checkpoint(ORIGIN, 70, bytes(32))
    broken = break_of(head, 1_767_225_600, standing, 40)
    assert (broken.reason, broken.receipt, broken.started_with) == (reason, head, 40)
    assert "70 records" in broken.detail


@given(
    offset_s=st.floats(-1e6, 1e6),
    way_up_s=st.floats(0, 100),
    way_down_s=st.floats(0, 1e5),
)
def test_the_offset_of_our_clock_lies_within_what_a_receipt_tells(
    offset_s: float, way_up_s: float, way_down_s: float
) -> None:
    clock = ManualClock(wall_us=1_767_225_600_000_000)
    said = clock.now()
    signed = clock.advance(way_up_s)
    province_s = signed.wall_us / 1e6 - offset_s
    now = clock.advance(way_down_s)
    told = clock_compared(int(province_s), said, now)
    assert told.least_s is not None
    assert told.least_s - 1e-3 <= offset_s <= told.most_s + 1e-3
    assert told.most_s - told.least_s <= way_up_s + way_down_s + 1.001


def test_a_receipt_from_before_this_start_tells_only_one_bound() -> None:
    now = Stamp(1_000_000_000_000_000, 0, "b")
    told = clock_compared(1_000_000_300, None, now)
    assert (told.least_s, told.most_s) == (None, -300.0)


def test_setting_the_clock_between_does_not_blur_the_bounds() -> None:
    clock = ManualClock()
    said = clock.now()
    clock.step_wall(3600)
    now = clock.advance(1)
    true_s = said.wall_us // 1_000_000
    told = clock_compared(true_s, said, now)
    assert told.least_s is not None
    assert told.least_s > 3590
