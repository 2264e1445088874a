"""What to publish next, and how far each lane has come. Pure: no socket, no clock.

The outbox is no second store: it is two cursors over the ledger and the few records between
"read" and "PUBACKed". A lane's cursor is the next index that has no PUBACK, all before it have.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from edge.domain.record import Lane, Record
from edge.uplink.limits import Pace

READ_AHEAD = 200  # records read from the ledger at a time
SENT_LIMIT = 10_000  # records of a lane that may wait behind one that the broker refuses
RETRY_FIRST_S = 1.0
RETRY_MOST_S = 60.0
ROUTINE_BYTES = 262_144  # of routine under way: what an alarm on a slow line waits behind
_RESERVED = 10  # slots of the window that routine leaves free, in a window of 100


class LaneQueue:
    """One lane: records read but not sent, sent but not PUBACKed, refused and to be sent again."""

    def __init__(self, cursor: int) -> None:
        self.cursor = cursor
        self._next_read = cursor
        self._dry = False
        self._again_until: int | None = None  # a stretch that is read once more, …
        self._resume = cursor  # … and where reading goes on after it
        self._fresh: deque[Record] = deque()
        self._sent: dict[int, Record | None] = {}  # ascending; None: PUBACKed
        self._again: deque[int] = deque()
        self._not_before = 0.0
        self._delay = RETRY_FIRST_S
        self.bytes_under_way = 0

    @property
    def wanted(self) -> int | None:
        """Index to read from, or None while enough is at hand."""
        return None if self._dry or self._fresh else self._next_read

    @property
    def idle(self) -> bool:
        """Whether everything that was read is PUBACKed."""
        return self._dry and not self._fresh and not self._sent

    def wake(self) -> None:
        """The ledger may hold more."""
        self._dry = False

    def offer(self, records: Sequence[Record], limit: int) -> None:
        """Take what the ledger gave for `wanted`; fewer than `limit` means that it has no more."""
        self._dry = len(records) < limit
        if self._again_until is not None:
            end, whole = self._again_until, len(records)
            records = [record for record in records if record.index < end]
            if self._dry or len(records) < whole:
                self._again_until, self._next_read, self._dry = None, self._resume, False
                self._fresh.extend(records)
                return
        self._fresh.extend(records)
        if records:
            self._next_read = records[-1].index + 1

    def repeat(self, start: int, end: int) -> None:
        """Send what lies in [start, end) once more. Only while the lane is idle."""
        self._resume, self._next_read, self._again_until = self._next_read, start, end
        self._dry = False

    def take(self, now_s: float) -> Record | None:
        """The next record to publish, if one may go now."""
        if now_s < self._not_before:
            return None
        while self._again:
            record = self._sent.get(self._again.popleft())
            if record is not None:
                self.bytes_under_way += len(record.leaf)
                return record
        if not self._fresh or len(self._sent) >= SENT_LIMIT:
            return None
        record = self._fresh.popleft()
        self._sent[record.index] = record
        self.bytes_under_way += len(record.leaf)
        return record

    def delivered(self, index: int) -> None:
        """PUBACKed with success."""
        record = self._sent.get(index)
        if record is None:
            return
        self.bytes_under_way -= len(record.leaf)
        self._sent[index] = None
        self._delay = RETRY_FIRST_S
        while self._sent:
            first = next(iter(self._sent))
            if self._sent[first] is not None:
                break
            del self._sent[first]
            self.cursor = max(self.cursor, first + 1)

    def refused(self, index: int, now_s: float) -> None:
        """PUBACKed with a failure: the record goes again, and the lane waits."""
        record = self._sent.get(index)
        if record is None:
            return
        self.bytes_under_way -= len(record.leaf)
        self._again.append(index)
        if now_s >= self._not_before:  # the rest of one burst does not count again
            self._not_before = now_s + self._delay
            self._delay = min(self._delay * 2, RETRY_MOST_S)

    def reset(self) -> None:
        """The connection is lost: everything from the cursor on is still to be sent."""
        self._fresh.clear()
        self._sent.clear()
        self._again.clear()
        self._next_read = self.cursor
        self._again_until = None
        self._dry = False
        self._not_before = 0.0
        self.bytes_under_way = 0


class Outbox:
    """Both lanes. Alarms go first, and routine never fills the window.

    Attributes:
        pace: of routine records; alarms are exempt.
    """

    def __init__(self, alarm_cursor: int, routine_cursor: int, pace: Pace | None = None) -> None:
        self.pace = pace or Pace(0, 0)
        self.lanes = {Lane.ALARM: LaneQueue(alarm_cursor), Lane.ROUTINE: LaneQueue(routine_cursor)}

    @property
    def idle(self) -> bool:
        """Whether everything that was read is PUBACKed."""
        return all(lane.idle for lane in self.lanes.values())

    def take(self, now_s: float, free: int, window: int) -> Record | None:
        """The next record to publish.

        Args:
            now_s: monotonic seconds.
            free: publishes that may be made now.
            window: publishes that may be without PUBACK altogether.
        """
        if free <= 0:
            return None
        record = self.lanes[Lane.ALARM].take(now_s)
        if record is not None:
            return record
        routine = self.lanes[Lane.ROUTINE]
        reserved = window * _RESERVED // 100
        if free <= reserved or routine.bytes_under_way >= ROUTINE_BYTES:
            return None
        if self.pace.wait_s(now_s) > 0:
            return None
        record = routine.take(now_s)
        if record is not None:
            self.pace.spend(1)
        return record

    def repeat(self, start: int, end: int) -> bool:
        """Send [start, end) once more, if everything else is PUBACKed."""
        if not self.idle:
            return False
        for lane in self.lanes.values():
            lane.repeat(start, end)
        return True

    def reset(self) -> None:
        """The connection is lost."""
        for lane in self.lanes.values():
            lane.reset()
