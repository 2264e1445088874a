"""How much memory a process takes that holds a ledger and an uplink whose broker is away.

Run as `python -m benchmarks.backlog DIRECTORY`; prints PSS in MB.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import structlog

from benchmarks.parts import deliver, open_ledger
from edge.domain.record import Lane
from edge.uplink.spec import BrokerSpec

SETTLE_S = 3.0
NOWHERE = BrokerSpec(host="127.0.0.1", port=9)


async def measure(directory: Path) -> float:
    """PSS (MB) after a while, the backlog counted as the status page does."""
    ledger = open_ledger(directory)
    uplink = asyncio.create_task(deliver(ledger, [NOWHERE]).run())
    await asyncio.sleep(SETTLE_S)
    for lane in Lane:
        ledger.backlog(lane)
        ledger.pending(lane, ledger.cursor(lane.value), 200)
    pss: int = psutil.Process().memory_full_info().pss
    uplink.cancel()
    with suppress(asyncio.CancelledError):
        await uplink
    ledger.close()
    return pss / 1e6


def main() -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(asyncio.run(measure(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
