"""Time that nobody needs is skipped; what waits by it does not notice."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from simulators.skipping import LoopClock, run_skipping


def test_a_day_passes_in_no_time():
    async def day():
        clock = LoopClock()
        began = clock.now()
        await clock.sleep(86_400)
        return {"passed": clock.now().since(began)}

    began = time.monotonic()
    assert run_skipping(day())["passed"] == pytest.approx(86_400)
    assert time.monotonic() - began < 5


def test_what_waits_comes_in_order_and_time_outs_too():
    seen = []

    async def note(seconds):
        await asyncio.sleep(seconds)
        seen.append(seconds)

    async def trial():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await asyncio.gather(*(note(seconds) for seconds in (3, 1, 2)))
        return {}

    run_skipping(trial())
    assert seen == [1, 2]


def test_what_comes_through_a_socket_is_not_overtaken_by_time():
    async def trial():
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        for number in range(50):
            theirs.send(bytes([number]))
            async with asyncio.timeout(1e-6):
                assert await reader.read(1) == bytes([number])
        writer.close()
        theirs.close()
        return {}

    run_skipping(trial())
