"""The cameras that are connected: what may be asked of them, what they say of their streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from edge.errors import SourceError
from edge.vision.camera.channel import ClipMessage, FactsMessage
from edge.vision.camera.commands import Command
from edge.vision.stream.policy import Decoding, gop_verdict, in_words

WAKE_S = 30.0  # everything is decoded for this long when another source gives reason to look
CLIP_S = 40.0  # a clip that was asked for is there within this

Tell = Callable[[Command, float], None]


class Cameras:
    """Call it in the event loop.

    Attributes:
        facts: the newest of each camera.
    """

    def __init__(self) -> None:
        self.facts: dict[str, FactsMessage] = {}
        self._tell: dict[str, Tell] = {}
        self._clips: dict[str, asyncio.Future[ClipMessage]] = {}

    def watched(self, camera: str) -> dict[str, Any] | None:
        """What its stream is and how it is watched, in words and figures; None if not known."""
        told = self.facts.get(camera)
        if told is None:
            return None
        facts = told.facts
        slow = gop_verdict(facts.gop_s) if told.policy.decoding is not Decoding.FULL else None
        return {
            "policy": told.policy.decoding.value,
            "reason": told.policy.reason.value,
            "words": in_words(told.policy, facts)._asdict(),
            "late": slow._asdict() if slow else None,
            "codec": facts.codec,
            "width": facts.width,
            "height": facts.height,
            "fps": round(facts.fps, 1),
            "gop_s": round(facts.gop_s, 2),
            "kbps": round(facts.kbps),
        }

    @contextmanager
    def connected(self, camera: str, tell: Tell) -> Iterator[None]:
        """While it lasts, `tell` gives this camera's process commands."""
        self._tell[camera] = tell
        try:
            yield
        finally:
            del self._tell[camera]
            waiting = self._clips.pop(camera, None)
            if waiting is not None and not waiting.done():
                waiting.set_exception(SourceError("the camera was lost meanwhile"))

    def wake(self, seconds: float = WAKE_S) -> None:
        """Let all cameras decode everything for so long."""
        for tell in self._tell.values():
            tell(Command.WAKE, seconds)

    def clip_came(self, camera: str, clip: ClipMessage) -> None:
        """The answer to `clip`."""
        waiting = self._clips.pop(camera, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(clip)

    async def clip(self, camera: str, age_s: float) -> ClipMessage:
        """A clip from `age_s` ago until `clip_ends` or as long as a clip may be.

        One at a time a camera. Raises SourceError when there will be none.
        """
        if camera not in self._tell:
            raise SourceError("the camera is not connected")
        if camera in self._clips:
            raise SourceError("another clip of this camera is being made")
        waiting: asyncio.Future[ClipMessage] = asyncio.get_running_loop().create_future()
        self._clips[camera] = waiting
        self._tell[camera](Command.CLIP, 10 * age_s)
        try:
            async with asyncio.timeout(CLIP_S):
                return await waiting
        except TimeoutError as error:
            raise SourceError(f"no clip within {CLIP_S:.0f} s") from error
        finally:
            if self._clips.get(camera) is waiting:
                del self._clips[camera]

    def clip_ends(self, camera: str) -> None:
        """What the clip is about is over."""
        if camera in self._clips and camera in self._tell:
            self._tell[camera](Command.CLIP_ENDS, 0)
