"""Looks at the room that records have, tells when it is short, and lets retention work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

import structlog

from edge.clock import Clock, Stamp
from edge.domain.observation import StorageSpace
from edge.errors import StorageFull
from edge.ledger.policy import Policy, Space
from edge.ledger.store import Ledger
from edge.seal import HOST

LOOK_S = 30.0
SWEEP_S = 3600.0
TIGHT_SWEEP_S = 300.0  # where space is short
_MB = 1_000_000

log = structlog.get_logger(__name__)


async def keep_storage(
    ledger: Ledger,
    policy: Policy,
    clock: Clock,
    observe: Callable[[StorageSpace], None],
    shed: Callable[[bool], None],
) -> None:
    """Work until cancelled.

    Args:
        ledger: its sweeps run in a thread of their own.
        policy: what may be kept.
        clock: paces it.
        observe: is told how much room there is.
        shed: is told whether routine must be left out.

    Raises:
        LedgerCorrupt: a sweep found the ledger damaged.
    """
    sweep: Future[Space] | None = None
    swept: Stamp | None = None
    while True:
        space = _look(ledger, policy)
        if space is not None:
            shed(space.shed)
            free_mb = space.free / _MB
            observe(StorageSpace(HOST, clock.now(), space.used / _MB, free_mb, space.low))
        if sweep is not None and sweep.done():
            _settle(sweep)
            sweep = None
        period = TIGHT_SWEEP_S if space is not None and space.excess else SWEEP_S
        if sweep is None and (swept is None or clock.now().since(swept) >= period):
            sweep, swept = ledger.sweep(policy), clock.now()
        await clock.sleep(LOOK_S)


def _look(ledger: Ledger, policy: Policy) -> Space | None:
    try:
        return ledger.space(policy)
    except StorageFull as error:  # the recorder finds out by itself, and holds its records
        log.error("the storage cannot be looked at", error=str(error))
        return None


def _settle(sweep: Future[Space]) -> None:
    try:
        space = sweep.result()
    except StorageFull as error:
        log.error("retention could not work", error=str(error))
    else:
        log.info("retention done", used_mb=space.used // _MB, free_mb=space.free // _MB)
