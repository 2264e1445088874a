"""Detector formats: what a foreign graph's outputs mean, and by what a graph is known.

Pure. A new format is one `Format` (a decoder and a sign) and its line in `FORMATS`.
"""

from __future__ import annotations

from edge.vision.detect.formats.base import Format, Graph, Guess
from edge.vision.detect.formats.dense import GRID, YOLOV5, YOLOV8, YOLOX
from edge.vision.detect.formats.ranked import DETR, DETR_SOFTMAX, END_TO_END, LISTED, PICODET, SSD
from edge.vision.detect.formats.stacked import FASTESTDET, NANODET

FORMATS: dict[str, Format] = {
    item.name: item
    for item in (
        GRID,
        NANODET,
        PICODET,
        FASTESTDET,
        YOLOX,
        YOLOV5,
        YOLOV8,
        END_TO_END,  # after those whose columns are six when they know one class
        DETR,
        DETR_SOFTMAX,
        LISTED,
        SSD,
    )
}
"""Every known format by the name that a manifest uses; recognised in this order."""


def recognise(graph: Graph, width: int, height: int) -> tuple[Format, Guess] | None:
    """The format of a graph whose input is `width` x `height` pixels; None when unknown."""
    for item in FORMATS.values():
        guess = item.recognise(graph, width, height)
        if guess is not None:
            return item, guess
    return None
