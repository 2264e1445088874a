"""An event loop that skips the time in which nobody has anything to do.

Whatever waits by this loop's time (asyncio's time-outs too) behaves as on an idle machine, exactly,
however busy the machine is and in a fraction of the time. Sockets and terminals are real ones.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any

from edge.clock import Stamp

GRACE_S = 0.0002  # what was written to a socket or terminal may take so long to get through


class _SkippingSelector(selectors.SelectSelector):
    """Moves `now` on instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            return super().select(None)
        ready = super().select(GRACE_S)
        if not ready:
            self.now += timeout
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    """The loop; `time` begins at 0."""

    def __init__(self) -> None:
        self._skipping = _SkippingSelector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now


class LoopClock:
    """A clock that tells the running loop's time."""

    def now(self) -> Stamp:
        mono_us = round(asyncio.get_running_loop().time() * 1e6)
        return Stamp(1_750_000_000_000_000 + mono_us, mono_us, "skipping")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_skipping(work: Coroutine[Any, Any, Mapping[str, Any]]) -> Mapping[str, Any]:
    """What `work` gives, run in a loop that skips."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(work)
