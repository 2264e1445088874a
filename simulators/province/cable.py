"""The cable between a gateway and its broker: a TCP relay that can be cut, mended and slowed."""

from __future__ import annotations

import asyncio
from typing import Self

_CHUNK = 65_536
_TRAVELLING = 1_000  # chunks on their way

Travelling = asyncio.Queue[tuple[float, bytes]]  # when a chunk arrives, and its bytes


class Cable:
    """Listens on `port` and relays to a target on this machine.

    Args:
        target: port that it leads to.
        port: 0 lets the system choose; read `port` then.
        host: interface to listen on.

    Attributes:
        delay_s: how long bytes are on their way, in each direction.
        opened: connections that were made through it.
    """

    def __init__(self, target: int, port: int = 0, host: str = "127.0.0.1") -> None:
        self.target = target
        self.host = host
        self.port = port
        self.delay_s = 0.0
        self._carries = asyncio.Event()
        self._carries.set()
        self.opened = 0
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.cut()

    @property
    def hung(self) -> bool:
        """Whether it keeps connections open and carries nothing, as a dead line does."""
        return not self._carries.is_set()

    @hung.setter
    def hung(self, hung: bool) -> None:
        if hung:
            self._carries.clear()
        else:
            self._carries.set()

    @property
    def whole(self) -> bool:
        """Whether it is not cut."""
        return self._server is not None

    async def cut(self) -> None:
        """Break every connection; new ones are refused."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        ends = tuple(self._ends)
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
        await server.wait_closed()

    async def restore(self) -> None:
        """Carry again, on the same port."""
        if self._server is None:
            self._server = await asyncio.start_server(self._carry, self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _carry(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._ends.add(task)
        self.opened += 1
        writers = [near_out]
        try:
            far, far_out = await asyncio.open_connection("127.0.0.1", self.target)
            writers.append(far_out)
            async with asyncio.TaskGroup() as group:
                up = group.create_task(self._one_way(near, far_out))
                down = group.create_task(self._one_way(far, near_out))
                await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
                up.cancel()
                down.cancel()
        except (OSError, asyncio.CancelledError):
            pass  # cut, or the broker is not there: both ends see a closed connection
        finally:
            self._ends.discard(task)
            for writer in writers:
                writer.transport.abort()

    async def _one_way(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        travelling: Travelling = asyncio.Queue(_TRAVELLING)
        taking = asyncio.create_task(self._take(source, travelling))
        try:
            await self._bring(travelling, sink)
        except OSError:
            pass  # the other side of an ended connection
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    async def _take(self, source: asyncio.StreamReader, travelling: Travelling) -> None:
        """Chunks set out when they come, one behind the other; the end is an empty one."""
        loop = asyncio.get_running_loop()
        data = b"-"
        while data:
            try:
                data = await source.read(_CHUNK)
            except OSError:
                data = b""
            await travelling.put((loop.time() + self.delay_s, data))

    async def _bring(self, travelling: Travelling, sink: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await travelling.get()
            await self._carries.wait()
            if (left := due - loop.time()) > 0:
                await asyncio.sleep(left)
            if not data:
                return
            sink.write(data)
            await sink.drain()
