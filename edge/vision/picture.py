"""One picture of a camera, small enough to keep and to send."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.clock import Stamp

Pixels = npt.NDArray[np.uint8]

MAX_EDGE = 1280  # pixels of the longer side that leave a camera's process
BORDER = 0.12  # top and bottom strips where cameras write the time; they are not measured


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A frame and the moment it was received.

    Attributes:
        frame: uint8, height x width x 3, blue-green-red.
        stamp: when it reached us; a camera's own clock is not believed.
    """

    frame: Pixels
    stamp: Stamp


def fitted(width: int, height: int, limit: int = MAX_EDGE) -> tuple[int, int]:
    """The size (width, height) with the same shape whose longer side is at most `limit`."""
    scale = min(1.0, limit / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def inner(picture: Pixels, border_share: float = BORDER) -> Pixels:
    """A picture without the strips where cameras write the time (a view)."""
    height = picture.shape[0]
    border = int(height * border_share)
    return picture[border : height - border]
