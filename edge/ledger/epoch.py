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
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from edge.clock import Clock
from edge.domain.mine import MineState
from edge.domain.record import INCIDENT_TYPES, Draft
from edge.errors import ConfigError, EsealError, LedgerCorrupt, StorageFull
from edge.ledger.checkpoint import Signer
from edge.ledger.evidence import EvidenceFiles, fsync_directory
from edge.ledger.leaf import evidence_of
from edge.ledger.merkle import root
from edge.ledger.origin import parse_origin
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
from edge.ledger.witness import HEAD_NAME

INTENT = "epoch.json"
FOLDER = "epochs"
_PARTIAL = "moving"
_PARTS = (FILE_NAME + "-wal", FILE_NAME + "-shm", FILE_NAME, HEAD_NAME, EVIDENCE_DIRECTORY)

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
        LedgerCorrupt: as `Ledger.open`; `begin` with `Reason.DAMAGED` goes on from there.
    """
    if (directory / INTENT).exists():
        return _carry_out(directory, gateway=gateway, signer=signer, clock=clock, state=state)
    origin = _stored_origin(directory) or gateway
    if parse_origin(origin).gateway != gateway:
        broken = Break(Reason.FOREIGN, f"the disk holds the log of {origin}")
        return begin(directory, broken, gateway=gateway, signer=signer, clock=clock, state=state)
    return Ledger.open(directory, origin=origin, signer=signer, clock=clock)


def begin(
    directory: Path, broken: Break, *, gateway: str, signer: Signer, clock: Clock, state: MineState
) -> Ledger:
    """Set the log in `directory` aside and open the next one. Nobody may have it open.

    Raises:
        StorageFull: the disk takes nothing; call `open_ledger` later, nothing is lost.
        ConfigError, LedgerCorrupt, EsealError: as `Ledger.open`.
    """
    left = _left(directory)
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


def _left(directory: Path) -> Left:
    """The log in `directory`, as far as it can be read."""
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
    """What the log that ended hands on; of a damaged one, what can be read of it."""
    heritage = Heritage(agreed)
    try:
        view = LedgerView.open(past)
        try:
            for leaf in view.leaves_of(HANDED_ON | INCIDENT_TYPES):
                heritage.take(leaf)
        finally:
            view.close()
    except (ConfigError, LedgerCorrupt, StorageFull, KeyError, TypeError, ValueError) as error:
        log.error("not everything could be handed on to the new epoch", error=str(error))
    return heritage.drafts()


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
