"""Carries evidence after its alarm: one part under way at a time, so that alarms overtake it."""

from __future__ import annotations

from collections import Counter

import structlog

from edge.domain.activity import EvidenceRef
from edge.domain.record import Lane
from edge.ledger.store import Ledger
from edge.uplink.codec import PART_BYTES, encode_part, evidence_refs, split_evidence
from edge.uplink.connection import Connection
from edge.uplink.topics import Topics

MAX_PUSHED_BYTES = 4_000_000  # snapshots; clips wait until they are asked for
_REMEMBERED = 4_096  # hashes of files that were sent; incidents name them again when they change
_HEADER_ROOM = 1_200  # bytes of header and topic beside a part
_READ = 50

log = structlog.get_logger(__name__)


class Courier:
    """Sends the files that delivered alarms refer to, in the order of the alarms.

    Attributes:
        cursor: next index of the alarm lane whose evidence is not PUBACKed.
        counts: `sent`, `missing` (deleted or never there), `kept_back` (too large to push).
    """

    def __init__(self, ledger: Ledger, topics: Topics) -> None:
        self._ledger = ledger
        self._topics = topics
        self._sent: dict[str, None] = {}
        self.cursor = ledger.cursor("evidence")
        self.counts: Counter[str] = Counter()

    async def carry(self, connection: Connection, until: int) -> bool:
        """Send the evidence of alarms below `until`, a few at a time.

        Returns:
            Whether it did something; False when nothing waits.

        Raises:
            UplinkUnavailable: a part was not taken; the cursor stays where it is.
        """
        records = [
            record
            for record in self._ledger.pending(Lane.ALARM, self.cursor, _READ)
            if record.index < until
        ]
        for record in records:
            for ref in evidence_refs(record.leaf):
                if ref.sha256 not in self._sent:
                    await self._carry_file(connection, ref)
            self.cursor = record.index + 1
        return bool(records)

    async def _carry_file(self, connection: Connection, ref: EvidenceRef) -> None:
        if ref.size > MAX_PUSHED_BYTES:
            self.counts["kept_back"] += 1
            self._remember(ref)
            return
        try:
            data = self._ledger.evidence_path(ref.sha256).read_bytes()
        except OSError as error:
            self.counts["missing"] += 1
            log.warning("evidence is not there", sha256=ref.sha256, error=error.strerror)
            self._remember(ref)
            return
        room = min(PART_BYTES, max(1, connection.max_packet - _HEADER_ROOM))
        for part in split_evidence(ref, data, room):
            await connection.send(self._topics.evidence(ref.sha256, part.part), encode_part(part))
        self.counts["sent"] += 1
        self._remember(ref)

    def _remember(self, ref: EvidenceRef) -> None:
        self._sent[ref.sha256] = None
        if len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]
