"""A bucket of tokens: how often strangers may cost us something. Pure."""

from __future__ import annotations


class Bucket:
    """Holds `most` tokens, gains `per_s` a second."""

    def __init__(self, most: float, per_s: float) -> None:
        self._most = most
        self._per_s = per_s
        self._tokens = most
        self._at = 0.0

    def take(self, now_s: float) -> bool:
        """Take one token, if there is one. `now_s`: monotonic seconds."""
        self._tokens = min(self._most, self._tokens + max(0.0, now_s - self._at) * self._per_s)
        self._at = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Pace:
    """So much a second, and some of it at once. Who spends more than there is waits for it.

    Args:
        per_s: units a second; 0 for no bound.
        burst: units that may go at once.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at: float | None = None
        self._held_until = 0.0

    def hold(self, until_s: float) -> None:
        """Nothing goes before this moment (monotonic seconds)."""
        self._held_until = until_s

    def lift(self) -> None:
        """No bound from here on."""
        self._per_s, self._held_until = 0.0, 0.0

    def wait_s(self, now_s: float) -> float:
        """Seconds until something may go; 0 when it may."""
        held_s = max(0.0, self._held_until - now_s)
        if not self._per_s:
            return held_s
        elapsed_s = 0.0 if self._at is None else max(0.0, now_s - self._at)
        self._at = now_s
        self._left = min(self._burst, self._left + elapsed_s * self._per_s)
        return max(held_s, -self._left / self._per_s)

    def spend(self, amount: float) -> None:
        """So much went."""
        self._left -= amount
