"""An attacker who holds the disk and the key, against what the province has witnessed.

The attacker rebuilds the ledger as a whole: every hash right, every signature good. What is
left to find them out is only what somebody else has seen: receipts, and the records themselves.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from edge.clock import ManualClock
from edge.domain.record import Draft, Lane
from edge.errors import Refused
from edge.ledger.checkpoint import Signer, parse_note
from edge.ledger.leaf import encode_leaf
from edge.ledger.merkle import consistency_proof, root, verify_consistency
from edge.ledger.store import Ledger
from edge.uplink.outbox import READ_AHEAD, Outbox
from simulators.province.tree import LogCopy
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft, tree_of

SIGNER = Signer.generate(ORIGIN)
PROVINCE = Signer.generate("province.example")
WINDOW = 20
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class History(RuleBasedStateMachine):
    """A gateway, a line that loses PUBACKs, a province, and somebody with a screwdriver."""

    def __init__(self) -> None:
        super().__init__()
        # In memory where there is such a place: power cuts are not what this is about.
        self.folder = Path(tempfile.mkdtemp(prefix="eseal-history-", dir=MEMORY))
        self.number = 0
        self.drafts: list[Draft] = []  # what the ledger holds now
        self.images: list[tuple[Path, list[Draft]]] = []
        self.province = LogCopy(ORIGIN)
        self.province.enrol(SIGNER.verifier)
        self.arrived: dict[int, bytes] = {}  # the model of the province: first come, first kept
        self.heads: dict[int, bytes] = {}  # told, and waiting for what they cover
        self.contradicted = False
        self.witnessed: dict[int, tuple[bytes, bytes]] = {}  # size to receipt and root

    @initialize()
    def begin(self) -> None:
        self._open(self.folder / "0")

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()
        shutil.rmtree(self.folder)

    def _open(self, directory: Path) -> None:
        self.directory = directory
        self.ledger = Ledger.open(directory, origin=ORIGIN, signer=SIGNER, clock=ManualClock())
        self.outbox = Outbox(self.ledger.cursor("alarm"), self.ledger.cursor("routine"))

    def _leaves(self) -> list[bytes]:
        return [encode_leaf(item, ORIGIN, i) for i, item in enumerate(self.drafts)]

    @rule(kinds=st.lists(st.booleans(), min_size=1, max_size=4))
    def append(self, kinds: list[bool]) -> None:
        drafts = []
        for urgent in kinds:
            drafts.append(alarm(self.number) if urgent else draft(self.number))
            self.number += 1
        records = self.ledger.submit(drafts).result(WAIT_S)
        assert [record.index for record in records] == [
            len(self.drafts) + i for i in range(len(drafts))
        ]
        self.drafts += drafts
        for lane in self.outbox.lanes.values():
            lane.wake()

    @rule(acknowledged=st.lists(st.booleans(), min_size=1, max_size=WINDOW))
    def deliver(self, acknowledged: list[bool]) -> None:
        """Records arrive; of some the PUBACK is lost with the connection."""
        for lane, queue in self.outbox.lanes.items():
            if (start := queue.wanted) is not None:
                queue.offer(self.ledger.pending(lane, start, READ_AHEAD), READ_AHEAD)
        for heard in acknowledged:
            record = self.outbox.take(0.0, WINDOW, WINDOW)
            if record is None:
                break
            self._arrive(record.index, record.leaf)
            if heard:
                self.outbox.lanes[record.lane].delivered(record.index)
        for lane, queue in self.outbox.lanes.items():
            self.ledger.move_cursor(lane.value, queue.cursor).result(WAIT_S)
        if not all(acknowledged):
            self.outbox.reset()

    def _arrive(self, index: int, leaf: bytes) -> None:
        self.province.add(index, leaf)
        self.contradicted |= self.arrived.setdefault(index, leaf) != leaf
        self._judge_heads()

    @rule()
    def tell_the_head(self) -> None:
        """A checkpoint arrives: held against one of its size, and against all below it."""
        note = self.ledger.seal_head().result(WAIT_S)
        self.province.checkpoint(note)
        head = parse_note(note).checkpoint
        self.contradicted |= self.heads.get(head.size, head.root) != head.root
        self.heads[head.size] = head.root
        self._judge_heads()

    def _judge_heads(self) -> None:
        for size in list(self.heads):
            if self.arrived.keys() >= set(range(size)):
                claimed = self.heads.pop(size)
                self.contradicted |= root(size, tree_of(self._seen(size))) != claimed

    @precondition(lambda self: self.province.proven_note and not self.province.faults)
    @rule()
    def witness(self) -> None:
        """The province cosigns what it has proven, and the gateway is told."""
        size, note = self.province.proven, self.province.proven_note
        receipt = PROVINCE.cosign(note, 1_750_000_000 + size)
        self.witnessed[size] = receipt, parse_note(note).checkpoint.root

    @rule()
    def die(self) -> None:
        """Restart: what was under way is forgotten, the cursors are not."""
        self.ledger.close()
        self._open(self.directory)

    @rule()
    def keep_an_image(self) -> None:
        self.ledger.close()
        image = self.folder / f"image-{len(self.images)}"
        shutil.copytree(self.directory, image)
        self.images.append((image, list(self.drafts)))
        self._open(self.directory)

    @precondition(lambda self: self.images)
    @rule(data=st.data())
    def restore_an_image(self, data: st.DataObject) -> None:
        image, drafts = data.draw(st.sampled_from(self.images))
        self.ledger.close()
        shutil.rmtree(self.directory)
        shutil.copytree(image, self.directory)
        self.drafts = list(drafts)
        self._open(self.directory)

    @precondition(lambda self: self.drafts)
    @rule(data=st.data(), cut=st.booleans())
    def write_history_anew(self, data: st.DataObject, cut: bool) -> None:
        """One record is changed, or the end cut off; then all is hashed and signed again."""
        place = data.draw(st.integers(0, len(self.drafts) - 1))
        drafts = list(self.drafts)
        if cut:
            del drafts[place:]
        else:
            drafts[place] = replace(drafts[place], data={"number": -place, "nothing": "happened"})
        cursors = {lane: min(self.ledger.cursor(lane.value), len(drafts)) for lane in Lane}
        self.ledger.close()
        self.number += 1
        self._open(self.folder / f"forged-{self.number}")
        self.ledger.submit(drafts).result(WAIT_S)
        self.ledger.seal_head().result(WAIT_S)
        for lane, cursor in cursors.items():
            self.ledger.move_cursor(lane.value, cursor).result(WAIT_S)
        self.drafts = drafts
        self.outbox = Outbox(cursors[Lane.ALARM], cursors[Lane.ROUTINE])

    @invariant()
    def a_receipt_is_refused_exactly_when_what_it_covers_is_gone_or_changed(self) -> None:
        leaves = self._leaves()
        node = tree_of(leaves)
        head = root(len(leaves), node)
        for size, (receipt, witnessed) in self.witnessed.items():
            covered = size <= len(leaves)
            same = covered and root(size, node) == witnessed
            assert same == (covered and leaves[:size] == self._seen(size))
            if same:
                self.ledger.add_receipt(receipt, size).result(WAIT_S)
            else:
                with pytest.raises(Refused):
                    self.ledger.add_receipt(receipt, size).result(WAIT_S)
            if covered and size:
                proof = consistency_proof(size, len(leaves), node)
                assert verify_consistency(size, len(leaves), witnessed, head, proof) == same

    def _seen(self, size: int) -> list[bytes]:
        return [self.arrived[i] for i in range(size)]

    @invariant()
    def the_province_finds_fault_exactly_when_it_was_told_two_histories(self) -> None:
        assert bool(self.province.faults) == self.contradicted

    @invariant()
    def what_nobody_acknowledged_still_waits(self) -> None:
        for lane in Lane:
            waiting = {r.index for r in self.ledger.pending(lane, self.ledger.cursor(lane), 1000)}
            lanes = {i for i, item in enumerate(self.drafts) if item.lane is lane}
            assert waiting == {i for i in lanes if i >= self.ledger.cursor(lane)}


History.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestHistory = History.TestCase
