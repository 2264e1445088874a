"""A copy of one gateway's log, rebuilt from what arrived, in any order. Pure."""

from __future__ import annotations

from edge.errors import Refused
from edge.ledger.checkpoint import Checkpoint, Verifier, parse_note, verify_checkpoint
from edge.ledger.merkle import leaf_hash, new_nodes, root

MAX_AHEAD = 1_000_000  # indexes beyond the first gap that are kept
MAX_HELD_NOTES = 32  # checkpoints that wait for leaves or for a key
MAX_FAULTS = 100


class LogCopy:
    """Leaves of one origin and the checkpoints that must fit them.

    Attributes:
        received: distinct leaves.
        duplicates: leaves that came again, with the same bytes.
        faults: what cannot be true of an honest log; a gap is none.
        claimed: size of the newest checkpoint that the gateway signed.
        proven: size of the newest checkpoint whose root our own tree has.
        forks: pairs of signed checkpoints of one size with different roots, the first ones.
        abandoned: whether a later epoch was begun; then this one is never whole.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.received = 0
        self.duplicates = 0
        self.claimed = 0
        self.proven = 0
        self.faults: list[str] = []
        self.forks: list[tuple[bytes, bytes]] = []
        self.proven_note = b""
        self.abandoned = False
        self._whole = 0  # leaves without a gap
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._ahead: dict[int, bytes] = {}
        self._unread: list[bytes] = []
        self._unproven: dict[tuple[int, bytes], bytes] = {}  # size and root: note
        self._keys: list[tuple[int, Verifier]] = []  # from which size on each one signs
        self._strange: list[bytes] = []  # checkpoints by a key that is not known, or not yet

    @property
    def missing(self) -> int:
        """Leaves that must exist, by a checkpoint or a later leaf, and have not come."""
        return max(self.claimed, self._top) - self.received

    @property
    def verified(self) -> bool:
        """Nothing wrong, and the newest checkpoint fits what arrived."""
        whole = self.claimed > 0 and self.proven == self.claimed
        return whole and not self.faults and not self.abandoned

    @property
    def key(self) -> Verifier | None:
        """The key that signs now."""
        return self._keys[-1][1] if self._keys else None

    @property
    def _top(self) -> int:
        return max(self._ahead, default=self._whole - 1) + 1

    def gaps(self, limit: int = 100) -> list[int]:
        """The first missing indexes."""
        end = max(self.claimed, self._top)
        found: list[int] = []
        for index in range(self._whole, end):
            if len(found) >= limit:
                break
            if index not in self._ahead:
                found.append(index)
        return found

    def enrol(self, key: Verifier) -> None:
        """Take the gateway's key, and read the checkpoints that waited for it."""
        self._keys = [(0, key)]
        waiting, self._unread = self._unread, []
        for note in waiting:
            self.checkpoint(note)

    def rotate(self, index: int, old: Verifier, new: Verifier) -> None:
        """The leaf at `index` names the key that signs from there on."""
        if self.key is None or str(self.key) != str(old):
            self.fault(f"record {index} changes a key that is not in force")
            return
        self._keys.append((index + 1, new))
        waiting, self._strange = self._strange, []
        for note in waiting:
            head = parse_note(note).checkpoint
            if head.size > index and self._signed(note):
                self.checkpoint(note)
            else:
                self._strange.append(note)
        if not self._strange:
            self.faults = [text for text in self.faults if text != self._strange_text()]

    def add(self, index: int, leaf: bytes) -> bool:
        """Take a leaf. True the first time."""
        known = self._nodes.get((0, index))
        if known is None and index in self._ahead:
            known = leaf_hash(self._ahead[index])
        if known is not None:
            if known != leaf_hash(leaf):
                self.fault(f"record {index} came twice with different bytes")
            else:
                self.duplicates += 1
            return False
        if index > self._whole + MAX_AHEAD:
            self.fault(f"record {index} is absurdly far ahead")
            return False
        self._ahead[index] = leaf
        self.received += 1
        while self._whole in self._ahead:
            leaf = self._ahead.pop(self._whole)
            for level, position, digest in new_nodes(self._whole, leaf, self._node):
                self._nodes[level, position] = digest
            self._whole += 1
            self._prove()
        return True

    def checkpoint(self, note: bytes) -> Checkpoint | None:
        """Take a checkpoint; None while its key is unknown. Raises Refused."""
        head = parse_note(note).checkpoint
        if not self._keys:
            self._unread = [*self._unread[-MAX_HELD_NOTES:], note]
            return None
        if not self._signed(note):
            # Perhaps the leaf that explains its key is still on its way.
            self._strange = [*self._strange[-MAX_HELD_NOTES:], note]
            raise Refused(self._strange_text())
        if head.origin != self.origin:
            raise Refused(f"a checkpoint of {head.origin} came as one of {self.origin}")
        self.claimed = max(self.claimed, head.size)
        self._compare(head, note)
        self._unproven.setdefault((head.size, head.root), note)
        self._prove()
        while len(self._unproven) > MAX_HELD_NOTES:
            del self._unproven[min(self._unproven)]
        return head

    def _compare(self, head: Checkpoint, note: bytes) -> None:
        """Two heads of one size, both signed: who holds both can prove that the log has a fork."""
        rivals = [known for (size, _root), known in self._unproven.items() if size == head.size]
        if head.size == self.proven and self.proven_note:
            rivals.append(self.proven_note)
        for rival in rivals:
            if parse_note(rival).checkpoint.root == head.root:
                continue
            self.fault(f"two signed checkpoints of {head.size} records name different roots")
            known = any(rival in pair and note in pair for pair in self.forks)
            if not known and len(self.forks) < MAX_FAULTS:
                self.forks.append((rival, note))

    def fault(self, text: str) -> None:
        """Note something that an honest log cannot show."""
        if len(self.faults) < MAX_FAULTS and text not in self.faults:
            self.faults.append(text)

    def _signed(self, note: bytes) -> bool:
        """Whether the key that is in force at its size signed it."""
        size = parse_note(note).checkpoint.size
        key = max((pair for pair in self._keys if pair[0] <= size), key=lambda pair: pair[0])[1]
        try:
            verify_checkpoint(note, key)
        except Refused:
            return False
        return True

    def _strange_text(self) -> str:
        return f"checkpoint of {self.origin} is not signed by a key that is enrolled"

    def _prove(self) -> None:
        for size, claimed in [place for place in self._unproven if place[0] <= self._whole]:
            note = self._unproven.pop((size, claimed))
            if root(size, self._node) != claimed:
                self.fault(f"the checkpoint of {size} records does not fit what arrived")
            elif size >= self.proven:
                self.proven, self.proven_note = size, note

    def _node(self, level: int, position: int) -> bytes:
        return self._nodes[level, position]
