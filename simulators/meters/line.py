"""Two serial devices joined by a cable: a pair of pseudo-terminals and a relay between them."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable
from typing import Self

_CHUNK = 1024


class PtyLine:
    """`async with PtyLine() as line:` gives `line.server_device` and `line.client_device`.

    Attributes:
        shape: called with every chunk that travels to the client; gives what arrives there.
    """

    def __init__(self) -> None:
        self._fds: list[int] = []
        self._masters: tuple[int, ...] = ()
        self.server_device = ""
        self.client_device = ""
        self.shape: Callable[[bytes], bytes] = bytes

    async def __aenter__(self) -> Self:
        (server, server_slave), (client, client_slave) = os.openpty(), os.openpty()
        self._fds = [server, server_slave, client, client_slave]
        self._masters = (server, client)
        for slave in (server_slave, client_slave):
            tty.setraw(slave)
        for master in self._masters:
            os.set_blocking(master, False)
        self.server_device = os.ttyname(server_slave)
        self.client_device = os.ttyname(client_slave)
        loop = asyncio.get_running_loop()
        loop.add_reader(server, self._to_client)
        loop.add_reader(client, self._to_server)
        return self

    async def __aexit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for master in self._masters:
            loop.remove_reader(master)
        self._masters = ()
        while self._fds:
            os.close(self._fds.pop())

    def inject(self, data: bytes) -> None:
        """Put bytes on the line towards the client, as a disturbance does."""
        self._put(self._masters[1], data)

    def _to_client(self) -> None:
        self._put(self._masters[1], self.shape(os.read(self._masters[0], _CHUNK)))

    def _to_server(self) -> None:
        self._put(self._masters[0], os.read(self._masters[1], _CHUNK))

    @staticmethod
    def _put(fd: int, data: bytes) -> None:
        try:
            os.write(fd, data)
        except BlockingIOError:
            return  # nobody reads at the other end: a serial line loses bytes too
