"""When a record counts as lost although the broker took it: no receipt covers it. Pure.

A PUBACK says that the broker has a record, a receipt that the province has it. Between the two
lie queues that overflow and disks that die; so what no receipt covers after a while goes again.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_S = 300.0
MOST_S = 3600.0
STRETCH = 5_000  # records sent again at a time; a receipt then shows whether it helped


@dataclass(slots=True)
class Patience:
    """Watches checkpoints that were delivered and receipts that came."""

    _since_s: float | None = None
    _size: int = 0
    _wait_s: float = FIRST_S

    def told(self, size: int, now_s: float) -> None:
        """A checkpoint of `size` records was PUBACKed."""
        if self._since_s is None:
            self._since_s, self._size = now_s, size

    def due(self, covered: int, now_s: float) -> tuple[int, int] | None:
        """What to send again now: [start, end), or None.

        Args:
            covered: records that the newest receipt covers.
            now_s: monotonic seconds.
        """
        if self._since_s is None:
            return None
        if covered >= self._size:
            self._since_s, self._wait_s = None, FIRST_S
            return None
        if now_s - self._since_s < self._wait_s:
            return None
        return covered, min(self._size, covered + STRETCH)

    def spent(self, now_s: float) -> None:
        """It was sent again: wait twice as long for the receipt."""
        self._since_s = now_s
        self._wait_s = min(self._wait_s * 2, MOST_S)
