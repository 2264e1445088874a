"""What retention may let go, the oldest first: read-only, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edge.domain.record import Lane
from edge.ledger.chore import KEEP_NEWEST
from edge.ledger.policy import INCIDENTS, SPARE
from edge.ledger.reader import Durable, Reader

PAGE = 500
PORTION = 100  # evidence files looked at together


class Candidates:
    """Queries over one ledger.

    Attributes:
        open: evidence of each open incident, by the incident's id; never among the candidates.
    """

    def __init__(self, reader: Reader, breathe: Callable[[], None]) -> None:
        """Give the ledger's reader, and what is called between two pages."""
        self.open: dict[str, frozenset[bytes]] = {}
        self._reader = reader
        self._breathe = breathe

    def routine(self, limit: int, before_us: int | None) -> Iterator[tuple[int, int]]:
        """Index and bytes of routine leaves that may go, the oldest first."""
        spare = {kind.value for kind in SPARE}
        for rows in self._leaves(Lane.ROUTINE, limit):
            old = [row for row in rows if before_us is None or row[2] < before_us]
            if not old:
                return
            yield from ((index, size) for index, kind, _us, size in old if kind in spare)

    def alarms(self, limit: int, before_us: int) -> Iterator[tuple[int, int]]:
        """Likewise of the alarm lane: those of incidents that are closed."""
        for rows in self._leaves(Lane.ALARM, limit):
            old = [row for row in rows if row[2] < before_us]
            if not old:
                return
            incidents = [row for row in old if row[1] in INCIDENTS]
            for index, _kind, _us, size in incidents:
                for _i, leaf in self._reader.leaves(index, index + 1):
                    data = self._reader.decode(index, leaf)["data"]
                    if str(data.get("incident", "")) not in self.open:
                        yield index, size

    def _leaves(self, lane: Lane, limit: int) -> Iterator[list[tuple[int, str, int, int]]]:
        start = 0
        while True:
            with self._reader.connection() as connection:
                rows = connection.execute(
                    "SELECT idx, type, wall_us, length(leaf) FROM leaf"
                    " WHERE lane = ? AND idx >= ? AND idx < ? ORDER BY idx LIMIT ?",
                    (lane.value, start, limit, PAGE),
                ).fetchall()
            if not rows:
                return
            yield rows
            start = rows[-1][0] + 1
            self._breathe()

    def evidence(self, durable: Durable, before_us: int | None) -> Iterator[list[bytes]]:
        """Hashes of evidence that may go, the oldest first."""
        covered = durable.receipt[0] if durable.receipt else 0
        newest = durable.newest.get(Lane.ALARM, -1)
        carried = durable.cursors["evidence"]
        limit = min(covered, durable.size if newest < carried else carried)
        last = -1, b""
        while True:
            with self._reader.connection() as connection:
                rows = connection.execute(
                    "SELECT idx, digest, wall_us FROM evidence WHERE gone_us IS NULL"
                    " AND (idx, digest) > (?, ?) AND idx < ? ORDER BY idx, digest LIMIT ?",
                    (*last, limit, PORTION),
                ).fetchall()
            if not rows:
                return
            kept = frozenset().union(*self.open.values())
            old = [row for row in rows if before_us is None or row[2] < before_us]
            if not old:
                return
            yield [digest for _index, digest, _us in old if digest not in kept]
            last = rows[-1][0], rows[-1][1]
            self._breathe()


def leaf_limit(durable: Durable) -> int:
    """Leaves from this index on must stay: not receipted, not PUBACKed, or too new."""
    covered = durable.receipt[0] if durable.receipt else 0
    cursors = min(durable.cursors["alarm"], durable.cursors["routine"])
    return min(covered, cursors, durable.size - KEEP_NEWEST)
