"""How often something may be done in an hour. Pure."""

from __future__ import annotations

from collections import deque

from edge.clock import Stamp

HOUR_S = 3600.0


class Hourly:
    """So many times in any hour, for each key by itself."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._done: dict[str, deque[Stamp]] = {}

    def spent(self, key: str, now: Stamp) -> bool:
        """Whether it was done as often as it may be in the hour before `now`."""
        done = self._done.get(key, deque())
        while done and now.since(done[0]) >= HOUR_S:
            done.popleft()
        return len(done) >= self._limit

    def count(self, key: str, now: Stamp) -> None:
        """It is done once more."""
        self._done.setdefault(key, deque()).append(now)
