"""The daemon: one gateway at work until it is told to stop, in one epoch after the other."""

from __future__ import annotations

import asyncio
import signal

from edge.clock import Clock
from edge.config import SealConfig
from edge.errors import LedgerCorrupt
from edge.gateway import Gateway
from edge.ledger.damage import mark
from edge.ledger.epoch import begin
from edge.ledger.keys import gateway_signer
from edge.ledger.succession import Break


async def run(config: SealConfig, clock: Clock) -> None:
    """Run the daemon until SIGTERM or SIGINT, in one epoch after the other."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        while broken := await Gateway(config, clock).run(stop):
            _begin_epoch(config, broken, clock)
    except* LedgerCorrupt as group:
        # Once is enough: the next start sets the damaged ledger aside, if that is sound.
        mark(config.storage.dir, str(_first(group)))
        raise


def _first(group: BaseExceptionGroup[LedgerCorrupt]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _begin_epoch(config: SealConfig, broken: Break, clock: Clock) -> None:
    directory, site = config.storage.dir, config.site
    origin = f"eseal/{site.mine_code}/{site.gateway}"
    signer = gateway_signer(directory, origin)
    begin(directory, broken, gateway=origin, signer=signer, clock=clock, state=site.state).close()
