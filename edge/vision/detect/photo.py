"""A picture file, of whatever origin."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edge.vision.picture import Pixels

MAX_FILE_BYTES = 50_000_000
MAX_PIXELS = 50_000_000


def read_photo(path: Path) -> Pixels:
    """Height x width x 3, blue-green-red. Raises ValueError that says what is wrong."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError("larger than 50 MB; give a smaller picture")
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from error
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:  # it says to be larger than OpenCV may make it
        raise ValueError("claims too many pixels; give a smaller picture") from error
    if picture is None:
        raise ValueError("is not a picture that can be decoded; give a JPEG or PNG")
    if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
        raise ValueError("has more than 50 million pixels; give a smaller picture")
    return np.asarray(picture, np.uint8)
