"""`eseal fsck`: signed heads, receipts and cursors."""

from __future__ import annotations

from collections.abc import Sequence

from edge.errors import LedgerCorrupt, Refused
from edge.ledger.checkpoint import (
    Checkpoint,
    Verifier,
    parse_note,
    verify_checkpoint,
    verify_cosignature,
)
from edge.ledger.merkle import EMPTY_ROOT, root
from edge.ledger.reader import CURSORS
from edge.ledger.survey import Progress, Survey, stepping_over

_TOLD = 20


def check_heads(survey: Survey, progress: Progress) -> None:
    """Every stored checkpoint: its signature, and its root against the tree."""
    stage = ("检查点", "checkpoints")
    found = survey.found
    newest = None
    try:
        newest = Verifier.parse(str(survey.value("SELECT value FROM meta WHERE key = 'vkey'", "")))
    except Refused as error:
        found.fault("账本中的网关公钥损坏", f"the gateway's public key is damaged ({error})")
    count = survey.value("SELECT count(*) FROM checkpoint", 0)
    done = 0
    with stepping_over(survey, *stage):
        for size, note in survey.connection.execute("SELECT size, note FROM checkpoint"):
            done += 1
            progress(stage, done, max(count, done))
            why = _head_fault(survey, size, note, _key_at(survey, size, newest))
            if why:
                _tell(survey, f"检查点（{size} 条）不成立", f"checkpoint of {size} leaves: {why}")
            else:
                found.checkpoints += 1
                found.signed = max(found.signed, size)
    if found.size and not found.checkpoints:
        found.fault("没有有效的检查点", "there is no valid checkpoint")
    progress(stage, count, count)


def check_receipts(survey: Survey, keys: Sequence[Verifier], progress: Progress) -> None:
    """Every stored receipt: its root against the tree, its cosignature by a key of the province."""
    stage = ("回执", "receipts")
    found = survey.found
    cosigners = [key.as_cosigner() for key in keys]
    with stepping_over(survey, *stage):
        for done, (size, note) in enumerate(
            survey.connection.execute("SELECT size, note FROM receipt")
        ):
            progress(stage, done, done + 1)
            why = _head_fault(survey, size, note, None)
            if not why and cosigners:
                why = _cosignature_fault(note, cosigners)
            if why:
                _tell(survey, f"回执（{size} 条）不成立", f"receipt for {size} leaves: {why}")
            else:
                found.receipts += 1
    progress(stage, 1, 1)


def check_cursors(survey: Survey) -> None:
    """Where delivery and retention are, against what there is."""
    found = survey.found
    with stepping_over(survey, "游标", "cursors"):
        for name, index in survey.connection.execute("SELECT name, idx FROM cursor"):
            known = name in (*CURSORS, "indexed")
            if not known or not isinstance(index, int) or not 0 <= index <= found.size:
                found.fault(f"游标 {name} 不合理：{index}", f"cursor {name} is at {index}")
    with stepping_over(survey, "删除记录", "list of pruned leaves"):
        end = 0
        covered = survey.value("SELECT max(size) FROM receipt", 0)
        query = "SELECT first, last FROM pruned ORDER BY first"
        for first, last in survey.connection.execute(query):
            if not end <= first <= last < max(covered, 1):
                found.fault(
                    f"删除范围 {first}-{last} 不合理", f"pruned leaves {first}-{last} cannot be"
                )
            end = last + 1
    stray = survey.value("SELECT count(*) FROM leaf, pruned WHERE idx BETWEEN first AND last", 0)
    if stray:
        found.fault(f"{stray} 条记录标为已删却仍在", f"{stray} leaves are there though pruned")


def _key_at(survey: Survey, size: object, newest: Verifier | None) -> Verifier | None:
    """The key in force for a head of that size."""
    changes = survey.lineage.changes
    if not changes or not isinstance(size, int):
        return newest
    before = [new for index, _old, new in changes if index < size]
    return before[-1] if before else changes[0][1]


def _head_fault(survey: Survey, size: object, note: object, key: Verifier | None) -> str:
    """Why a stored head does not hold; empty if it does. Without `key` nobody need have signed."""
    if not isinstance(size, int) or not isinstance(note, bytes):
        return "it is not of its kind"
    try:
        head = parse_note(note).checkpoint
        if key:
            head = verify_checkpoint(note, key)
    except Refused as error:
        return str(error)
    if (head.origin, head.size) != (survey.found.origin, size):
        return "it is filed under another origin or size"
    if size > survey.found.size:
        return f"there are only {survey.found.size} leaves"
    return "" if _root(survey, head) == head.root else "the tree does not have its root"


def _root(survey: Survey, head: Checkpoint) -> bytes:
    def node(level: int, position: int) -> bytes:
        digest = survey.node(level, position)
        if digest is None:
            raise LedgerCorrupt(f"tree node {level}/{position} is missing")
        return digest

    try:
        return root(head.size, node) if head.size else EMPTY_ROOT
    except LedgerCorrupt:
        return b""


def _cosignature_fault(note: bytes, keys: Sequence[Verifier]) -> str:
    try:
        verify_cosignature(note, keys)
    except Refused as error:
        return str(error)
    return ""


def _tell(survey: Survey, chinese: str, english: str) -> None:
    if len(survey.found.faults) < _TOLD * 5:
        survey.found.fault(chinese, english)
