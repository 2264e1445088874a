"""A camera: an RTSP server with one track, RTP within the RTSP connection or over UDP.

One encoder serves every client, and works only while somebody watches. Encoding happens in a
thread of its own; the loop only copies bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.errors import Refused
from simulators.cameras import rtsp, sdp
from simulators.cameras.auth import Guard, Scheme
from simulators.cameras.clients import Viewer
from simulators.cameras.datagrams import Datagrams
from simulators.cameras.dialogue import PATH, Dialogue
from simulators.cameras.faults import Faults
from simulators.cameras.feeds import Feed, LiveFeed, play_feed
from simulators.cameras.identity import Identity
from simulators.cameras.rtp import HEAD, Packetiser, interleave
from simulators.cameras.scene import Scene
from simulators.cameras.units import AccessUnit, Codec

_MAX_CLIENTS = 32
_MAX_PENDING = 50  # units between the encoder's thread and the loop
_PATIENCE_S = 60.0  # for a client that has not played yet


class CameraServer(Faults):
    """Use as an async context manager; its faults are attributes, see `Faults`.

    Args:
        make_feed: makes the source of pictures; called once, in a thread.
        host: interface to listen on.
        port: 0 lets the system choose; read `port` or `url` then.
        user: name to ask for.
        password: its password.
        auth: "none", "basic" or "digest".
        transports: "tcp", "udp", or both.
        identity: what TLS shows; None: RTSP in the clear.

    Attributes:
        feed: the source of pictures, once entered.
        description: what DESCRIBE answers, once entered; may be changed.
        dropped: pictures that slow clients did not get.
    """

    def __init__(
        self,
        make_feed: Callable[[], Feed],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        user: str = "",
        password: str = "",
        auth: Scheme | str = Scheme.NONE,
        transports: Collection[str] = ("tcp",),
        identity: Identity | None = None,
    ) -> None:
        super().__init__()
        self._transports, self.identity = frozenset(transports), identity
        self._make_feed = make_feed
        self.host, self.port = host, port
        self._user, self._password, self._scheme = user, password, Scheme(auth)
        self._dropped_before = 0
        self._viewers: set[Viewer] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._stop: threading.Event | None = None
        self._thread: threading.Thread | None = None
        self._pending = threading.Semaphore(_MAX_PENDING)
        self.feed: Feed
        self.description = ""

    @classmethod
    def live(
        cls, scene: Scene, *, codec: Codec | str = Codec.H264, fps: float = 12.5, **kwargs: Any
    ) -> Self:
        """A camera that looks at `scene` now; other arguments as for the class."""
        return cls(lambda: LiveFeed(scene, codec, fps), **kwargs)

    @classmethod
    def play(cls, path: Path, *, codec: Codec | str | None = None, **kwargs: Any) -> Self:
        """A camera that plays a video file in a loop; other arguments as for the class."""
        return cls(lambda: play_feed(path, codec), **kwargs)

    @property
    def url(self) -> str:
        """What a client opens, credentials included."""
        login = "" if self._scheme is Scheme.NONE else f"{self._user}:{self._password}@"
        return f"{self._scheme_name}://{login}{self.host}:{self.port}{PATH}"

    @property
    def _scheme_name(self) -> str:
        return "rtsp" if self.identity is None else "rtsps"

    @property
    def clients(self) -> int:
        """Connections that are being sent pictures."""
        return sum(viewer.playing for viewer in self._viewers)

    @property
    def dropped(self) -> int:
        """Pictures that slow clients did not get, since the start."""
        return self._dropped_before + sum(viewer.dropped for viewer in self._viewers)

    def kick(self) -> None:
        """Cut every connection."""
        for viewer in tuple(self._viewers):
            viewer.close()

    async def __aenter__(self) -> Self:
        self.feed = await asyncio.to_thread(self._make_feed)
        self.description = sdp.describe(self.feed.codec, self.feed.sets, self.host, self.feed.fps)
        self._packetiser = Packetiser(self.feed.codec, secrets.randbits(32), secrets.randbits(16))
        self._server = await asyncio.start_server(
            self._connected,
            self.host,
            self.port,
            limit=rtsp.MAX_HEAD,
            ssl=self.identity.context() if self.identity else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        self.kick()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._rest()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, _PATIENCE_S)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    # Pictures

    def _work(self) -> None:
        """Let the feed run."""
        if self._stop is not None:
            self.feed.want_key()
            return
        stop, loop, before = threading.Event(), asyncio.get_running_loop(), self._thread
        self._stop = stop

        def run() -> None:
            if before is not None:
                before.join()
            for unit in self.feed.units(stop):
                if stop.is_set():
                    return
                if self._pending.acquire(blocking=False):  # else the loop is stuck: lost
                    with contextlib.suppress(RuntimeError):  # the loop has closed
                        loop.call_soon_threadsafe(self._deliver, unit)

        self._thread = threading.Thread(target=run, name="camera feed", daemon=True)
        self._thread.start()

    def _rest(self) -> None:
        """Let the feed end."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    def _deliver(self, unit: AccessUnit) -> None:
        self._pending.release()
        sent = self.spoiled(unit)
        if sent is None:
            return
        packets = self.damaged(self._packetiser.packets(sent), HEAD)
        wires: dict[int, bytes] = {}
        for viewer in self._viewers:
            if viewer.way is not None:
                viewer.way.send(packets)
            elif viewer.playing:
                if viewer.channel not in wires:
                    wires[viewer.channel] = interleave(packets, viewer.channel)
                viewer.offer(wires[viewer.channel], key=unit.key)

    # Connections

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._viewers) >= _MAX_CLIENTS:
            writer.write(rtsp.response(503, "0", {}))
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        viewer = Viewer(writer, self)
        self._viewers.add(viewer)
        pump = asyncio.create_task(viewer.pump())
        try:
            await self._converse(reader, viewer)
        except (EOFError, OSError, asyncio.CancelledError):
            pass  # gone, silent for too long, or we are closing
        finally:
            viewer.playing = False
            self._dropped_before += viewer.dropped
            self._viewers.discard(viewer)
            pump.cancel()
            self._tasks.discard(task)
            if not self.clients:
                self._rest()
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, viewer: Viewer) -> None:
        peer = viewer.peer
        dialogue = Dialogue(
            Guard(self._scheme, self._user, self._password),
            f"{self._scheme_name}://{self.host}:{self.port}{PATH}",
            self.description,
            tcp="tcp" in self._transports,
            datagrams=(lambda port: Datagrams(self.host, (peer, port)))
            if "udp" in self._transports
            else None,
        )
        dialogue.redirect = self.redirect
        try:
            await self._answer(dialogue, reader, viewer)
        finally:
            viewer.way = None
            dialogue.close()

    async def _answer(
        self, dialogue: Dialogue, reader: asyncio.StreamReader, viewer: Viewer
    ) -> None:
        while not dialogue.over:
            try:
                async with asyncio.timeout(None if viewer.playing else _PATIENCE_S):
                    request = await rtsp.read_request(reader)
                answer = dialogue.answer(request)
            except Refused:
                answer = rtsp.response(400, "0", {})
                dialogue.over = True
            if self.hung:
                continue
            viewer.answer(answer)
            viewer.channel = dialogue.channel
            if dialogue.playing and not viewer.playing:
                self._work()
            viewer.playing = dialogue.playing
            viewer.way = dialogue.way if dialogue.playing else None
        if not self.hung:
            await viewer.finish()
