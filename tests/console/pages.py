"""A page on a real socket, asked with nothing but asyncio streams."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from edge.console.app import build_app
from edge.console.server import serve

INCIDENT = {
    "incident": "production-load/hoist/-/1",
    "code": "production-load",
    "level": 1,
    "text": {"zh": "提升机在运行。", "en": "The hoist runs."},
    "opened": "2026-03-07T14:00:30.000000Z",
}


def snapshot(**changes: Any) -> dict[str, Any]:
    """A status with two parts that work."""
    return {
        "works": True,
        "checks": [
            {"name": "hoist", "works": True, "zh": "好", "en": "fine"},
            {"name": "uplink", "works": True, "zh": "好", "en": "fine"},
        ],
        **changes,
    }


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Page:
    """Where the page listens."""

    port: int

    async def raw(self, request: bytes) -> Answer:
        """Send bytes and read what comes until the connection is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return Answer(int(first.split()[1]), headers, body)

    async def ask(
        self, path: str, method: str = "GET", *, host: str = "127.0.0.1", **headers: str
    ) -> Answer:
        """One request."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return await self.raw("\r\n".join([*lines, "", ""]).encode("latin-1"))


def free_port() -> int:
    """A TCP port that nobody listens on just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def page(status: Any = snapshot, incidents: Any = lambda: [INCIDENT]) -> AsyncIterator[Page]:
    """The page, served as the daemon serves it."""
    port = free_port()
    task = asyncio.create_task(serve(build_app(status, incidents), "127.0.0.1", port))
    try:
        await listening(port, task)
        yield Page(port)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def listening(port: int, task: asyncio.Task[None]) -> None:
    """Wait until somebody accepts connections on `port`."""
    for _ in range(500):
        assert not task.done()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        await writer.wait_closed()
        return
    raise AssertionError("nobody listens")
