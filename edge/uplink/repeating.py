"""A task that does one kind of work for ever, and survives a broker or a disk that refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from edge.errors import StorageFull, UplinkUnavailable

RETRY_S = 2.0

log = structlog.get_logger(__name__)


async def repeat(
    work: Callable[[], Awaitable[None]], due: asyncio.Event, at_least_s: float
) -> None:
    """Do `work` when it is due, and at least so often; again soon when it failed."""
    told = ""
    while True:
        # Not wait_for: in 3.11 it can swallow a cancellation that comes with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(at_least_s):
                await due.wait()
        due.clear()
        try:
            await work()
        except (UplinkUnavailable, StorageFull) as error:
            if str(error) != told:
                told = str(error)
                log.warning("not done; tried again", what=work.__name__, error=told)
            await asyncio.sleep(RETRY_S)
            due.set()
        else:
            told = ""
