"""One connection to the camera: a bounded queue, and what is sent from it."""

from __future__ import annotations

import asyncio
import contextlib

from simulators.cameras.datagrams import Datagrams
from simulators.cameras.faults import Faults

_ROOM = 4_000_000  # bytes that may wait for a slow client


class Viewer:
    """What one client is sent, and no more than it takes.

    A client that does not keep up loses whole pictures until the next key frame; they are
    counted in `dropped`.
    """

    def __init__(self, writer: asyncio.StreamWriter, faults: Faults) -> None:
        self._writer, self._faults = writer, faults
        self._ready = asyncio.Event()
        self._empty = asyncio.Event()
        self._queue: list[bytes] = []
        self._waiting = 0
        self._starved = True  # until a key frame
        self.channel = 0
        self.playing = False
        self.way: Datagrams | None = None  # RTP over UDP
        self.dropped = 0
        self.sent = 0

    @property
    def peer(self) -> str:
        """The client's address."""
        return str(self._writer.get_extra_info("peername")[0])

    def offer(self, wire: bytes, *, key: bool) -> None:
        """Queue one access unit's bytes, or drop it."""
        if self._starved and not key:
            return
        if self._waiting + len(wire) > _ROOM:
            self._starved = True
            self.dropped += 1
            return
        if self._starved:
            self._starved = False
        self._put(wire)
        self.sent += 1

    def answer(self, data: bytes) -> None:
        """Queue a response; responses and pictures leave in the order in which they came.

        A client that asks on and on and reads nothing is cut off.
        """
        if self._waiting > 2 * _ROOM:
            self.close()
            return
        self._put(data)

    def _put(self, data: bytes) -> None:
        self._queue.append(data)
        self._waiting += len(data)
        self._ready.set()
        self._empty.clear()

    async def pump(self) -> None:
        """Send what is queued, until cancelled or the client has gone."""
        with contextlib.suppress(OSError):
            while True:
                await self._ready.wait()
                self._ready.clear()
                while self._queue:
                    data = self._queue.pop(0)
                    self._waiting -= len(data)
                    await self._send(data)
                self._empty.set()

    async def _send(self, data: bytes) -> None:
        while data and self._faults.trickle:
            self._writer.write(data[:1])
            data = data[1:]
            await asyncio.sleep(1.0)
        self._writer.write(data)
        await self._writer.drain()

    async def finish(self) -> None:
        """Wait until everything has left, a second at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._empty.wait()

    def close(self) -> None:
        """Cut the connection now."""
        self.playing = False
        self._writer.transport.abort()
