"""Ending one log and beginning the next, so that a crash at any instant loses nothing of either.

    epoch.json      the intent, written first and removed last; what it names is done again
    epochs/N/       a log that ended: `ledger.db` and `evidence/`, never written again
    ledger.db       the log in force

`open_ledger` opens the log in force, finishing what a crash interrupted; `begin` ends it and opens
the next one, whose first commit holds everything that `succession` hands on.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from edge.clock import Clock
from edge.domain.mine import MineState
from edge.domain.record import INCIDENT_TYPES, Draft
from edge.errors import ConfigError, EsealError, LedgerCorrupt, StorageFull
from edge.ledger.checkpoint import Checkpoint, Signer
from edge.ledger.damage import MARK, left_lately, marked
from edge.ledger.evidence import EvidenceFiles, fsync_directory
from edge.ledger.leaf import decode_leaf, evidence_of
from edge.ledger.merkle import leaf_hash, root
from edge.ledger.origin import parse_origin
from edge.ledger.past import FOLDER
from edge.ledger.reader import EVIDENCE_DIRECTORY, LedgerView, Reader
from edge.ledger.schema import FILE_NAME, told
from edge.ledger.store import Ledger
from edge.ledger.succession import (
    HANDED_ON,
    Break,
    Heritage,
    Left,
    Reason,
    epoch_data,
    first_leaves,
    next_origin,
)
from edge.ledger.survey import Row, Unreadable, rows
from edge.ledger.witness import HEAD_NAME, read_head

INTENT = "epoch.json"
_PARTIAL = "moving"
_PARTS = (FILE_NAME + "-wal", FILE_NAME + "-shm", FILE_NAME, HEAD_NAME, MARK, EVIDENCE_DIRECTORY)

log = structlog.get_logger(__name__)


def open_ledger(
    directory: Path, *, gateway: str, signer: Signer, clock: Clock, state: MineState
) -> Ledger:
    """Open the log in force in `directory`, or begin a first one.

    Args:
        directory: `storage.dir`.
        gateway: origin of the gateway's first log, `eseal/MINE/GATEWAY`.
        signer: the gateway's key.
        clock: the time.
        state: the mine's state as configured.

    Raises:
        ConfigError, StorageFull, EsealError: as `Ledger.open`.
        LedgerCorrupt: as `Ledger.open`, where going on is not sound: a ledger was set aside
            within the last hour already. Otherwise a damaged one is, and a new epoch begins.
    """
    if (directory / INTENT).exists():
        return _carry_out(directory, gateway=gateway, signer=signer, clock=clock, state=state)
    head = read_head(directory, signer.verifier)
    origin = _stored_origin(directory) or (head.origin if head else gateway)
    if parse_origin(origin).gateway != gateway:
        broken = Break(Reason.FOREIGN, f"the disk holds the log of {origin}")
        return begin(directory, broken, gateway=gateway, signer=signer, clock=clock, state=state)
    try:
        ledger = Ledger.open(directory, origin=origin, signer=signer, clock=clock)
        if not marked(directory):
            return ledger
        ledger.close()
        raise LedgerCorrupt(marked(directory))
    except LedgerCorrupt as error:
        if left_lately(directory / FOLDER, clock.now().wall_us):
            raise
        here = _readable(directory).size or 0
        missing = max(0, head.size - here) if head and head.origin == origin else 0
        broken = Break(Reason.DAMAGED, str(error).partition(". ")[0], missing=missing)
    return begin(directory, broken, gateway=gateway, signer=signer, clock=clock, state=state)


def begin(
    directory: Path, broken: Break, *, gateway: str, signer: Signer, clock: Clock, state: MineState
) -> Ledger:
    """Set the log in `directory` aside and open the next one. Nobody may have it open.

    Raises:
        StorageFull: the disk takes nothing; call `open_ledger` later, nothing is lost.
        ConfigError, LedgerCorrupt, EsealError: as `Ledger.open`.
    """
    left = _left(directory, read_head(directory, signer.verifier))
    origin = next_origin(gateway, left, broken)
    intent = {
        "origin": str(origin),
        "data": epoch_data(origin, left, broken),
        "agreed": left.agreed,
    }
    with told(directory):
        intent["folder"] = _free_folder(directory)
        _write(directory / INTENT, json.dumps(intent).encode())
    log.error(
        "the log ends here; a new epoch begins",
        left=left.origin,
        now=str(origin),
        reason=broken.reason.value,
        detail=broken.detail,
    )
    return _carry_out(directory, gateway=gateway, signer=signer, clock=clock, state=state)


def _carry_out(
    directory: Path, *, gateway: str, signer: Signer, clock: Clock, state: MineState
) -> Ledger:
    with told(directory):
        intent = json.loads((directory / INTENT).read_bytes())
        past = directory / FOLDER / intent["folder"]
        _set_aside(directory, past)
    ledger = Ledger.open(directory, origin=intent["origin"], signer=signer, clock=clock)
    try:
        if ledger.size == 0:
            ours = parse_origin(intent["data"]["previous"]["origin"]).gateway == gateway
            heritage = _heritage(past, intent["agreed"]) if ours else []
            with told(directory):
                _link_evidence(past, directory, heritage)
            drafts = first_leaves(intent["data"], intent["origin"], heritage, state, clock.now())
            ledger.submit(drafts).result()
        with told(directory):
            (directory / INTENT).unlink()
            fsync_directory(directory)
    except BaseException:
        ledger.close()
        raise
    return ledger


def _stored_origin(directory: Path) -> str:
    """What the file says of itself; empty where there is none, or it says nothing."""
    reader = Reader(directory)
    try:
        return reader.meta("origin")
    except (ConfigError, LedgerCorrupt):
        return ""  # opening it will tell
    finally:
        reader.close()


def _left(directory: Path, head: Checkpoint | None) -> Left:
    """The log in `directory`, as far as it can be read; else as its signed head tells."""
    left = _readable(directory)
    if head is None or left.root is not None or left.origin not in {"", head.origin}:
        return left
    return Left(head.origin, head.size, head.root, left.agreed)


def _readable(directory: Path) -> Left:
    origin = _stored_origin(directory)
    try:
        view = LedgerView.open(directory)
    except EsealError:
        return Left(origin)
    try:
        durable = view.reader.durable()
        agreed = durable.receipt[0] if durable.receipt else 0
        with suppress(LedgerCorrupt):
            return Left(origin, durable.size, root(durable.size, view.reader.node), agreed)
        return Left(origin, durable.size, None, agreed)
    except EsealError:
        return Left(origin)
    finally:
        view.close()


def _heritage(past: Path, agreed: int) -> list[Draft]:
    """What the log that ended hands on; of a damaged one, every leaf that has its hash."""
    heritage, strange = Heritage(agreed), 0
    reader = Reader(past)
    try:
        with reader.connection() as connection:
            (top,) = connection.execute("SELECT max(idx) FROM leaf").fetchone()
            for index, row in _handed_on(connection, -1 if top is None else top):
                if isinstance(row, tuple) and _is_whole(reader, index, row[0]):
                    try:
                        heritage.take(decode_leaf(row[0]))
                    except (KeyError, TypeError, ValueError):  # of another version
                        strange += 1
    except (ConfigError, LedgerCorrupt, StorageFull) as error:
        log.error("not everything could be handed on to the new epoch", error=str(error))
    finally:
        reader.close()
    if strange:
        log.error("records of another version are not handed on", records=strange)
    return heritage.drafts()


def _handed_on(
    connection: sqlite3.Connection, top: int
) -> Iterator[tuple[int, Row | Unreadable | None]]:
    kinds = ", ".join(f"'{kind.value}'" for kind in sorted(HANDED_ON | INCIDENT_TYPES))
    where = f"AND type IN ({kinds})"
    return rows(connection, "leaf", "leaf", 0, top + 1, key="idx", where=where)


def _is_whole(reader: Reader, index: int, leaf: object) -> bool:
    try:
        return isinstance(leaf, bytes) and leaf_hash(leaf) == reader.node(0, index)
    except LedgerCorrupt:
        return False


def _free_folder(directory: Path) -> str:
    number = 1
    while (directory / FOLDER / str(number)).exists():
        number += 1
    return str(number)


def _set_aside(directory: Path, past: Path) -> None:
    """Move the log's files; what was moved before a crash is moved. Raises OSError."""
    if past.exists():
        return
    moving = directory / FOLDER / _PARTIAL
    moving.mkdir(parents=True, exist_ok=True)
    for name in _PARTS:
        if (directory / name).exists():
            (directory / name).replace(moving / name)
    for path in (moving, directory):
        fsync_directory(path)
    with suppress(FileNotFoundError):
        (moving / FILE_NAME).chmod(0o444)
    moving.replace(past)
    fsync_directory(directory / FOLDER)


def _link_evidence(past: Path, directory: Path, heritage: list[Draft]) -> None:
    """Give the new log the files that what was handed on refers to. Raises OSError."""
    old = EvidenceFiles(past / EVIDENCE_DIRECTORY)
    new = EvidenceFiles(directory / EVIDENCE_DIRECTORY)
    named: dict[str, Mapping[str, Any]] = {
        digest: draft.data for draft in heritage for digest in evidence_of(dict(draft.data))
    }
    for digest in named:
        source, target = old.path(digest), new.path(digest)
        if source.exists() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(source, target)
            fsync_directory(target.parent)
    fsync_directory(directory / EVIDENCE_DIRECTORY)


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    fsync_directory(path.parent)
