"""Evidence pictures: a clean JPEG and one with what was seen drawn into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import cv2
import numpy as np

from edge.domain.observation import Label, SeenObject, Sighting
from edge.vision.picture import Picture, Pixels, fitted

MAX_BYTES = 400_000  # of one JPEG; the uplink sends snapshots over thin lines
_QUALITIES = (85, 70, 55, 40)
_COLOURS = {Label.PERSON: (0, 0, 255), Label.VEHICLE: (255, 160, 0)}  # blue, green, red


class Workbench(Protocol):
    """Runs short CPU work such as `encode` off the event loop (the inference thread)."""

    async def run(self, work: Callable[..., Any], *args: Any) -> Any: ...


def encode(picture: Picture, sighting: Sighting | None) -> tuple[bytes, bytes]:
    """Two JPEGs of `picture`: clean, and with the boxes of `sighting` drawn.

    Both are at most 1280 pixels on the longer side and at most `MAX_BYTES` long.
    """
    height, width = picture.frame.shape[:2]
    size = fitted(width, height)
    frame = picture.frame
    if size != (width, height):
        frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    clean = _jpeg(frame)
    drawn = frame.copy()
    for seen in sighting.objects if sighting else ():
        _draw(drawn, seen)
    _caption(drawn, picture.stamp.iso())
    return clean, _jpeg(drawn)


def _draw(frame: Pixels, seen: SeenObject) -> None:
    height, width = frame.shape[:2]
    x1, y1, x2, y2 = seen.box
    left_top = (round(x1 * width), round(y1 * height))
    right_bottom = (round(x2 * width), round(y2 * height))
    colour = _COLOURS[seen.label]
    cv2.rectangle(frame, left_top, right_bottom, colour, 2)
    text = f"{seen.label} {seen.score:.2f} #{seen.track}"
    _text(frame, text, (left_top[0], max(14, left_top[1] - 5)), colour)


def _caption(frame: Pixels, text: str) -> None:
    _text(frame, text, (6, frame.shape[0] - 8), (255, 255, 255))


def _text(frame: Pixels, text: str, origin: tuple[int, int], colour: tuple[int, int, int]) -> None:
    for ink, thickness in (((0, 0, 0), 3), (colour, 1)):
        cv2.putText(frame, text, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, thickness)


def _jpeg(frame: Pixels) -> bytes:
    """Encode within `MAX_BYTES`: first coarser, then smaller (pure noise needs both)."""
    while True:
        for quality in _QUALITIES:
            done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if done and data.nbytes <= MAX_BYTES:
                return data.tobytes()
        size = (max(1, frame.shape[1] // 2), max(1, frame.shape[0] // 2))
        frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
