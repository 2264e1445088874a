"""Which orders were received before: bounded, and sound when the clock is set back. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from edge.errors import Refused

KEPT = 10_000


class Repeated(Refused):
    """An order that was received before.

    Attributes:
        nonce: which one.
    """

    def __init__(self, nonce: str) -> None:
        super().__init__("the order was received before")
        self.nonce = nonce


class Nonces:
    """Remembers nonces with the end of their order's life.

    When there are too many, those that end first are forgotten, and every order that ends no
    later than a forgotten one is refused: so a forgotten order cannot come again, whatever the
    clock says.

    Args:
        used: nonce and end (µs) of orders accepted before; the ledger knows them.
        kept: how many are remembered.
    """

    def __init__(self, used: Iterable[tuple[str, int]] = (), kept: int = KEPT) -> None:
        self._kept = kept
        self._used: set[str] = set()
        self._ends: list[tuple[int, str]] = []  # a heap
        self._forgotten_us = -1
        for nonce, expires_us in used:
            self.add(nonce, expires_us)

    def check(self, nonce: str, expires_us: int) -> None:
        """Whether an order may be new. Raises Refused (`Repeated` when it surely is not)."""
        if nonce in self._used:
            raise Repeated(nonce)
        if expires_us <= self._forgotten_us:
            raise Refused("the order ends before what is remembered; send it with a later end")

    def add(self, nonce: str, expires_us: int) -> None:
        """An order was accepted."""
        if nonce in self._used:
            return
        self._used.add(nonce)
        heapq.heappush(self._ends, (expires_us, nonce))
        while len(self._ends) > self._kept:
            ended_us, oldest = heapq.heappop(self._ends)
            self._used.discard(oldest)
            self._forgotten_us = max(self._forgotten_us, ended_us)
