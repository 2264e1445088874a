"""Detector files read for comparison by the product's own loader: pictures in, rows a class out.

A foreign file is only ever measured; nothing of it goes into ours.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.domain.observation import Label
from edge.vision.detect.detector import Detector
from edge.vision.detect.manifest import find, manifest_directory, read_manifest

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]
FLOOR = 0.01  # detections below this score are dropped
CLASSES = (Label.PERSON, Label.VEHICLE)


class Reader:
    """One detector file on one thread. Calling it gives [D,5] x1,y1,x2,y2,score per class."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        ours = path.name.startswith("eseal")  # fed as the manifest says, trained anew or not
        found = find("", read_manifest(manifest_directory())) if ours else None
        found = found or Detector(data, None, 1, str(path)).spec
        wanted = found.model_copy(update={"floor": FLOOR})
        self.detector = Detector(data, wanted, 1, str(path))

    def __call__(self, picture: Picture) -> list[Array]:
        things = self.detector.detect([picture])[0]
        return [
            np.array(
                [(*thing.box, thing.score) for thing in things if thing.label is label], np.float32
            ).reshape(-1, 5)
            for label in CLASSES
        ]
