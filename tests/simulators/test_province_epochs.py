"""A history that breaks, and a key that changes, as the province sees them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from edge.clock import ManualClock
from edge.domain.record import Draft, Lane, RecordType
from edge.errors import Refused
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.leaf import encode_leaf
from edge.ledger.merkle import Frontier
from edge.ledger.rotation import rotation_data
from edge.uplink.topics import Topics, parse_topic
from simulators.province.table import render
from simulators.province.view import MAX_EPOCHS, GatewayView

MINE, GATEWAY = "220182000001", "gw1"
ORIGIN = f"eseal/{MINE}/{GATEWAY}"
NEXT = f"{ORIGIN}/1-0badcafe"
OLD, NEW = Signer.generate(ORIGIN), Signer.generate(ORIGIN)
TOPICS = Topics(MINE, GATEWAY)
ALARM, RECORD = (parse_topic(TOPICS.lane(lane)) for lane in (Lane.ALARM, Lane.ROUTINE))
CHECKPOINT = parse_topic(TOPICS.checkpoint)
NOW = ManualClock().now()


class Gateway:
    """A log that is told to a view."""

    def __init__(self, view: GatewayView, origin: str = ORIGIN, signer: Signer = OLD) -> None:
        self.view = view
        self.origin = origin
        self.signer = signer
        self.tree = Frontier()

    def leaf(self, kind: RecordType, data: dict[str, Any]) -> bytes:
        leaf = encode_leaf(Draft(kind, NOW, data), self.origin, self.tree.size)
        self.tree.add(leaf)
        return leaf

    def health(self, count: int = 1) -> None:
        for _ in range(count):
            self.view.take(RECORD, self.leaf(RecordType.GATEWAY_HEALTH, {}), 0.0)

    def seal(self) -> None:
        self.view.take(CHECKPOINT, self.note(), 0.0)

    def note(self) -> bytes:
        head = Checkpoint(self.origin, self.tree.size, self.tree.root())
        return self.signer.checkpoint(head)

    def begin(self, **changes: Any) -> None:
        data = {
            "previous": {"origin": ORIGIN},
            "reason": "rolled-back",
            "lost_at_least": 3,
            **changes,
        }
        self.view.take(ALARM, self.leaf(RecordType.EPOCH_BEGUN, data), 0.0)

    def rotate(self, *, deliver: bool = True) -> bytes:
        data = rotation_data(self.origin, self.tree.size, self.signer, NEW)
        leaf = self.leaf(RecordType.KEY_ROTATED, dict(data))
        self.signer = NEW
        if deliver:
            self.view.take(ALARM, leaf, 0.0)
        return leaf


@pytest.fixture
def view() -> GatewayView:
    view = GatewayView(MINE, GATEWAY)
    view.enrol(str(OLD.verifier))
    return view


def shown(view: GatewayView) -> str:
    out = io.StringIO()
    Console(file=out, width=300).print(render([view], 0.0))
    return out.getvalue()


def test_a_later_epoch_is_followed_and_the_one_before_is_never_whole_again(view) -> None:
    first = Gateway(view)
    first.health(5)
    first.seal()
    assert view.verified
    assert view.breaks == []
    following = Gateway(view, NEXT)
    following.begin()
    following.health()
    following.seal()
    assert view.verified
    assert (view.log.origin, view.received) == (NEXT, 2)
    (broken,) = view.breaks
    assert (broken.ended, broken.origin, broken.reason) == (ORIGIN, NEXT, "rolled-back")
    assert (broken.lost, broken.held) == (3, 5)
    first.health()
    first.seal()  # comes late from the broker
    assert not view.chapters[ORIGIN].log.verified
    assert view.received == 2
    assert "log broken off (rolled-back)" in shown(view)


def test_a_checkpoint_that_comes_before_its_epochs_first_leaf_is_a_break_too(view) -> None:
    following = Gateway(view, NEXT)
    following.tree.add(b"leaf 0")
    following.seal()
    (broken,) = view.breaks
    assert (broken.ended, broken.reason, broken.lost, broken.held) == ("", "", 0, 0)
    assert "log broken off (?)" in shown(view)


def test_a_second_box_that_begins_the_same_epoch_does_not_take_its_place(view) -> None:
    Gateway(view, NEXT).begin()
    other = Gateway(view, f"{ORIGIN}/1-deadbeef")
    other.begin()
    assert view.log.origin == NEXT
    assert len(view.breaks) == 2
    assert not view.chapters[other.origin].log.verified


@pytest.mark.parametrize("changes", [{"previous": None}, {"lost_at_least": "many"}])
def test_a_first_leaf_that_does_not_say_what_it_follows_is_refused(view, changes) -> None:
    with pytest.raises(Refused, match="first leaf"):
        Gateway(view, NEXT).begin(**changes)


def test_epochs_without_end_are_refused(view) -> None:
    for number in range(1, MAX_EPOCHS):
        Gateway(view, f"{ORIGIN}/{number}-0badcafe").health()
    with pytest.raises(Refused, match="too many epochs"):
        Gateway(view, f"{ORIGIN}/{MAX_EPOCHS}-0badcafe").health()


def test_a_changed_key_is_followed_in_the_log_and_in_the_next_epoch(view) -> None:
    gateway = Gateway(view)
    gateway.health(2)
    gateway.seal()
    gateway.rotate()
    gateway.seal()
    assert view.verified
    assert view.log.proven == 3
    following = Gateway(view, NEXT, NEW)
    following.begin()
    following.seal()
    assert view.verified


def test_a_head_by_a_key_that_is_not_explained_is_a_fault_until_its_leaf_has_come(view) -> None:
    gateway = Gateway(view)
    gateway.health(2)
    leaf = gateway.rotate(deliver=False)
    with pytest.raises(Refused, match="not signed by"):
        gateway.seal()
    view.log.fault(view.log._strange_text())
    view.take(ALARM, leaf, 0.0)
    assert view.faults == []
    assert view.verified


def test_after_a_change_the_old_key_signs_nothing_more(view) -> None:
    gateway = Gateway(view)
    gateway.rotate()
    gateway.health()
    gateway.signer = OLD
    with pytest.raises(Refused, match="not signed by"):
        gateway.seal()
    assert not view.verified


def test_a_change_by_a_key_that_is_not_in_force_is_a_fault(view) -> None:
    stranger = Signer.generate(ORIGIN)
    gateway = Gateway(view, signer=stranger)
    gateway.rotate()
    assert view.faults == ["record 0 changes a key that is not in force"]
    with pytest.raises(Refused):
        gateway.seal()


def test_heads_by_a_stranger_stay_a_fault_when_the_key_changes(view) -> None:
    stranger = Gateway(GatewayView(MINE, GATEWAY), signer=Signer.generate(ORIGIN))
    stranger.tree.add(b"x")
    with pytest.raises(Refused):
        view.take(CHECKPOINT, stranger.note(), 0.0)
    view.log.fault(view.log._strange_text())
    gateway = Gateway(view)
    gateway.rotate()
    assert view.faults == [view.log._strange_text()]
