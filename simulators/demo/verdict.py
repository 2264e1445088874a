"""Did the province get what it should, once, and nothing else? Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from simulators.demo.story import Expected


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was expected and what came.

    Attributes:
        rows: (code, source, expected, received) of every incident expected or received.
        records: leaves in the gateway's ledger, and those that the province holds.
        verified: the province checked every signature and the whole tree.
        repeats: deliveries of a record that the province had already; they do no harm.
    """

    rows: tuple[tuple[str, str, int, int], ...]
    records: tuple[int, int]
    verified: bool
    repeats: int = 0

    @property
    def good(self) -> bool:
        """Every expected incident once, no other, nothing missing, tree verified."""
        return (
            self.verified
            and self.records[0] == self.records[1] > 0
            and all(expected == received for _, _, expected, received in self.rows)
        )

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "good": self.good,
            "incidents": [
                {"code": code, "source": source, "expected": expected, "received": received}
                for code, source, expected, received in self.rows
            ],
            "records_in_ledger": self.records[0],
            "records_received": self.records[1],
            "verified": self.verified,
            "repeats": self.repeats,
        }


def compare(
    expected: Sequence[Expected],
    received: Iterable[tuple[str, str]],
    *,
    records: tuple[int, int],
    verified: bool,
    repeats: int,
) -> Verdict:
    """Count incidents by code and source.

    Args:
        expected: what the story must lead to, each once.
        received: (code, source) of every distinct incident that the province opened.
        records: leaves in the ledger, leaves at the province.
        verified: see `Verdict`.
        repeats: see `Verdict`.
    """
    wanted = Counter((item.code.value, item.source) for item in expected)
    came = Counter(received)
    rows = tuple(
        (code, source, wanted[code, source], came[code, source])
        for code, source in sorted(wanted.keys() | came.keys())
    )
    return Verdict(rows, records, verified, repeats)
