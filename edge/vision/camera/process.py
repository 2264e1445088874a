"""The daemon's side of a camera's process: start it, read it with suspicion, end it."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import sys
from multiprocessing.process import BaseProcess

from edge.domain.loss import Loss, said
from edge.errors import Refused, SourceError
from edge.vision.camera.channel import (
    HEADER,
    ClipMessage,
    EndedMessage,
    Kind,
    Message,
    PictureMessage,
    parse_body,
    parse_header,
)
from edge.vision.camera.commands import Command, command
from edge.vision.camera.gate import Masks
from edge.vision.camera.stream import camera_process
from edge.vision.detect.inference import Inference
from edge.vision.stream.access import Access
from edge.vision.stream.policy import Watch

SILENCE_S = 15.0  # a process that says nothing for this long hangs; it gives up before that
BODY_S = 4.0  # a message that was begun is there within this
MESSAGES_A_S, PICTURES_A_S = 20.0, 12.0  # averaged; a process of ours says less
BURST_S = 2.0  # so many seconds' worth may come at once
JOIN_S = 0.5
_BUFFER_BYTES = 1 << 20

_context = multiprocessing.get_context("forkserver")


def _preload() -> None:
    """What every camera's process needs is loaded once and shared between them.

    A child of a console script imports that script again; what it imports is shared as well.
    """
    names = ["av", "cv2", "numpy", "edge.vision.camera.stream"]
    main = sys.modules.get("__main__")
    if "edge.cli" in sys.modules and getattr(main, "__spec__", None) is None:
        names.append("edge.cli")
    _context.set_forkserver_preload(names)


class Allowance:
    """So many a second on average, `BURST_S` seconds' worth at once. Pure."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left = rate * BURST_S
        self._newest: float | None = None

    def spend(self, now: float) -> None:
        """Use one up. Raises Refused when there is none left."""
        elapsed = now - self._newest if self._newest is not None else 0.0
        self._newest = now
        self._left = min(self._rate * BURST_S, self._left + elapsed * self._rate) - 1
        if self._left < 0:
            raise Refused(f"camera process: more than the {self._rate:.0f} a second that it may")


class CameraProcess:
    """One connection to one camera, in a process of its own."""

    def __init__(self, process: BaseProcess, channel: socket.socket) -> None:
        self._process = process
        self._channel = channel
        self._messages = Allowance(MESSAGES_A_S)
        self._pictures = Allowance(PICTURES_A_S)
        self._clips_due = 0

    @classmethod
    async def start(
        cls, access: Access, watch: Watch, inference: Inference, masks: Masks = ()
    ) -> CameraProcess:
        """Start a process for the stream at `access`.

        The first start waits for the fork server to load its libraries, so it is done in the
        inference thread, not in the loop.

        Raises:
            SourceError: the system gives no process now.
        """
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
            process = _context.Process(
                target=camera_process, args=(access, theirs, watch, masks), daemon=True
            )
            await inference.run(_start, process)
        except (OSError, EOFError) as error:
            ours.close()
            raise SourceError(said(Loss.NOT_STARTED, error)) from error
        except asyncio.CancelledError:
            # If the start still happens, the process finds nobody listening and ends.
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(process, ours)

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self._process.pid

    def allow(self, *, attentive: bool) -> None:
        """Let it send its next picture.

        Args:
            attentive: something was in view, so look even while nothing moves.
        """
        self.tell(Command.LEAVE_AND_LOOK if attentive else Command.LEAVE)

    def tell(self, what: Command, number: float = 0) -> None:
        """Give it a command."""
        self._clips_due += what is Command.CLIP
        try:
            self._channel.send(command(what, number))
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            return  # it has ended or does not read; `receive` will say so

    async def receive(self) -> Message:
        """The next message.

        Raises:
            SourceError: the process ended, hangs, or says that the stream ended.
            Refused: it says what a camera's process does not say.
        """
        try:
            async with asyncio.timeout(SILENCE_S):
                header = await self._exactly(HEADER.size)
            kind, length = parse_header(bytes(header))
            if kind is Kind.CLIP and not self._clips_due:
                raise Refused("camera process: a clip that nobody asked for")
            async with asyncio.timeout(BODY_S):
                body = await self._exactly(length)
        except TimeoutError as error:
            raise SourceError(Loss.HANGS.value) from error
        except OSError as error:
            raise SourceError(said(Loss.CRASHED, self._died())) from error
        now = asyncio.get_running_loop().time()
        self._messages.spend(now)
        message = parse_body(kind, body)
        if isinstance(message, EndedMessage):
            raise SourceError(message.reason)
        if isinstance(message, PictureMessage):
            self._pictures.spend(now)
        if isinstance(message, ClipMessage):
            self._clips_due -= 1
        return message

    async def _exactly(self, size: int) -> bytearray:
        loop = asyncio.get_running_loop()
        data = bytearray(size)
        view, have = memoryview(data), 0
        while have < size:
            got = await loop.sock_recv_into(self._channel, view[have:])
            if got == 0:
                raise ConnectionResetError
            have += got
        return data

    def _died(self) -> str:
        self._process.join(JOIN_S)
        return f"exit code {self._process.exitcode}"

    def end(self) -> None:
        """Kill the process and wait for it, half a second at most."""
        self._channel.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join(JOIN_S)
        if self._process.exitcode is not None:
            self._process.close()


def _start(process: BaseProcess) -> None:
    _preload()
    process.start()
