"""Changing the gateway's key: what `eseal rotate-key` and an order of that name do.

The new key is on disk before the ledger is handed over to it, and takes the old one's place only
afterwards; `keys.gateway_signer` finishes what a crash between the two left.
"""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from edge.clock import Clock
from edge.domain.mine import MineState
from edge.domain.record import Record
from edge.errors import ConfigError, Fault
from edge.ledger.epoch import open_ledger
from edge.ledger.keys import credential_path, gateway_signer, new_successor
from edge.ledger.store import Ledger


def rotate_key(
    directory: Path, *, gateway: str, clock: Clock, state: MineState
) -> tuple[str, str, int]:
    """Make a new key and hand the ledger over to it. The daemon must not be running.

    Args:
        directory: `storage.dir`.
        gateway: `eseal/MINE/GATEWAY`.
        clock: the time.
        state: the mine's state as configured.

    Returns:
        The old and the new verifier key, and the index of the leaf that both signed.

    Raises:
        ConfigError: the key is a credential of systemd, which only systemd's owner can change.
        StorageFull, LedgerCorrupt, EsealError: as `Ledger.open`.
    """
    old = gateway_signer(directory, gateway)
    ledger = open_ledger(directory, gateway=gateway, signer=old, clock=clock, state=state)
    try:
        new, handed_over = hand_over(ledger, directory, gateway)
        record = handed_over.result()
    finally:
        ledger.close()
    gateway_signer(directory, gateway)
    return str(old.verifier), new, record.index


def hand_over(ledger: Ledger, directory: Path, gateway: str) -> tuple[str, Future[Record]]:
    """Make a new key and hand an open ledger over to it.

    Once the future gives its record, `keys.gateway_signer` lets the new key take the old one's
    place in the directory.

    Returns:
        The new verifier key, and the record that both keys sign.

    Raises:
        ConfigError: the key is a credential of systemd, which only systemd's owner can change.
        StorageFull: no key can be stored.
    """
    credential = credential_path()
    if credential is not None:
        raise ConfigError(
            [
                Fault(
                    str(credential),
                    "is handed to us and cannot be changed here",
                    "keep the key in storage.dir, or enrol a new one as for a new box",
                )
            ]
        )
    successor = new_successor(directory, gateway)
    return str(successor.verifier), ledger.rotate(successor)
