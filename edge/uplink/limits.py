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
