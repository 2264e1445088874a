"""Receipts: the province's cosignature of a checkpoint of ours. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from edge.errors import Refused
from edge.ledger.checkpoint import Verifier, verify_cosignature

COSIGNATURE = 0x04  # algorithm byte of a C2SP key that cosigns


def read_receipt(
    payload: bytes, *, origin: str, size: int, keys: Iterable[Verifier]
) -> tuple[int, int]:
    """Verify a receipt (C2SP tlog-checkpoint with a cosignature/v1).

    Whether its root is the one that our ledger has at that size, the ledger itself looks up
    when it is asked to keep the receipt.

    Args:
        payload: the note.
        origin: of our ledger.
        size: of our ledger.
        keys: enrolled cosigners.

    Returns:
        How many records it covers, and the province's time in seconds since 1970.

    Raises:
        Refused: not cosigned by an enrolled key, for another ledger, or for more than it holds.
    """
    checkpoint, _name, unix_s = verify_cosignature(payload, keys)
    if checkpoint.origin != origin:
        raise Refused("the receipt is for another ledger")
    if checkpoint.size > size:
        raise Refused(
            f"the province holds {checkpoint.size} records and this ledger {size}: "
            "was an old disk put back?"
        )
    return checkpoint.size, unix_s
