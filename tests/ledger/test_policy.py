"""What may go and when space is short: the rules without a disk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.record import ALARM_TYPES, RecordType
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.policy import (
    CHECKPOINT_DAYS,
    DAY_US,
    RECEIPTS_KEPT,
    SPARE,
    Policy,
    Space,
    old_checkpoints,
    province_time_us,
    spare_receipts,
)

POLICY = Policy(budget=1000, reserve=100)


@pytest.mark.parametrize(
    ("used", "free", "excess", "low", "shed"),
    [
        (0, 500, 0, False, False),
        (900, 150, 0, False, False),
        (901, 500, 51, False, False),
        (951, 500, 101, True, False),
        (1000, 500, 150, True, True),
        (0, 149, 51, False, False),
        (0, 99, 101, True, False),
        (0, 49, 151, True, True),
    ],
)
def test_space_is_short_in_three_steps(used, free, excess, low, shed):
    space = Space(used, free, POLICY)
    assert (space.excess, space.low, space.shed) == (excess, low, shed)


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_who_sheds_has_said_so_and_has_tried_to_make_room(used, free):
    space = Space(used, free, POLICY)
    assert not space.shed or space.low
    assert not space.low or space.excess > 0


def test_alarms_orders_and_configurations_are_never_spare():
    kept = {RecordType.ORDER_ACCEPTED, RecordType.CONFIG_IN_FORCE, *ALARM_TYPES}
    assert not SPARE & kept


def test_the_time_that_counts_is_the_one_that_the_province_signed():
    gateway, province = Signer.generate("g"), Signer.generate("p")
    note = gateway.checkpoint(Checkpoint("g", 1, bytes(32)))
    assert province_time_us(note) == 0
    assert province_time_us(province.cosign(note, 1_750_000_000)) == 1_750_000_000_000_000
    assert province_time_us(b"damaged") == 0


def test_old_checkpoints_go_once_a_receipt_replaces_them():
    now_us = 100 * DAY_US
    old_us, new_us = now_us - (CHECKPOINT_DAYS + 1) * DAY_US, now_us - DAY_US
    sizes = [(1, old_us), (2, new_us), (10, old_us), (11, old_us)]
    assert old_checkpoints(sizes, 10, now_us) == [1]


@given(st.lists(st.integers(0, 40 * DAY_US), max_size=400).map(sorted))
def test_the_newest_receipts_stay_and_one_of_every_older_day(times):
    receipts = list(enumerate(times))
    gone = set(spare_receipts(receipts))
    kept = [wall_us for number, wall_us in receipts if number not in gone]
    assert {us // DAY_US for us in kept} == {us // DAY_US for us in times}
    assert not gone & {number for number, _us in receipts[-RECEIPTS_KEPT:]}
    assert len(kept) <= RECEIPTS_KEPT + len({us // DAY_US for us in times})
