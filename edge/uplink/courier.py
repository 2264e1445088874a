"""Carries evidence beside the records: one part under way at a time, so that alarms overtake it.

Three kinds, each before the next: snapshots of delivered alarms, files that an order asks for,
clips of delivered alarms. What is more urgent overtakes between two parts, and the overtaken file
goes on where it stopped, also after a lost connection or a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from edge.clock import Clock
from edge.domain.activity import EvidenceRef
from edge.domain.record import Lane, Record
from edge.ledger.spare import Spare
from edge.ledger.store import Ledger
from edge.uplink.codec import (
    MAX_EVIDENCE_PARTS,
    PART_BYTES,
    EvidencePart,
    encode_part,
    evidence_refs,
)
from edge.uplink.connection import Connection
from edge.uplink.limits import Pace
from edge.uplink.progress import Progress
from edge.uplink.topics import Topics

MAX_PUSHED_BYTES = 4_000_000  # larger files wait until they are asked for
MAX_ASKED = 1_000  # files that orders may ask for at once
_REMEMBERED = 4_096  # hashes of files that were sent; incidents name them again when they change
_HEADER_ROOM = 1_200  # bytes of header and topic beside a part
_READ = 50
_CHUNK = 262_144

OnLost = Callable[[EvidenceRef, str], None]

log = structlog.get_logger(__name__)


class Track:
    """A cursor over the alarm lane that stops at each file of one kind.

    Attributes:
        cursor: next index whose files are not all sent.
    """

    def __init__(self, ledger: Ledger, cursor: int, *, clips: bool) -> None:
        self._ledger = ledger
        self._clips = clips
        self._read: deque[Record] = deque()
        self._refs: deque[EvidenceRef] = deque()
        self.cursor = cursor

    def next(self, until: int) -> EvidenceRef | None:
        """The file to send now, of alarms below `until`; the cursor moves over the rest."""
        while not self._refs:
            if self._read and self._read[0].index == self.cursor - 1:
                self._read.popleft()
            if not self._read:
                pending = self._ledger.pending(Lane.ALARM, self.cursor, _READ)
                self._read.extend(record for record in pending if record.index < until)
                if not self._read:
                    return None
            record = self._read[0]
            refs = evidence_refs(record.leaf)
            self._refs.extend(ref for ref in refs if _is_clip(ref) == self._clips)
            if not self._refs:
                self.cursor = record.index + 1
        return self._refs[0]

    def done(self) -> None:
        """The file that `next` gave is sent, or given up."""
        self._refs.popleft()
        if not self._refs:
            self.cursor = self._read[0].index + 1


def _is_clip(ref: EvidenceRef) -> bool:
    return not ref.media_type.startswith("image/")


def _media_type(head: bytes) -> str:
    """What a file is, by how it begins; the records that name it say it as well."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "video/mp4" if head[4:8] == b"ftyp" else "application/octet-stream"


@dataclass(slots=True)
class _Asked:
    ref: EvidenceRef
    sent: asyncio.Future[str]  # "" or why it cannot be sent


class Courier:
    """Sends files part by part.

    Args:
        ledger: has the files.
        topics: of this gateway.
        clock: for the pace.
        pace: bytes a second.
        progress: file that remembers how far a large file has come; None for memory only.
        on_lost: told once of each file that is missing or damaged.

    Attributes:
        counts: `sent`, `missing` (deleted or never there), `damaged`, `kept_back` (too large
            to push).
    """

    def __init__(
        self,
        ledger: Ledger,
        topics: Topics,
        clock: Clock,
        *,
        pace: Pace | None = None,
        progress: Spare | None = None,
        on_lost: OnLost = lambda _ref, _why: None,
    ) -> None:
        self._ledger = ledger
        self._topics = topics
        self._clock = clock
        self._pace = pace or Pace(0, 0)
        self._on_lost = on_lost
        self._done: dict[str, None] = {}
        self._lost: dict[str, str] = {}
        self._whole: str = ""  # file whose hash was checked last
        self._asked: deque[_Asked] = deque()
        cursor = ledger.cursor("evidence")
        self._progress = Progress(progress, cursor)
        self._snapshots = Track(ledger, cursor, clips=False)
        self._clips = Track(ledger, self._progress.clips, clips=True)
        self.counts: Counter[str] = Counter()

    @property
    def cursor(self) -> int:
        """Next index of the alarm lane whose snapshots are not PUBACKed."""
        return self._snapshots.cursor

    def ask(self, digest: str) -> asyncio.Future[str]:
        """Send a file that an order asks for; resolves with "" or why it cannot be sent."""
        sent: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        path = self._ledger.evidence_path(digest)
        if len(self._asked) >= MAX_ASKED:
            sent.set_result("too many files are asked for")
            return sent
        try:
            with path.open("rb") as file:
                media_type = _media_type(file.read(12))
            size = path.stat().st_size
        except OSError as error:
            self._give_up(EvidenceRef(digest, "", 0), "missing", error.strerror or "")
            sent.set_result("missing")
            return sent
        self._lost.pop(digest, None)
        self._asked.append(_Asked(EvidenceRef(digest, media_type, size), sent))
        return sent

    async def carry(self, connection: Connection, until: int) -> bool:
        """Send one part, or find that there is none to send.

        Args:
            connection: to the broker.
            until: alarms below this index are delivered.

        Returns:
            Whether it did something; False when nothing waits.

        Raises:
            UplinkUnavailable: the part was not taken; it goes again.
        """
        ref = self._snapshots.next(until)
        if ref is not None:
            if await self._pushed(connection, ref):
                self._snapshots.done()
            return True
        if self._asked:
            await self._fetched(connection, self._asked[0])
            return True
        ref = self._clips.next(min(until, self._snapshots.cursor))
        if ref is None:
            if self._clips.cursor > self._progress.clips:
                self._progress.clips = self._clips.cursor
                self._progress.keep()
            return False
        if await self._pushed(connection, ref):
            self._clips.done()
        return True

    async def _pushed(self, connection: Connection, ref: EvidenceRef) -> bool:
        """Send one part of an alarm's file; whether there is nothing left of it."""
        if ref.sha256 in self._done:
            return True
        if ref.size > MAX_PUSHED_BYTES:
            self.counts["kept_back"] += 1
            self._remember(ref)
            return True
        return await self._part(connection, ref)

    async def _fetched(self, connection: Connection, asked: _Asked) -> None:
        if await self._part(connection, asked.ref):
            self._asked.popleft()
            if not asked.sent.done():
                asked.sent.set_result(self._lost.get(asked.ref.sha256, ""))

    async def _part(self, connection: Connection, ref: EvidenceRef) -> bool:
        """Send the next part; whether it was the last one, or the file cannot be sent."""
        if not await self._is_whole(ref):
            return True
        room = min(PART_BYTES, max(1, connection.max_packet - _HEADER_ROOM))
        size = self._progress.part_bytes(ref.sha256, room)
        part = self._progress.next_part(ref.sha256, size)
        parts = max(1, -(-ref.size // size))
        if parts > MAX_EVIDENCE_PARTS:
            self._give_up(ref, "too large for this broker's packets")
            return True
        data = self._read(ref, part * size, size)
        if data is None:
            return True
        await self._wait(len(data))
        piece = EvidencePart(ref.sha256, ref.media_type, ref.size, part, parts, data)
        await connection.send(self._topics.evidence(ref.sha256, part), encode_part(piece))
        if part + 1 < parts:
            self._progress.acknowledged(ref.sha256, size, part)
            return False
        self._progress.finished(ref.sha256)
        self.counts["sent"] += 1
        self._remember(ref)
        return True

    async def _wait(self, size: int) -> None:
        wait_s = self._pace.wait_s(self._clock.now().mono_us / 1e6)
        if wait_s > 0:
            await self._clock.sleep(wait_s)
        self._pace.spend(size)

    async def _is_whole(self, ref: EvidenceRef) -> bool:
        """Hold the file against its hash, once before its first part of this run."""
        if self._whole == ref.sha256:
            return True
        digest = hashlib.sha256()
        for at in range(0, ref.size, _CHUNK):
            data = self._read(ref, at, _CHUNK)
            if data is None:
                return False
            digest.update(data)
            await asyncio.sleep(0)
        if ref.size == 0 and self._read(ref, 0, 1) is None:
            return False
        if digest.hexdigest() != ref.sha256:
            self._give_up(ref, "damaged")
            return False
        self._whole = ref.sha256
        return True

    def _read(self, ref: EvidenceRef, at: int, size: int) -> bytes | None:
        """Bytes of the file; None when it is not there (then it is given up)."""
        try:
            with self._ledger.evidence_path(ref.sha256).open("rb") as file:
                file.seek(at)
                return file.read(min(size, ref.size - at))
        except OSError as error:
            self._give_up(ref, "missing", error.strerror or "")
            return None

    def _give_up(self, ref: EvidenceRef, why: str, error: str = "") -> None:
        self.counts[why if why in {"missing", "damaged"} else "kept_back"] += 1
        if ref.sha256 not in self._lost:
            log.warning("evidence cannot be sent", sha256=ref.sha256, why=why, error=error)
            self._on_lost(ref, why)
        self._lost[ref.sha256] = why
        if len(self._lost) > _REMEMBERED:
            del self._lost[next(iter(self._lost))]
        self._whole = ""
        self._progress.finished(ref.sha256)
        self._remember(ref)

    def _remember(self, ref: EvidenceRef) -> None:
        self._done[ref.sha256] = None
        if len(self._done) > _REMEMBERED:
            del self._done[next(iter(self._done))]
