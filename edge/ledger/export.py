"""Write what a third party needs to check the record offline, as one bundle.

Works beside the running daemon: the newest checkpoint is taken once, and the leaves that it
covers never change.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import file_digest
from itertools import chain
from pathlib import Path
from typing import IO

from edge.errors import ConfigError, EsealError, Fault, Refused, StorageFull
from edge.ledger.bundle import (
    CHECKPOINT,
    EVIDENCE,
    MAX_RECEIPTS,
    PROOFS,
    SEGMENT_BYTES,
    VKEY,
    BundleWriter,
    encode_node,
    encode_proofs,
    receipt_name,
    records_name,
)
from edge.ledger.checkpoint import Checkpoint, parse_note
from edge.ledger.evidence import fsync_directory
from edge.ledger.leaf import evidence_of
from edge.ledger.merkle import Frontier, consistency_proof, cover, peaks
from edge.ledger.pruned import runs
from edge.ledger.reader import LedgerView
from edge.ledger.schema import corrupt


def export(directory: Path, target: Path, start: int = 0) -> str:
    """Write records from `start` to the newest checkpoint, with proofs and evidence.

    Args:
        directory: the ledger's.
        target: the bundle; replaced whole if it exists.
        start: first record; earlier ones stay provable by their tree's peaks.

    Returns:
        A summary for people.

    Raises:
        ConfigError: no ledger there, or no such record.
        LedgerCorrupt: the leaves do not give the root that was signed.
        StorageFull: the bundle cannot be written.
        EsealError: nothing has been signed yet.
    """
    view = LedgerView.open(directory)
    partial = target.with_name(target.name + ".part")
    try:
        note, head = _head(view, directory, start)
        try:
            with partial.open("wb") as file:
                summary = _Export(view, directory, head, start).write(note, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
            fsync_directory(target.parent)
        except OSError as error:
            raise StorageFull(
                f"{target}: {error.strerror}; name a place that has room and can be written"
            ) from error
        finally:
            with suppress(OSError):  # it became the bundle, or was never made
                partial.unlink()
    finally:
        view.close()
    return f"{target}: {summary}"


def _head(view: LedgerView, directory: Path, start: int) -> tuple[bytes, Checkpoint]:
    note = view.checkpoint()
    if note is None:
        raise EsealError(f"{directory}: nothing has been signed yet; let `eseal run` write records")
    try:
        head = parse_note(note).checkpoint
    except Refused as error:
        raise corrupt(directory, f"its newest checkpoint is damaged ({error})") from error
    if not 0 <= start <= head.size:
        raise ConfigError([Fault("--start", f"is {start}", f"name a record from 0 to {head.size}")])
    return note, head


class _Export:
    """One export on its way."""

    def __init__(self, view: LedgerView, directory: Path, head: Checkpoint, start: int) -> None:
        self._view = view
        self._directory = directory
        self._head = head
        self._start = start
        self._evidence: set[bytes] = set()
        self._gone = 0

    def write(self, note: bytes, file: IO[bytes]) -> str:
        bundle = BundleWriter(file)
        bundle.add(CHECKPOINT, note)
        bundle.add(VKEY, f"{self._view.vkey}\n".encode())
        receipts = self._receipts(bundle)
        for first, segment in self._segments():
            bundle.add(records_name(first), segment)
        included, missing = self._copy_evidence(bundle)
        bundle.finish(self._head.origin, self._start, self._head.size)
        newer = self._view.size - self._head.size
        return (
            f"records {self._start} to {self._head.size - 1}, "
            f"receipts: {receipts}, evidence files: {included}"
            + (f" (no longer here: {missing})" if missing else "")
            + (f"; of {self._gone} records only the hashes are kept" if self._gone else "")
            + (f"; newer records, not signed yet and left out: {newer}" if newer else "")
        )

    def _receipts(self, bundle: BundleWriter) -> int:
        """Receipts that the checkpoint covers, and everything that ties roots together."""
        node = self._view.reader.node
        proofs: list[list[str]] = []
        for size, note in self._view.reader.receipts(self._head.size, MAX_RECEIPTS):
            bundle.add(receipt_name(len(proofs)), note)
            steps = consistency_proof(size, self._head.size, node) if size else []
            proofs.append([step.hex() for step in steps])
        edge = [digest.hex() for digest in peaks(self._start, node).values()]
        bundle.add(PROOFS, encode_proofs(self._start, edge, proofs))
        return len(proofs)

    def _segments(self) -> Iterator[tuple[int, bytes]]:
        """Leaves in pieces of bounded size; LedgerCorrupt unless they give the signed root."""
        before = peaks(self._start, self._view.reader.node)
        tree = Frontier(self._start, before.values())
        first, lines = self._start, bytearray()
        for index, leaf in chain(
            self._view.reader.leaves(self._start, self._head.size), [(self._head.size, b"")]
        ):
            for level, digest in self._nodes(tree.size, index):
                tree.add_node(level, digest)
                lines += encode_node(level, digest) + b"\n"
            if leaf:
                tree.add(leaf)
                lines += leaf + b"\n"
                envelope = self._view.reader.decode(index, leaf)
                self._evidence.update(map(bytes.fromhex, evidence_of(envelope)))
            if len(lines) >= SEGMENT_BYTES:
                yield first, bytes(lines)
                first, lines = tree.size, bytearray()
        if lines:
            yield first, bytes(lines)
        if tree.size != self._head.size or tree.root() != self._head.root:
            raise corrupt(self._directory, "its leaves do not give the root that was signed")

    def _nodes(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Nodes over leaves that retention let go; LedgerCorrupt if it was not retention."""
        if start == end:
            return
        with self._view.reader.connection() as connection:
            gone = list(runs(connection, start, end))
        whole = start
        for first, after in gone:
            whole = after if first == whole else whole
        if whole != end:
            raise corrupt(self._directory, f"leaf {whole} is missing")
        self._gone += end - start
        position = start
        for level in cover(start, end):
            yield level, self._view.reader.node(level, position >> level)
            position += 1 << level

    def _copy_evidence(self, bundle: BundleWriter) -> tuple[int, int]:
        """Files that records name and that are here unchanged; how many, and how many not."""
        included = 0
        for raw in sorted(self._evidence):
            path = self._view.evidence_path(raw.hex())
            try:
                source = path.open("rb")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise EsealError(f"{path} cannot be read ({error.strerror})") from error
            with source:
                if file_digest(source, "sha256").digest() == raw:
                    size = source.tell()
                    source.seek(0)
                    bundle.copy(f"{EVIDENCE}{raw.hex()}", size, raw.hex(), source)
                    included += 1
        return included, len(self._evidence) - included
