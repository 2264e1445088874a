"""Pictures that somebody asks for now, from whichever camera is connected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge.errors import SourceError
from edge.vision.picture import Picture

WAIT_S = 10.0  # a camera that looks at its key pictures alone may need seconds


class Glimpses:
    """Hands the next picture of a camera to whoever waits for one. Call it in the event loop."""

    def __init__(self) -> None:
        self._wake: dict[str, Callable[[], None]] = {}
        self._waiting: dict[str, list[asyncio.Future[Picture]]] = {}

    @contextmanager
    def offered(self, camera: str, wake: Callable[[], None]) -> Iterator[None]:
        """While it lasts, `wake` makes this camera hand over a picture."""
        self._wake[camera] = wake
        try:
            yield
        finally:
            del self._wake[camera]
            for waiting in self._waiting.pop(camera, []):
                if not waiting.done():
                    waiting.set_exception(SourceError("the camera was lost meanwhile"))

    def wanted(self, camera: str) -> bool:
        """Whether somebody waits for a picture of this camera."""
        return camera in self._waiting

    def seen(self, camera: str, picture: Picture) -> None:
        """A picture came."""
        for waiting in self._waiting.pop(camera, []):
            if not waiting.done():
                waiting.set_result(picture)

    async def ask(self, camera: str) -> Picture:
        """The next picture. Raises SourceError when none comes."""
        if camera not in self._wake:
            raise SourceError("the camera gives no picture")
        waiting: asyncio.Future[Picture] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(camera, []).append(waiting)
        self._wake[camera]()
        try:
            async with asyncio.timeout(WAIT_S):
                return await waiting
        except TimeoutError as error:
            raise SourceError(f"no picture within {WAIT_S:.0f} s") from error
