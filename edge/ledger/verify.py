"""Check a bundle offline, with nothing but public keys.

The bundle is hostile: everything is bounded, nothing is unpacked, and every byte of it is
either covered by the signature, named by its own hash, or follows from the rest. Without a
trusted key nothing is sound: whoever forges a bundle can sign it with a key of his own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.domain.record import RecordType
from edge.errors import Refused
from edge.ledger.bundle import (
    CHECKPOINT,
    EVIDENCE,
    MANIFEST,
    MAX_RECEIPTS,
    PROOFS,
    RECEIPTS,
    RECORDS,
    SEGMENT_BYTES,
    VKEY,
    BundleReader,
    parse_node,
    receipt_name,
    records_name,
)
from edge.ledger.checkpoint import (
    MAX_NOTE_BYTES,
    Checkpoint,
    Verifier,
    parse_note,
    verify_cosignature,
)
from edge.ledger.evidence import MAX_EVIDENCE_BYTES
from edge.ledger.keys import read_verifier
from edge.ledger.leaf import MAX_LEAF_BYTES, evidence_of, parse_leaf
from edge.ledger.lineage import Lineage
from edge.ledger.merkle import EMPTY_ROOT, Frontier, cover, verify_consistency
from edge.ledger.origin import key_name
from edge.ledger.proofs import Proofs, parse_proofs
from edge.ledger.report import Receipt, Report

MAX_PROOFS_BYTES = 200_000
MAX_MANIFEST_BYTES = 40_000_000
MAX_PROBLEMS = 1000
MAX_GAPS = 1_000_000
MAX_NODES = 128  # over one run: it needs at most two of a level
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_HASH = re.compile(r"[0-9a-f]{64}")


def verify(bundle: Path, keys: Sequence[str]) -> Report:
    """Check one bundle.

    Args:
        bundle: a file that `eseal export` wrote, or claims to be one.
        keys: trusted public keys, as C2SP verifier keys or files that hold one; the gateway's
            and, for receipts, the province's.

    Returns:
        What holds and what does not. `sound` only if a given key signed the checkpoint and all
        else follows from it.

    Raises:
        Refused: a key cannot be read, or the bundle cannot be opened.
    """
    trusted = [read_verifier(text) for text in keys]
    report = Report()
    try:
        with bundle.open("rb") as file:
            try:
                _Check(BundleReader(file), trusted, report).run()
            except Refused as error:
                report.problems.append(("文件结构或内容有误，检查中止", str(error)))
    except OSError as error:
        raise Refused(f"{bundle}: cannot be read ({error.strerror})") from error
    return report


class _Check:
    """One pass over a bundle. What breaks its structure is Refused; the rest is noted."""

    def __init__(self, bundle: BundleReader, trusted: list[Verifier], report: Report) -> None:
        self._bundle = bundle
        self._trusted = trusted
        self._report = report
        self._named: set[bytes] = set()
        self._lineage = Lineage("")

    def run(self) -> None:
        head, note = self._checkpoint()
        notes = self._receipt_notes()
        proofs = parse_proofs(self._member(PROOFS, MAX_PROOFS_BYTES), len(notes))
        for receipt, proof in zip(notes, proofs.receipts, strict=True):
            self._receipt(receipt, proof, head)
        self._records(head, proofs)
        self._signature(head, note)
        self._evidence()
        self._manifest(head, proofs.start)

    def _problem(self, chinese: str, english: str) -> None:
        if len(self._report.problems) >= MAX_PROBLEMS:
            raise Refused(f"more than {MAX_PROBLEMS} faults")
        self._report.problems.append((chinese, english))

    def _member(self, name: str, limit: int) -> bytes:
        if self._bundle.name != name:
            raise Refused(f"{self._bundle.name or 'the end'!r} stands where {name} should be")
        return self._bundle.read(limit)

    def _checkpoint(self) -> tuple[Checkpoint, bytes]:
        note = self._member(CHECKPOINT, MAX_NOTE_BYTES)
        head = parse_note(note).checkpoint
        self._lineage = Lineage(head.origin)
        self._report.origin, self._report.size = head.origin, head.size
        line = self._member(VKEY, 1000)
        own = Verifier.parse(line.decode("utf-8", "replace"))
        if line != f"{own}\n".encode():
            raise Refused(f"{VKEY} is not one line with a key")
        self._report.vkey = str(own)
        return head, note

    def _signature(self, head: Checkpoint, note: bytes) -> None:
        """Who signed the head; asked for when the records have told how the key changed."""
        own = Verifier.parse(self._report.vkey)
        self._report.rotated = [index for index, _old, _new in self._lineage.changes]
        signed = self._lineage.signer(note, self._trusted)
        if signed is not None:
            self._report.trusted = signed[0].name
            if str(own) != str(signed[1]):
                self._problem(
                    "文件中的网关公钥不是签名所用的公钥",
                    "the gateway key in the bundle is not the one that signed",
                )
        elif self._lineage.signer(note, [own]) is None:
            self._problem("检查点签名无效", "the checkpoint's signature is not valid")
        elif any(key.name == key_name(head.origin) for key in self._trusted):
            self._problem(
                "检查点不是由给出的网关公钥签名", "the checkpoint is not signed by the key given"
            )

    def _receipt_notes(self) -> list[bytes]:
        notes: list[bytes] = []
        while self._bundle.name.startswith(RECEIPTS):
            if len(notes) >= MAX_RECEIPTS:
                raise Refused(f"more than {MAX_RECEIPTS} receipts")
            notes.append(self._member(receipt_name(len(notes)), MAX_NOTE_BYTES))
        return notes

    def _receipt(self, note: bytes, proof: list[bytes], head: Checkpoint) -> None:
        parsed = parse_note(note)
        held = parsed.checkpoint
        if held.origin != head.origin or held.size > head.size:
            self._problem(
                f"回执与检查点不符（{held.size} 条）",
                f"a receipt is for another log, or for {held.size} records, more than there are",
            )
            return
        if not _consistent(held, head, proof):
            self._problem(
                f"前 {held.size} 条与上级平台收到的不同",
                f"the first {held.size} records are not those that the receipt is for",
            )
            return
        # A gateway that confirms its own records confirms nothing.
        keys = [key.as_cosigner() for key in self._trusted if key.name != key_name(head.origin)]
        try:
            _head, name, unix_s = verify_cosignature(note, keys)
        except Refused:
            if any(key.matches(line) for key in keys for line in parsed.signatures):
                self._problem("回执签名无效", "a receipt's cosignature is not valid")
                return
            names = [line.name for line in parsed.signatures if line.name != key_name(head.origin)]
            self._report.receipts.append(Receipt(held.size, ", ".join(names) or "?", None))
        else:
            self._report.receipts.append(Receipt(held.size, name, unix_s))

    def _records(self, head: Checkpoint, proofs: Proofs) -> None:
        self._report.start = proofs.start
        try:
            tree = Frontier(proofs.start, proofs.peaks)
        except ValueError as error:
            raise Refused(f"{PROOFS} has not the peaks of {proofs.start} records") from error
        gap: list[int] = []
        while self._bundle.name.startswith(RECORDS):
            segment = self._member(records_name(tree.size), SEGMENT_BYTES + MAX_LEAF_BYTES)
            lines = segment.split(b"\n")
            if len(lines) < 2 or lines.pop():
                raise Refused(f"records from {tree.size} on do not end with a line")
            for line in lines:
                node = parse_node(line)
                if node and len(gap) < MAX_NODES:
                    gap.append(self._node(tree, *node))
                    continue
                self._close_gap(gap, tree.size)
                self._record(line, head.origin, tree.size)
                tree.add(line)
        self._close_gap(gap, tree.size)
        self._report.end = tree.size
        if tree.size != head.size:
            self._problem(
                f"签名覆盖 {head.size} 条，文件中只到 {tree.size} 条",
                f"the signature covers {head.size} records, the bundle ends at {tree.size}",
            )
        elif tree.root() != head.root:
            self._problem(
                "记录与签名的树根不符：有记录被改动、删除或插入",
                "the records do not give the signed root: some were changed, removed or added",
            )

    def _node(self, tree: Frontier, level: int, digest: bytes) -> int:
        """Leaves of which only a hash is here: go past them; gives the level."""
        try:
            tree.add_node(level, digest)
        except ValueError as error:
            raise Refused(str(error)) from error
        return level

    def _close_gap(self, levels: list[int], end: int) -> None:
        """At the end of a run of nodes: they must be the fewest, so that there is one spelling."""
        if not levels:
            return
        start = end - sum(1 << level for level in levels)
        if levels != list(cover(start, end)):
            raise Refused(f"records {start} to {end - 1} are not covered by the fewest nodes")
        if len(self._report.hashed) >= MAX_GAPS:
            raise Refused(f"more than {MAX_GAPS} runs of records are missing")
        self._report.hashed.append((start, end - 1))
        levels.clear()

    def _record(self, leaf: bytes, origin: str, index: int) -> None:
        try:
            envelope = parse_leaf(leaf, origin, index)
            time = envelope.get("time")
            if not isinstance(time, str) or not _TIME.fullmatch(time):
                raise Refused(f"record {index} does not say its time")
        except Refused as error:
            self._problem(f"第 {index} 条记录有误", str(error))
            return
        self._report.read += 1
        self._about_the_log(index, envelope)
        self._report.first_time = self._report.first_time or time
        self._report.last_time = time
        self._named.update(map(bytes.fromhex, evidence_of(envelope)))

    def _about_the_log(self, index: int, envelope: dict[str, Any]) -> None:
        """A change of key is followed; that a log goes on from another is told."""
        data = envelope.get("data")
        if not isinstance(data, dict):
            return
        if envelope.get("type") == RecordType.KEY_ROTATED:
            try:
                self._lineage.take(index, data)
            except Refused as error:
                self._problem(f"第 {index} 条记录更换密钥，但签名不成立", str(error))
        elif envelope.get("type") == RecordType.EPOCH_BEGUN and index == 0:
            previous, lost = data.get("previous"), data.get("lost_at_least")
            if isinstance(previous, dict) and type(lost) is int:
                self._report.follows = str(previous.get("origin"))[:200], lost

    def _evidence(self) -> None:
        last = ""
        while self._bundle.name.startswith(EVIDENCE):
            name = self._bundle.name
            digest = name.removeprefix(EVIDENCE)
            if not _HASH.fullmatch(digest) or digest <= last:
                raise Refused(f"{name!r} is not named by a hash, or out of order")
            last = digest
            for _chunk in self._bundle.chunks(MAX_EVIDENCE_BYTES):
                pass
            if bytes.fromhex(digest) not in self._named:
                self._problem(
                    f"证据 {digest} 没有记录提到", f"evidence {digest} is named by no record"
                )
            elif self._bundle.manifest.files[-1]["sha256"] != digest:
                self._problem(f"证据 {digest} 被改动", f"evidence {digest} was changed")
            else:
                self._report.evidence += 1
            self._named.discard(bytes.fromhex(digest))
        self._report.missing = sorted(raw.hex() for raw in self._named)

    def _manifest(self, head: Checkpoint, start: int) -> None:
        expected = self._bundle.manifest.encode(head.origin, start, head.size)
        if self._member(MANIFEST, MAX_MANIFEST_BYTES) != expected:
            self._problem("清单与内容不符", "the manifest does not fit the content")
        if self._bundle.name:
            raise Refused(f"{self._bundle.name!r} follows the manifest")


def _consistent(held: Checkpoint, head: Checkpoint, proof: list[bytes]) -> bool:
    if held.size == 0:
        return held.root == EMPTY_ROOT and not proof
    return verify_consistency(held.size, head.size, held.root, head.root, proof)
