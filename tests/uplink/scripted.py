"""A broker that does what the test says: refuses, falls silent, talks nonsense."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from edge.uplink.spec import BrokerSpec

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = (
    1, 2, 3, 4, 8, 9, 12, 13, 14,
)  # fmt: skip
QUOTA_EXCEEDED = 0x97


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    length, head = len(body), bytearray([kind << 4 | flags])
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | (128 if length else 0))
        if not length:
            return bytes(head) + body


def publish(mid: int, payload: bytes, topic: str = "order", *, modern: bool = True) -> bytes:
    """A PUBLISH of QoS 1 from the broker."""
    head = struct.pack("!H", len(topic)) + topic.encode() + struct.pack("!H", mid)
    return packet(PUBLISH, head + (b"\x00" if modern else b"") + payload, flags=2)


@dataclass
class Published:
    topic: str
    payload: bytes
    retain: bool


@dataclass
class Script:
    """How the broker behaves; may be changed while it runs.

    Attributes:
        versions: protocol levels that it takes; others get CONNACK 0x01, or with `slams` nothing.
        connack: failing reason code, or 0.
        properties: CONNACK properties of MQTT 5, encoded.
        puback: reason code for a publish, or None for no answer at all.
        nonsense: bytes sent instead of CONNACK.
        mute: takes the CONNECT and says nothing.
    """

    versions: frozenset[int] = frozenset({4, 5})
    slams: bool = False
    connack: int = 0
    properties: bytes = b""
    puback: Callable[[Published], int | None] = lambda _published: 0
    nonsense: bytes = b""
    mute: bool = False
    suback: int = 1
    greeting: bytes = b""  # sent after the SUBACK


@dataclass
class ScriptedBroker:
    script: Script = field(default_factory=Script)
    published: list[Published] = field(default_factory=list)
    connects: list[int] = field(default_factory=list)
    clean: list[bool] = field(default_factory=list)
    unacknowledged: int = 0
    most_unacknowledged: int = 0
    goodbyes: int = 0
    acks: list[int] = field(default_factory=list)  # packet ids of PUBACKs from the client
    port: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    def spec(self, **changes: object) -> BrokerSpec:
        return BrokerSpec.model_validate({"host": "127.0.0.1", "port": self.port, **changes})

    def say(self, data: bytes) -> None:
        """Send bytes to whoever came last."""
        self.writers[-1].write(data)

    def hang_up(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.writers.append(writer)
        self.unacknowledged = 0
        try:
            await self._talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        level = 4
        while True:
            kind, flags, body = await _read(reader)
            if kind == CONNECT:
                level = body[6]
                if not self._welcome(writer, level, clean=bool(body[7] & 2)):
                    return
            elif kind == PUBLISH:
                self._publish(writer, flags, body, level)
            elif kind == SUBSCRIBE:
                rest = b"\x00" if level == 5 else b""
                codes = bytes([self.script.suback] * 2)
                writer.write(packet(SUBACK, body[:2] + rest + codes) + self.script.greeting)
            elif kind == PUBACK:
                self.acks.append(struct.unpack("!H", body[:2])[0])
            elif kind == PINGREQ:
                writer.write(packet(PINGRESP, b""))
            elif kind == DISCONNECT:
                self.goodbyes += 1
                return

    def _welcome(self, writer: asyncio.StreamWriter, level: int, *, clean: bool) -> bool:
        script = self.script
        self.connects.append(level)
        self.clean.append(clean)
        if script.mute:
            return True
        if script.nonsense:
            writer.write(script.nonsense)
            return True
        if level not in script.versions:
            if not script.slams:
                writer.write(packet(CONNACK, b"\x00\x01"))
            return False
        tail = bytes([len(script.properties)]) + script.properties if level == 5 else b""
        writer.write(packet(CONNACK, bytes([0, script.connack]) + tail))
        return script.connack == 0

    def _publish(self, writer: asyncio.StreamWriter, flags: int, body: bytes, level: int) -> None:
        size = struct.unpack("!H", body[:2])[0]
        mid = body[2 + size : 4 + size]
        payload = body[4 + size + (level == 5) :]
        item = Published(body[2 : 2 + size].decode(), payload, bool(flags & 1))
        self.published.append(item)
        self.unacknowledged += 1
        self.most_unacknowledged = max(self.most_unacknowledged, self.unacknowledged)
        code = self.script.puback(item)
        if code is not None:
            self.unacknowledged -= 1
            writer.write(packet(PUBACK, mid + (bytes([code, 0]) if level == 5 and code else b"")))


async def _read(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    first = (await reader.readexactly(1))[0]
    length, shift = 0, 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 127) << shift
        shift += 7
        if digit < 128:
            return first >> 4, first & 15, await reader.readexactly(length)


def records_in(broker: ScriptedBroker) -> list[int]:
    """Indices of the records that came, in the order in which they came."""
    return [
        int(json.loads(item.payload)["id"])
        for item in broker.published
        if item.topic.endswith(("/alarm", "/record"))
    ]
