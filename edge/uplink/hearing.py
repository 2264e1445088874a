"""How long records wait for the province's newest receipt after a start. Pure.

A ledger that was rolled back must not speak under its old name. So nothing is published before the
receipt has come. It is retained, so subscribing asks for it, and a broker that has one sends it
before it answers what we say next; if nothing comes for a moment after that, there is none. In any
case the wait is bounded: a province that is silent holds no alarm back for longer. What comes late
still ends a log that cannot stand by it.
"""

from __future__ import annotations

WAIT_S = 5.0  # at most, from the first connection
QUIET_S = 1.0  # from the broker's first PUBACK


class Hearing:
    """Whether we may speak.

    Args:
        wait_s: how long to wait at most; 0 where no key for receipts is enrolled.
        quiet_s: how long to wait once the broker has answered something else.
    """

    def __init__(self, wait_s: float = WAIT_S, quiet_s: float = QUIET_S) -> None:
        self._wait_s = wait_s
        self._quiet_s = quiet_s
        self._until_s: float | None = None
        self._over = wait_s <= 0
        self._muted = False

    def connected(self, now_s: float) -> None:
        """A broker took us; only the first time counts."""
        if self._until_s is None:
            self._until_s = now_s + self._wait_s

    def answered(self, now_s: float) -> None:
        """The broker acknowledged something that was said after subscribing."""
        if self._until_s is not None:
            self._until_s = min(self._until_s, now_s + self._quiet_s)

    def hurry(self) -> None:
        """We are about to stop: the broker's answer is enough."""
        if self._until_s is not None:
            self._until_s -= self._quiet_s
        self._quiet_s = 0.0

    def heard(self) -> None:
        """A receipt came that our ledger can stand by."""
        self._over = True

    def mute(self) -> None:
        """Our ledger cannot stand by what the province holds: not a word more under its name."""
        self._muted = True

    def over(self, now_s: float) -> bool:
        """Whether records may go."""
        if not self._over and self._until_s is not None:
            self._over = now_s >= self._until_s
        return self._over and not self._muted
