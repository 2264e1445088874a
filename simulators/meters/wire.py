"""A half-duplex serial line with its timing: what overlaps is garbled, what follows too soon too.

Made for buses as they are: a frame takes its characters, 3.5 characters of silence end it, a unit
thinks for its turnaround. Reached through a pseudo-terminal, or over TCP as behind a serial server.
"""

from __future__ import annotations

import asyncio
import os
import random
import tty
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Self, cast

from edge.sensors.frames import WRITE_COIL, crc
from simulators.meters.units import Unit

TURNAROUND_S = 0.020
_SILENCE_CHARACTERS = 3.5
_FAST_BAUD, _FAST_SILENCE_S = 19200, 0.00175
_EARLY = 0.9  # of the silence: timers are not exact
_CHUNK = 4096

Answers = Callable[[Unit, bytes], list[tuple[float, bytes]]]
"""(unit, request PDU) → what it sends, each after so many seconds; frames are whole (RTU)."""


def framed(unit: int, pdu: bytes) -> bytes:
    """An RTU frame."""
    data = bytes([unit]) + pdu
    return data + crc(data)


def answer_pdu(unit: Unit, request: bytes, now: float) -> bytes:
    """What a unit in order answers to the PDU of a read, or of the writing of one coil."""
    function = request[0]
    if function == WRITE_COIL and len(request) == 5:
        written = unit.write_coil(int.from_bytes(request[1:3], "big"), request[3] == 0xFF)
        return request if written else bytes([function | 0x80, 2])
    if function not in {1, 2, 3, 4} or len(request) != 5:
        return bytes([function | 0x80, 1])
    address, count = int.from_bytes(request[1:3], "big"), int.from_bytes(request[3:5], "big")
    readable = [span for span in unit.spans() if span.function == function]
    if not any(span.address <= address and address + count <= span.end for span in readable):
        return bytes([function | 0x80, 2])
    memory = unit.memory(now)
    values = [memory.get((function, address + i), 0) for i in range(count)]
    if function > 2:
        data = b"".join(value.to_bytes(2, "big") for value in values)
    else:
        bits = sum(bit << i for i, bit in enumerate(values))
        data = bits.to_bytes((count + 7) // 8, "little")
    return bytes([function, len(data)]) + data


class _Sent:
    """One transmission under way."""

    def __init__(self, end: float) -> None:
        self.end = end
        self.garbled = False


class Wire:
    """The line and its units; 8N1.

    Args:
        units: by address.
        baud: bits per second.
        answers: what a unit sends; as one in order where it is not given.
        echoes: the client hears what it sends.

    Attributes:
        deliver: hands bytes to the client.
        collisions: transmissions that overlapped.
        hasty: frames of the client that came before the line had been silent for long enough.
        requests: frames of the client that were whole.
    """

    def __init__(
        self,
        units: Mapping[int, Unit],
        *,
        baud: int = 9600,
        answers: Answers | None = None,
        echoes: bool = False,
    ) -> None:
        self.units = units
        self._answers = answers or self._in_order
        self._character_s = 10 / baud
        self.silence_s = (
            _FAST_SILENCE_S if baud > _FAST_BAUD else _SILENCE_CHARACTERS * self._character_s
        )
        self._echoes = echoes
        self._last = _Sent(-1.0)
        self._chance = random.Random(0)
        self.deliver: Callable[[bytes], None] = lambda _data: None
        self.collisions = self.hasty = self.requests = 0

    def send(self, data: bytes) -> None:
        """The client puts a frame on the line."""
        loop = asyncio.get_running_loop()
        hasty = 0 < loop.time() - self._last.end < _EARLY * self.silence_s
        self.hasty += hasty
        sent = self._put(len(data))
        sent.garbled = sent.garbled or hasty
        if self._echoes:
            loop.call_at(sent.end, self.deliver, data)
        loop.call_at(sent.end + self.silence_s, self._understand, data, sent)

    def disturb(self, data: bytes) -> None:
        """Somebody else puts bytes on the line; the client hears them."""
        sent = self._put(len(data))
        asyncio.get_running_loop().call_at(sent.end, self._arrive, data, sent)

    def _in_order(self, unit: Unit, request: bytes) -> list[tuple[float, bytes]]:
        now = asyncio.get_running_loop().time()
        return [(0.0, framed(unit.unit, answer_pdu(unit, request, now)))]

    def _put(self, characters: int) -> _Sent:
        now = asyncio.get_running_loop().time()
        sent = _Sent(now + characters * self._character_s)
        if now < self._last.end:
            self.collisions += 1
            self._last.garbled = sent.garbled = True
            sent.end = max(sent.end, self._last.end)
        self._last = sent
        return sent

    def _understand(self, data: bytes, sent: _Sent) -> None:
        if sent.garbled or len(data) < 4 or crc(data[:-2]) != data[-2:]:
            return
        self.requests += 1
        unit = self.units.get(data[0])
        if unit is None or unit.silent:
            return
        loop = asyncio.get_running_loop()
        loop.call_later(TURNAROUND_S + unit.delay_s, self._reply, unit, data[1:-2])

    def _reply(self, unit: Unit, request: bytes) -> None:
        for after_s, frame in self._answers(unit, request):
            asyncio.get_running_loop().call_later(after_s, self.disturb, frame)

    def _arrive(self, data: bytes, sent: _Sent) -> None:
        self.deliver(self._chance.randbytes(len(data)) if sent.garbled else data)


class PtyWire:
    """`async with PtyWire(wire) as line:` gives `line.device` for a client to open."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._fds: tuple[int, int] = (-1, -1)
        self.device = ""

    async def __aenter__(self) -> Self:
        self._fds = os.openpty()
        ours, theirs = self._fds
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self.device = os.ttyname(theirs)
        self._wire.deliver = self._deliver
        asyncio.get_running_loop().add_reader(ours, self._read)
        return self

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._fds[0])
        for fd in self._fds:
            os.close(fd)
        self._wire.deliver = lambda _data: None

    def _read(self) -> None:
        with suppress(BlockingIOError):
            self._wire.send(os.read(self._fds[0], _CHUNK))

    def _deliver(self, data: bytes) -> None:
        with suppress(BlockingIOError):  # nobody reads: a serial line loses bytes too
            os.write(self._fds[0], data)


class TcpWire:
    """The line behind a serial server on `port`; every client hears everything."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Transport] = set()
        self.host, self.port = "127.0.0.1", 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._wire.deliver = self._deliver
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self.drop()
        self._server.close()
        await self._server.wait_closed()
        self._wire.deliver = lambda _data: None

    def drop(self) -> None:
        """End every connection."""
        for client in tuple(self._clients):
            client.close()

    def joined(self, client: asyncio.Transport) -> None:
        self._clients.add(client)

    def left(self, client: asyncio.Transport) -> None:
        self._clients.discard(client)

    def heard(self, data: bytes) -> None:
        self._wire.send(data)

    def _deliver(self, data: bytes) -> None:
        for client in self._clients:
            client.write(data)


class _Client(asyncio.Protocol):
    def __init__(self, server: TcpWire) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.joined(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        _ = exc
        if self._transport is not None:
            self._server.left(self._transport)

    def data_received(self, data: bytes) -> None:
        self._server.heard(data)
