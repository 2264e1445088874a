"""What a detector's file says of itself, and what a format makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.domain.observation import Label
from edge.errors import Refused

Floats = npt.NDArray[np.float32]
Outputs = Mapping[str, Floats]
Decoded = tuple[Floats, Floats]
Triple = tuple[float, float, float]
Resize = Literal["stretch", "letterbox", "letterbox-centre"]
Shrink = Literal["linear", "area"]

IMAGENET_MEAN: Triple = (123.675, 116.28, 103.53)  # red, green, blue; of 0..255
IMAGENET_STD: Triple = (58.395, 57.12, 57.375)
TO_ONE: Triple = (255.0, 255.0, 255.0)


class Shape(NamedTuple):
    """What a decoder is told besides the outputs.

    Attributes:
        width: pixels of the input.
        height: pixels of the input.
        classes: how many columns of scores are wanted at least: the highest class + 1.
    """

    width: int
    height: int
    classes: int


Decoder = Callable[[Outputs, Shape], Decoded]
"""Boxes (N, A, 4: x1, y1, x2, y2 in input pixels) and class scores (N, A, C: 0..1) of N pictures.

Raises Refused when the outputs are not what the format says.
"""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of a graph; a size of None is free."""

    name: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A model as its file describes it."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: Mapping[str, str]

    @property
    def shapes(self) -> list[tuple[int | None, ...]]:
        """Of the outputs."""
        return [output.shape for output in self.outputs]

    @property
    def names(self) -> list[str]:
        """Of the outputs."""
        return [output.name for output in self.outputs]


@dataclass(frozen=True, slots=True)
class Guess:
    """What a graph seems to want; the fields are those of a manifest entry.

    `classes` is None when the graph does not tell what it was trained on.
    """

    classes: Mapping[Label, tuple[int, ...]] | None
    colour: Literal["bgr", "rgb"] = "rgb"
    resize: Resize = "letterbox-centre"
    shrink: Shrink = "linear"
    pad: int = 114
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = TO_ONE


@dataclass(frozen=True, slots=True)
class Format:
    """One detector format.

    Attributes:
        name: what a manifest calls it.
        told_by: the sign by which a graph is taken for it, for people.
        decode: outputs to boxes and scores.
        recognise: what a graph of this format wants, given its input's width and height;
            None when it is not of this format.
        single: gives one picture's rows without a dimension for the batch.
    """

    name: str
    told_by: str
    decode: Decoder
    recognise: Callable[[Graph, int, int], Guess | None]
    single: bool = False


def only(outputs: Outputs, dimensions: int, what: str) -> Floats:
    """The only output. Raises Refused when there are more or it has other dimensions."""
    if len(outputs) != 1:
        raise Refused(f"detector gives {len(outputs)} outputs, not {what}")
    (rows,) = outputs.values()
    if rows.ndim != dimensions:
        raise Refused(f"detector gives {rows.shape}, not {what}")
    return rows


def named(outputs: Outputs, *names: str) -> list[Floats]:
    """Outputs by name. Raises Refused when one is missing."""
    missing = [name for name in names if name not in outputs]
    if missing:
        raise Refused(f"detector gives no output called {', '.join(missing)}")
    return [outputs[name] for name in names]


def corners(centred: Floats) -> Floats:
    """Boxes (…, 4) from centre x, y, width, height to x1, y1, x2, y2."""
    middle, half = centred[..., :2], centred[..., 2:4] / 2
    return np.concatenate([middle - half, middle + half], axis=-1)


def by_class(labels: Floats, scores: Floats, classes: int) -> Floats:
    """Scores (…, K) of one class each as a column a class (…, K, classes).

    A label that is no whole number from 0 to `classes` - 1 gets no score at all.
    """
    columns = np.arange(classes, dtype=np.float32)
    return np.where(labels[..., None] == columns, scores[..., None], np.float32(0))


def sigmoid(logits: Floats) -> Floats:
    """1 / (1 + e^-x), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), np.float32)


def softmax(logits: Floats) -> Floats:
    """Over the last dimension."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)
