"""What was concluded of a foreign model, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from edge.domain.observation import Label
from edge.errors import ConfigError, Fault
from edge.vision.detect.detector import Detector
from edge.vision.detect.formats import FORMATS
from edge.vision.detect.formats.classes import Classes
from edge.vision.detect.photo import read_photo

_RESIZED = {
    "stretch": "stretched",
    "letterbox": "letterboxed, top left",
    "letterbox-centre": "letterboxed, in the middle",
}


def labelled(pairs: Sequence[str]) -> Classes | None:
    """Classes as a command line tells them (`person=0`, `vehicle=2,3`). Raises ConfigError."""
    classes: dict[Label, tuple[int, ...]] = {}
    for pair in pairs:
        label, _, numbers = pair.partition("=")
        try:
            classes[Label(label)] = tuple(int(number) for number in numbers.split(","))
        except ValueError:
            remedy = f"write one of {', '.join(Label)}, = and class numbers: vehicle=2,3"
            raise ConfigError([Fault("--class", f"is {pair!r}", remedy)]) from None
    return classes or None


def explain(detector: Detector, picture: Path | None) -> Iterator[str]:
    """Lines for people: format and sign, input, classes, and what one picture gave.

    Raises:
        ConfigError: the picture cannot be read.
        Refused: the model fails on it.
    """
    spec = detector.spec
    yield f"格式 · format: {spec.decoder}, by {FORMATS[spec.decoder].told_by}"
    how = f"{spec.colour.upper()}, {_RESIZED[spec.resize]}, mean {spec.mean}, divided by {spec.std}"
    yield f"输入 · input: {spec.width}x{spec.height} {how}"
    classes = "; ".join(f"{label}: {list(numbers)}" for label, numbers in spec.classes.items())
    yield f"类别 · classes: {classes}"
    together = "several pictures at once" if detector.batches else "one picture at a time"
    yield f"批量 · batch: {together}"
    if picture is None:
        frame = np.full((spec.height, spec.width, 3), 114, np.uint8)
        shown = "a grey picture"
    else:
        try:
            frame = read_photo(picture)
        except ValueError as error:
            raise ConfigError([Fault("--picture", f"{picture} {error}", "give another")]) from None
        shown = str(picture)
    detector.session_s = 0.0
    found = detector.detect([frame])[0]
    yield f"试运行 · trial on {shown}: {detector.session_s * 1000:.1f} ms, {len(found)} found"
    for thing in found[:20]:
        box = ", ".join(f"{edge:.0f}" for edge in thing.box)
        yield f"  {thing.label} {thing.score:.2f} ({box})"
