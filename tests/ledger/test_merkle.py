"""RFC 6962 trees: published vectors, every small size, and proofs that do not lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    cover,
    grow,
    leaf_hash,
    new_nodes,
    new_rows,
    node_hash,
    peaks,
    root,
    verify_consistency,
)
from tests.ledger.support import tree_of

# Leaves, roots and proofs that the Certificate Transparency projects test with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CONSISTENCY = {
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
SIZES = 70
MANY = [bytes([i]) * (i % 5) for i in range(SIZES)]
TREE = tree_of(MANY)


def recursive_root(leaves: list[bytes]) -> bytes:
    """The definition in RFC 6962, 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(recursive_root(leaves[:k]), recursive_root(leaves[k:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_that_were_published(size):
    assert root(size, tree_of(LEAVES)).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_consistency_proofs_are_those_that_were_published(old, new):
    proof = consistency_proof(old, new, tree_of(LEAVES))
    assert [step.hex() for step in proof] == CONSISTENCY[old, new]


def test_the_empty_tree_has_the_hash_of_nothing():
    assert root(0, TREE) == EMPTY_ROOT == Frontier().root()
    assert EMPTY_ROOT.hex().startswith("e3b0c44298fc1c149afbf4c8996fb924")


def test_stored_nodes_and_the_frontier_agree_with_the_definition_at_every_size():
    frontier = Frontier()
    for size in range(1, SIZES + 1):
        frontier.add(MANY[size - 1])
        assert frontier.size == size
        assert frontier.root() == root(size, TREE) == recursive_root(MANY[:size])


@given(st.integers(0, SIZES), st.integers(0, SIZES))
def test_many_leaves_at_once_complete_the_nodes_that_they_complete_one_by_one(start, count):
    leaves = MANY[start : start + count]
    rows = [
        (level, first + i, digest)
        for level, first, row in new_rows(start, leaves, TREE)
        for i, digest in enumerate(row)
    ]
    singly = [node for i, leaf in enumerate(leaves, start) for node in new_nodes(i, leaf, TREE)]
    assert sorted(rows) == sorted(singly)
    assert len(set(rows)) == len(rows)
    newest = {level: TREE(level, (start >> level) - 1) for level in range(start.bit_length())}
    assert grow(start, leaves, newest) == singly
    end = start + len(leaves)
    assert newest == {level: TREE(level, (end >> level) - 1) for level in range(end.bit_length())}


def test_a_frontier_taken_up_anywhere_goes_on_to_the_same_root():
    for start in range(SIZES + 1):
        frontier = Frontier(start, peaks(start, TREE).values())
        for leaf in MANY[start:]:
            frontier.add(leaf)
        assert frontier.root() == root(SIZES, TREE)


@given(st.integers(0, SIZES), st.integers(0, SIZES))
def test_a_frontier_goes_past_leaves_of_which_it_knows_only_the_nodes(a, b):
    start, end = min(a, b), max(a, b)
    frontier = Frontier(start, peaks(start, TREE).values())
    for level in cover(start, end):
        frontier.add_node(level, TREE(level, frontier.size >> level))
    assert frontier.size == end
    assert frontier.root() == root(end, TREE)
    for leaf in MANY[end:]:
        frontier.add(leaf)
    assert frontier.root() == root(SIZES, TREE)


@given(st.integers(1, SIZES), st.integers(0, 7))
def test_a_node_that_does_not_begin_where_the_frontier_ends_is_refused(size, level):
    frontier = Frontier(size, peaks(size, TREE).values())
    if size % (1 << level):
        with pytest.raises(ValueError, match=f"level {level} begins at leaf {size}"):
            frontier.add_node(level, bytes(32))
        assert frontier.root() == root(size, TREE)
    else:
        frontier.add_node(level, bytes(32))
        assert frontier.size == size + (1 << level)


def test_a_frontier_needs_as_many_peaks_as_its_size_has_bits():
    with pytest.raises(ValueError, match="zip"):
        Frontier(3, [bytes(32)])


def test_every_consistency_proof_verifies_and_for_no_other_root():
    for new in range(1, SIZES + 1):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, TREE)
            roots = root(old, TREE), root(new, TREE)
            assert verify_consistency(old, new, *roots, proof)
            assert not verify_consistency(old, new, bytes(32), roots[1], proof)
            assert not verify_consistency(old, new, roots[0], bytes(32), proof)
            assert not verify_consistency(old, new, *roots, [*proof, bytes(32)])
            assert not verify_consistency(old, new, *roots, proof[:-1]) or not proof


@given(st.data())
def test_one_changed_bit_anywhere_spoils_a_consistency_proof(data):
    new = data.draw(st.integers(2, SIZES))
    old = data.draw(st.integers(1, new - 1))
    proof = consistency_proof(old, new, TREE)
    step = data.draw(st.integers(0, len(proof) - 1))
    proof[step] = flipped(proof[step], data.draw(st.integers(0, 255)))
    assert not verify_consistency(old, new, root(old, TREE), root(new, TREE), proof)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=SIZES), st.data())
def test_a_history_that_was_rewritten_is_not_consistent(leaves, data):
    old = data.draw(st.integers(1, len(leaves)))
    rewritten = list(leaves)
    rewritten[data.draw(st.integers(0, old - 1))] += b"!"
    before, after = tree_of(leaves), tree_of([*rewritten, b"more"])
    new = len(leaves) + 1
    proof = consistency_proof(old, new, after)
    assert not verify_consistency(old, new, root(old, before), root(new, after), proof)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3)])
def test_there_is_no_consistency_from_nothing_or_from_the_future(old, new):
    with pytest.raises(ValueError, match="no consistency"):
        consistency_proof(old, new, TREE)
    assert verify_consistency(old, new, bytes(32), bytes(32), []) is False


def test_without_a_proof_no_tree_is_consistent_with_a_larger_one():
    for new in range(2, 20):
        for old in range(1, new):
            assert verify_consistency(old, new, root(old, TREE), root(new, TREE), []) is False


def test_a_tree_is_consistent_with_itself_only_without_a_proof():
    assert verify_consistency(3, 3, b"r", b"r", [])
    assert not verify_consistency(3, 3, b"r", b"r", [b"r"])
    assert not verify_consistency(3, 3, b"r", b"s", [])


@given(st.integers(1, SIZES), st.integers(1, SIZES), st.binary(min_size=32, max_size=32))
def test_a_proof_that_goes_on_after_its_end_proves_nothing(a, b, more):
    old, new = min(a, b), max(a, b)
    top = root(new, TREE)
    proof = consistency_proof(old, new, TREE)
    assert verify_consistency(old, new, root(old, TREE), top, proof) is True
    assert verify_consistency(old, new, root(old, TREE), top, [*proof, more]) is False
    # Nor between roots that were made for it.
    below, above = node_hash(more, root(old, TREE)), node_hash(more, top)
    assert verify_consistency(old, new, below, above, [*proof, more]) is False


@given(st.integers(0, 300), st.integers(0, 300))
def test_any_stretch_is_covered_by_the_fewest_perfect_nodes(a, b):
    start, end = min(a, b), max(a, b)
    at, levels = start, list(cover(start, end))
    for level in levels:
        assert at % (1 << level) == 0, "a node begins at a multiple of its width"
        larger = 2 << level
        assert at % larger or at + larger > end, "no larger node would have fitted"
        at += 1 << level
    assert at == end


def test_leaves_cannot_pass_for_inner_nodes():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)


def flipped(digest: bytes, bit: int) -> bytes:
    changed = bytearray(digest)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
