"""`proofs.json` of a bundle, read without trusting it. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from edge.errors import Refused
from edge.ledger.bundle import PROOFS, encode_proofs

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Proofs:
    """What ties records and receipts to the checkpoint.

    Attributes:
        start: first record in the bundle.
        peaks: perfect subtrees of the records before it, the largest first.
        receipts: for each receipt its consistency proof to the checkpoint.
    """

    start: int
    peaks: list[bytes]
    receipts: list[list[bytes]]


def parse_proofs(data: bytes, receipts: int) -> Proofs:
    """Read the member. Raises Refused unless it is spelled as we spell it, for so many receipts."""
    try:
        value = json.loads(data)
        proofs = Proofs(
            _natural(value["start"]),
            _hashes(value["peaks"]),
            [_hashes(proof) for proof in value["receipts"]],
        )
        peaks, paths = value["peaks"], value["receipts"]
        if encode_proofs(proofs.start, peaks, paths) != data or len(paths) != receipts:
            raise ValueError("more or less than proofs")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Refused(f"{PROOFS} is not as it should be ({error})"[:300]) from error
    return proofs


def _natural(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a natural number")
    return value


def _hashes(value: Any) -> list[bytes]:
    if not isinstance(value, list) or not all(_HASH.fullmatch(item) for item in value):
        raise ValueError("not a list of hashes")
    return [bytes.fromhex(item) for item in value]
