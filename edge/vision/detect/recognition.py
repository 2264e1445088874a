"""From what a foreign file says of itself to what it wants to be fed. Pure."""

from __future__ import annotations

import ast

from edge.domain.observation import Label
from edge.errors import Refused
from edge.vision.detect.formats import FORMATS, recognise
from edge.vision.detect.formats.base import Graph
from edge.vision.detect.formats.classes import Classes
from edge.vision.detect.manifest import ModelSpec

_FOREIGN = "foreign"
_SIDES = (32, 2048)  # pixels of an input
_USUAL_SIDE = 416  # where the file leaves it free: what a gateway's processor can bear


def conclude(graph: Graph, where: str, classes: Classes | None = None) -> ModelSpec:
    """The manifest entry that a file without one would have.

    Args:
        graph: of the file.
        where: its name for messages.
        classes: which classes are what, instead of what the graph tells.

    Raises:
        Refused: it is of no known format, or does not tell what its classes are.
    """
    width, height = _size(graph, where)
    found = recognise(graph, width, height)
    if found is None:
        known = "; ".join(f"{item.name}: {item.told_by}" for item in FORMATS.values())
        raise Refused(f"{where}: no known format ({shapes(graph)}); known are {known}")
    form, guess = found
    classes = classes or guess.classes
    if classes is None:
        raise Refused(
            f"{where}: is of format {form.name}, but does not tell which of its classes are "
            f"{' and '.join(Label)}; say so with --class"
        )
    return ModelSpec(
        name=_FOREIGN,
        file="foreign.onnx",
        sha256="0" * 64,
        decoder=form.name,
        width=width,
        height=height,
        colour=guess.colour,
        resize=guess.resize,
        shrink=guess.shrink,
        pad=guess.pad,
        mean=guess.mean,
        std=guess.std,
        classes=dict(classes),
    )


def shapes(graph: Graph) -> str:
    """Inputs and outputs in words, bounded."""
    inputs = [f"{item.name}{list(item.shape)}" for item in graph.inputs]
    outputs = [f"{item.name}{list(item.shape)}" for item in graph.outputs]
    return f"inputs {', '.join(inputs)}; outputs {', '.join(outputs)}"[:600]


def _size(graph: Graph, where: str) -> tuple[int, int]:
    """Width and height of the picture that it takes."""
    pictures = [item.shape for item in graph.inputs if len(item.shape) == 4]
    if len(pictures) != 1:
        raise Refused(
            f"{where}: no known format ({shapes(graph)}); one picture is fed, (N, 3, H, W)"
        )
    height, width = pictures[0][2:]
    told = _told_size(graph)
    height, width = height or told[0], width or told[1]
    low, high = _SIDES
    if not (low <= height <= high and low <= width <= high):
        raise Refused(f"{where}: no known format: a picture of {width}x{height} pixels is wanted")
    return width, height


def _told_size(graph: Graph) -> tuple[int, int]:
    """Height and width that an exporter left in the graph (`imgsz`), else the usual ones."""
    try:
        height, width = ast.literal_eval(graph.metadata.get("imgsz", "")[:40])
        return int(height), int(width)
    except (ValueError, SyntaxError, TypeError):
        return _USUAL_SIDE, _USUAL_SIDE
