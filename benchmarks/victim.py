"""A gateway's writer and uplink, in a process that gets killed.

Run as `python -m benchmarks.victim DIRECTORY PORT KEY…`. For each line `FIRST RATE` on standard
input a child is forked that appends records with numbers from FIRST on, RATE a second, and
delivers them; `FIRST 0` only delivers, and ends when nothing waits. Standard output tells
`pid N`, then `INDEX NUMBER` of each acknowledged record, and `over STATUS` when it has ended.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import structlog

from benchmarks.parts import deliver, open_ledger, opened, summary
from edge.domain.record import Lane, Record
from edge.ledger.store import Ledger
from edge.uplink.spec import BrokerSpec

BEAT_S = 0.01
UNANSWERED = 4_000  # records that may wait for their commit
ALARM_EVERY = 50
LINES = 200  # so many lines are fewer bytes than a pipe takes whole
FLUSHED_S = 30.0


def told(first: int, done: Callable[[], object]) -> Callable[[Future[list[Record]]], None]:
    """Says on standard output what was acknowledged."""

    def tell(future: Future[list[Record]]) -> None:
        if future.cancelled() or future.exception() is not None:
            return
        lines = [f"{record.index} {first + i}\n" for i, record in enumerate(future.result())]
        for at in range(0, len(lines), LINES):
            os.write(1, "".join(lines[at : at + LINES]).encode())
        with suppress(RuntimeError):  # the loop is closed: we are going
            done()

    return tell


async def write(ledger: Ledger, wake: Callable[[], None], first: int, rate: float) -> None:
    """Append for ever."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    number = first
    for packs in itertools.count(1):
        due = first + int((loop.time() - began) * rate)
        while number < min(due, first + ledger.size + UNANSWERED):
            size = min(due - number, 1 + packs % 60)
            drafts = [
                opened(n) if n % ALARM_EVERY == 0 else summary(n)
                for n in range(number, number + size)
            ]
            answer = ledger.submit(drafts)
            answer.add_done_callback(told(number, lambda: loop.call_soon_threadsafe(wake)))
            number += size
        await asyncio.sleep(BEAT_S)


async def flushed(ledger: Ledger) -> None:
    """Until the broker has acknowledged everything and the head is sealed."""
    await asyncio.wrap_future(ledger.seal_head())
    async with asyncio.timeout(FLUSHED_S):
        while any(ledger.backlog(lane)[0] for lane in Lane):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)  # the checkpoint goes after the records


async def live(directory: Path, port: int, keys: list[str], first: int, rate: float) -> None:
    """Write and deliver; with no rate until everything is delivered."""
    ledger = open_ledger(directory)
    uplink = deliver(ledger, [BrokerSpec(host="127.0.0.1", port=port)], keys)
    work = write(ledger, lambda: uplink.wake(alarm=True), first, rate) if rate else flushed(ledger)
    tasks = {asyncio.create_task(uplink.run()), asyncio.create_task(work)}
    done, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    ledger.close()


def main() -> None:
    """Fork a victim for every line."""
    directory, port, keys = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for line in sys.stdin:
        first, rate = line.split()
        child = os.fork()
        if not child:
            os.write(1, f"pid {os.getpid()}\n".encode())
            try:
                asyncio.run(live(directory, port, keys, int(first), float(rate)))
            except BaseException:  # noqa: BLE001  a fork must end here, whatever happened
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        os.write(1, f"over {status}\n".encode())


if __name__ == "__main__":
    main()
