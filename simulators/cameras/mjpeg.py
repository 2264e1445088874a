"""A camera that shows JPEG pictures over HTTP, one after the other (multipart/x-mixed-replace)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import cv2

from edge.errors import Refused
from simulators.cameras.auth import Guard, Scheme
from simulators.cameras.clients import Viewer
from simulators.cameras.faults import Faults
from simulators.cameras.identity import Identity
from simulators.cameras.rtsp import MAX_HEAD, Request
from simulators.cameras.scene import Scene
from simulators.cameras.units import AccessUnit

PATH = "/video.mjpg"
_BOUNDARY = "frame"
_MAX_CLIENTS = 8
_PATIENCE_S = 10.0
_REASONS = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    503: "Service Unavailable",
}
Pictures = Callable[[], Iterator[bytes]]


class MjpegServer(Faults):
    """Use as an async context manager; its faults are attributes, see `Faults`.

    Args:
        pictures: makes a never-ending source of JPEG files; asked anew for each client.
        fps: pictures a second.
        host: interface to listen on.
        port: 0 lets the system choose; read `port` or `url` then.
        user: name to ask for.
        password: its password.
        auth: "none", "basic" or "digest".
        identity: what TLS shows; None: HTTP in the clear.
    """

    def __init__(
        self,
        pictures: Pictures,
        fps: float = 10.0,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        user: str = "",
        password: str = "",
        auth: Scheme | str = Scheme.NONE,
        identity: Identity | None = None,
    ) -> None:
        super().__init__()
        self._pictures, self._fps, self.identity = pictures, fps, identity
        self.host, self.port = host, port
        self._user, self._password, self._scheme = user, password, Scheme(auth)
        self._guard = Guard(self._scheme, user, password)  # clients come back on a new connection
        self._viewers: set[Viewer] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """What a client opens, credentials included."""
        login = "" if self._scheme is Scheme.NONE else f"{self._user}:{self._password}@"
        kind = "http" if self.identity is None else "https"
        return f"{kind}://{login}{self.host}:{self.port}{PATH}"

    @property
    def clients(self) -> int:
        """Connections that are being sent pictures."""
        return sum(viewer.playing for viewer in self._viewers)

    def kick(self) -> None:
        """Cut every connection."""
        for viewer in tuple(self._viewers):
            viewer.close()

    async def __aenter__(self) -> Self:
        context = self.identity.context() if self.identity else None
        self._server = await asyncio.start_server(
            self._connected, self.host, self.port, limit=MAX_HEAD, ssl=context
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.kick()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*tuple(self._tasks), return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        viewer = Viewer(writer, self)
        self._viewers.add(viewer)
        pump = asyncio.create_task(viewer.pump())
        try:
            await self._serve(reader, viewer)
        except (EOFError, OSError, asyncio.CancelledError):
            pass  # gone, silent for too long, or we are closing
        finally:
            pump.cancel()
            viewer.playing = False
            self._viewers.discard(viewer)
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, viewer: Viewer) -> None:
        while True:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                request = parse_request(head)
            except (Refused, asyncio.LimitOverrunError):
                viewer.answer(_response(400, {}))
                await viewer.finish()
                return
            status, headers = self._judged(request)
            if self.hung:
                continue
            viewer.answer(_response(status, headers))
            if status == 200:
                await self._show(reader, viewer)
                return
            if status != 401:
                await viewer.finish()
                return

    def _judged(self, request: Request) -> tuple[int, dict[str, str]]:
        if len(self._viewers) > _MAX_CLIENTS:
            return 503, {}
        if self.redirect:
            return 302, {"Location": self.redirect}
        if not self._guard.admits(request):
            return 401, {"WWW-Authenticate": self._guard.challenge()}
        if request.url != PATH:
            return 404, {}
        return 200, {"Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY}"}

    async def _show(self, reader: asyncio.StreamReader, viewer: Viewer) -> None:
        gone = asyncio.ensure_future(reader.read(1))
        viewer.playing = True
        try:
            for picture in self._pictures():
                sent = self.spoiled(AccessUnit((picture,), 0.0, key=True))
                if sent is not None:
                    (data,) = self.damaged([sent.nals[0]], 2)
                    viewer.offer(_part(data), key=True)
                done, _ = await asyncio.wait([gone], timeout=1 / self._fps)
                if done:
                    return
        finally:
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await gone


def parse_request(head: bytes) -> Request:
    """A GET request as it comes from a stranger. Raises Refused for anything else."""
    try:
        lines = head.decode("ascii").split("\r\n")
    except UnicodeDecodeError:
        raise Refused("request is not ASCII") from None
    words = lines[0].split(" ")
    if len(words) != 3 or words[0] != "GET" or words[2] not in {"HTTP/1.0", "HTTP/1.1"}:
        raise Refused("not an HTTP GET request")
    pairs = (line.partition(":") for line in lines[1:] if line)
    return Request(words[0], words[1], {name.lower(): text.strip() for name, _, text in pairs})


def _response(status: int, headers: dict[str, str]) -> bytes:
    if status != 200:
        headers = {**headers, "Content-Length": "0"}
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n"


def _part(picture: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode("ascii") + picture + b"\r\n"


def live_pictures(scene: Scene) -> Pictures:
    """What the scene looks like now, as JPEG, each time anew."""

    def pictures() -> Iterator[bytes]:
        while True:
            yield jpeg(scene, scene.now())

    return pictures


def jpeg(scene: Scene, t: float) -> bytes:
    """The scene at `t` as a JPEG file."""
    _, data = cv2.imencode(".jpg", scene.render(t), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return bytes(data)
