from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Refused
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.merkle import Frontier
from simulators.province.tree import MAX_AHEAD, MAX_FAULTS, MAX_HELD_NOTES, LogCopy

ORIGIN = "eseal/220182000001/gw1"
SIGNER = Signer.generate(ORIGIN)
LEAVES = [b"leaf %d" % i for i in range(40)]


def note(size: int, leaves: list[bytes] | None = None, signer: Signer = SIGNER) -> bytes:
    frontier = Frontier()
    for leaf in (leaves or LEAVES)[:size]:
        frontier.add(leaf)
    return signer.checkpoint(Checkpoint(ORIGIN, size, frontier.root()))


def copy(*, enrolled: bool = True) -> LogCopy:
    log = LogCopy(ORIGIN)
    if enrolled:
        log.enrol(SIGNER.verifier)
    return log


@given(order=st.permutations(range(12)), sizes=st.lists(st.integers(1, 12), min_size=1))
def test_in_whatever_order_leaves_and_checkpoints_come_the_tree_is_proven(
    order: list[int], sizes: list[int]
) -> None:
    log = copy()
    steps: list[int | bytes] = list(order)
    for i, size in enumerate(sizes):
        steps.insert(i % (len(steps) + 1), note(size))
    for item in steps:
        if isinstance(item, bytes):
            log.checkpoint(item)
        else:
            assert log.add(item, LEAVES[item])
    assert log.verified
    assert (log.received, log.missing, log.duplicates) == (12, 0, 0)
    assert log.proven == max(sizes)


def test_what_lies_below_a_checkpoint_or_a_later_leaf_and_has_not_come_is_missing() -> None:
    log = copy()
    for index in (0, 1, 4):
        log.add(index, LEAVES[index])
    assert (log.missing, log.gaps()) == (2, [2, 3])
    log.checkpoint(note(8))
    assert (log.missing, log.gaps()) == (5, [2, 3, 5, 6, 7])
    assert log.gaps(limit=2) == [2, 3]
    assert not log.verified


def test_a_leaf_that_comes_again_is_counted_and_changes_nothing() -> None:
    log = copy()
    for index in (0, 0, 2, 2):
        log.add(index, LEAVES[index])
    assert (log.received, log.duplicates, log.faults) == (2, 2, [])


@pytest.mark.parametrize("index", [0, 2])
def test_a_leaf_that_comes_again_with_other_bytes_is_a_fault(index: int) -> None:
    log = copy()
    log.add(index, LEAVES[index])
    assert not log.add(index, b"another")
    assert log.faults == [f"record {index} came twice with different bytes"]
    assert not log.verified


def test_two_unproven_heads_of_one_size_with_different_roots_are_both_kept_as_proof() -> None:
    log = copy()
    first, second = note(8), note(8, [b"other", *LEAVES[1:]])
    for head in (first, second, first):
        log.checkpoint(head)
    assert log.forks == [(first, second)]
    assert log.faults == ["two signed checkpoints of 8 records name different roots"]
    for index in range(8):
        log.add(index, LEAVES[index])
    assert (log.proven, log.proven_note) == (8, first)
    assert log.faults[1:] == ["the checkpoint of 8 records does not fit what arrived"]
    assert not log.verified


def test_a_head_that_contradicts_the_proven_one_is_kept_beside_it() -> None:
    log = copy()
    for index in range(8):
        log.add(index, LEAVES[index])
    first, second = note(8), note(8, [b"other", *LEAVES[1:]])
    log.checkpoint(first)
    log.checkpoint(first)
    assert log.verified
    log.checkpoint(second)
    assert log.forks == [(first, second)]
    assert log.proven_note == first
    assert not log.verified


def test_a_leaf_that_was_changed_on_its_way_does_not_fit_the_checkpoint() -> None:
    log = copy()
    for index in range(8):
        log.add(index, b"changed" if index == 5 else LEAVES[index])
    log.checkpoint(note(4))
    log.checkpoint(note(8))
    assert log.proven == 4
    assert log.faults == ["the checkpoint of 8 records does not fit what arrived"]


def test_a_checkpoint_by_another_key_is_refused() -> None:
    with pytest.raises(Refused, match="not signed by"):
        copy().checkpoint(note(1, signer=Signer.generate(ORIGIN)))


def test_a_checkpoint_of_another_log_is_refused() -> None:
    other = Checkpoint("eseal/220182000001/gw2", 0, bytes(32))
    with pytest.raises(Refused, match="came as one of"):
        copy().checkpoint(SIGNER.checkpoint(other))


def test_checkpoints_wait_for_the_key_and_only_so_many() -> None:
    log = copy(enrolled=False)
    for index, leaf in enumerate(LEAVES):
        log.add(index, leaf)
    for size in range(1, 40):
        assert log.checkpoint(note(size)) is None
    assert not log.verified
    assert len(log._unread) == MAX_HELD_NOTES + 1
    log.enrol(SIGNER.verifier)
    assert (log.proven, log.verified) == (39, True)


def test_checkpoints_that_wait_for_leaves_are_bounded_and_the_newest_are_kept() -> None:
    log = copy()
    for size in range(1, 40):
        log.checkpoint(note(size))
    assert len(log._unproven) == MAX_HELD_NOTES
    assert log.claimed == 39


def test_a_leaf_that_is_absurdly_far_ahead_is_a_fault_and_is_not_kept() -> None:
    log = copy()
    assert not log.add(MAX_AHEAD + 1, b"far")
    assert log.received == 0
    assert log.faults


def test_faults_are_told_once_and_bounded() -> None:
    log = copy()
    for number in range(MAX_FAULTS + 10):
        log.fault(f"fault {number}")
        log.fault("fault 0")
    assert len(log.faults) == MAX_FAULTS
