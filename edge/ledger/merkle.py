"""RFC 6962 Merkle trees: hashing, roots, proofs. Pure.

A tree is kept as its perfect subtrees: node (level, i) covers leaves i·2^level up to
(i+1)·2^level. A perfect node never changes once it is there, so storage only ever adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

NodeAt = Callable[[int, int], bytes]

EMPTY_ROOT = sha256(b"").digest()
_LEAF, _NODE = sha256(b"\x00"), sha256(b"\x01")  # to copy is half as dear as to begin


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of a leaf (RFC 6962, 2.1)."""
    digest = _LEAF.copy()
    digest.update(leaf)
    return digest.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 6962, 2.1)."""
    digest = _NODE.copy()
    digest.update(left + right)
    return digest.digest()


def new_nodes(index: int, leaf: bytes, node: NodeAt) -> Iterator[tuple[int, int, bytes]]:
    """The perfect nodes (level, position, hash) that the leaf at `index` completes.

    Args:
        index: place of the leaf, which is the tree's size before it.
        leaf: its bytes.
        node: gives nodes that are there already.
    """
    level, position, digest = 0, index, leaf_hash(leaf)
    yield level, position, digest
    while position % 2:
        digest = node_hash(node(level, position - 1), digest)
        level, position = level + 1, position // 2
        yield level, position, digest


def new_rows(
    start: int, leaves: Sequence[bytes], node: NodeAt
) -> Iterator[tuple[int, int, list[bytes]]]:
    """The perfect nodes that leaves from `start` on complete: (level, first position, hashes).

    Level by level: for many leaves.
    """
    level, first = 0, start
    row = list(map(leaf_hash, leaves))
    while row:
        yield level, first, row
        if first % 2:
            row = [node(level, first - 1), *row]
        row = list(map(node_hash, row[::2], row[1::2]))  # the last may have no neighbour yet
        level, first = level + 1, first // 2


def grow(
    start: int, leaves: Iterable[bytes], newest: dict[int, bytes]
) -> list[tuple[int, int, bytes]]:
    """The same nodes (level, position, hash) one by one: for few leaves, which somebody waits for.

    Args:
        start: place of the first leaf.
        leaves: their bytes.
        newest: the newest perfect node of each level; brought up to date.
    """
    nodes = []
    for index, leaf in enumerate(leaves, start):
        level, position, digest = 0, index, leaf_hash(leaf)
        while position % 2:
            nodes.append((level, position, digest))
            left, newest[level] = newest[level], digest
            level, position, digest = level + 1, position // 2, node_hash(left, digest)
        nodes.append((level, position, digest))
        newest[level] = digest
    return nodes


def root(size: int, node: NodeAt) -> bytes:
    """Root of the first `size` leaves."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def consistency_proof(old: int, new: int, node: NodeAt) -> list[bytes]:
    """Proof that the first `old` of `new` leaves are unchanged (RFC 6962, 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new}")
    return list(_subproof(old, 0, new, node, known=True))


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that the old tree is a prefix of the new (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    position, last = old - 1, new - 1
    while position % 2:
        position, last = position >> 1, last >> 1
    old_digest = new_digest = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position % 2 or position == last:
            old_digest = node_hash(sibling, old_digest)
            new_digest = node_hash(sibling, new_digest)
            while position % 2 == 0 and position:
                position, last = position >> 1, last >> 1
        else:
            new_digest = node_hash(new_digest, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old_digest == old_root and new_digest == new_root


def peaks(size: int, node: NodeAt) -> dict[int, bytes]:
    """The perfect subtrees that make up a tree of `size` leaves: level to hash, largest first."""
    return {level: node(level, (size >> level) - 1) for level in _peak_levels(size)}


class Frontier:
    """A growing tree of which only the perfect subtrees on its right edge are kept."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """Begin empty, or with the peaks of a tree of `size` leaves in the order of `peaks`.

        Raises:
            ValueError: a tree of that size has another number of peaks.
        """
        self.size = size
        # (level, hash), falling levels
        self._peaks: list[tuple[int, bytes]] = list(zip(_peak_levels(size), peaks, strict=True))

    def add(self, leaf: bytes) -> None:
        """Append a leaf."""
        self.add_node(0, leaf_hash(leaf))

    def add_node(self, level: int, digest: bytes) -> None:
        """Append the 2^level leaves under a perfect node of which only the hash is known.

        Raises:
            ValueError: no such node begins at this size.
        """
        if self.size & ((1 << level) - 1):
            raise ValueError(f"no node of level {level} begins at leaf {self.size}")
        self.size += 1 << level
        while self._peaks and self._peaks[-1][0] == level:
            digest = node_hash(self._peaks.pop()[1], digest)
            level += 1
        self._peaks.append((level, digest))

    def root(self) -> bytes:
        """Root of what was added."""
        if not self._peaks:
            return EMPTY_ROOT
        digest = self._peaks[-1][1]
        for _level, left in reversed(self._peaks[:-1]):
            digest = node_hash(left, digest)
        return digest


def cover(start: int, end: int) -> Iterator[int]:
    """Levels of the fewest perfect nodes that make up the leaves from `start` to before `end`."""
    while start < end:
        level = (end - start).bit_length() - 1
        while start & ((1 << level) - 1):
            level -= 1
        yield level
        start += 1 << level


def _peak_levels(size: int) -> list[int]:
    return [level for level in reversed(range(size.bit_length())) if size >> level & 1]


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def _range_hash(start: int, end: int, node: NodeAt) -> bytes:
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(width)
    return node_hash(_range_hash(start, middle, node), _range_hash(middle, end, node))


def _subproof(old: int, start: int, end: int, node: NodeAt, *, known: bool) -> Iterator[bytes]:
    if start + old == end:
        if not known:
            yield _range_hash(start, end, node)
        return
    width = _split(end - start)
    if old <= width:
        yield from _subproof(old, start, start + width, node, known=known)
        yield _range_hash(start + width, end, node)
    else:
        yield from _subproof(old - width, start + width, end, node, known=False)
        yield _range_hash(start, start + width, node)
