"""A detector we did not make, decoded on its own: YOLOX-nano on COCO."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime

_SIZE = 416
_CLASSES = {0: "person", 2: "vehicle", 3: "vehicle", 5: "vehicle", 7: "vehicle"}


class YoloxNano:
    """detect(BGR picture) -> [(label, score, (x1, y1, x2, y2))] in picture pixels."""

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        grids, strides = [], []
        for stride in (8, 16, 32):
            side = _SIZE // stride
            ys, xs = np.mgrid[:side, :side]
            grids.append(np.stack([xs, ys], -1).reshape(-1, 2))
            strides.append(np.full((side * side, 1), stride))
        self._grid, self._stride = np.concatenate(grids), np.concatenate(strides)

    def detect(self, picture, score=0.35):
        scale = min(_SIZE / picture.shape[1], _SIZE / picture.shape[0])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        padded = np.full((_SIZE, _SIZE, 3), 114, np.uint8)
        padded[: small.shape[0], : small.shape[1]] = small
        blob = padded.transpose(2, 0, 1)[None].astype(np.float32)
        name = self._session.get_inputs()[0].name
        out = self._session.run(None, {name: blob})[0][0]
        centre = (out[:, :2] + self._grid) * self._stride
        wide = np.exp(out[:, 2:4]) * self._stride
        boxes = np.concatenate([centre - wide / 2, centre + wide / 2], 1) / scale
        scores = out[:, 4:5] * out[:, 5:]
        found = []
        for label in ("person", "vehicle"):
            columns = [number for number, text in _CLASSES.items() if text == label]
            best = scores[:, columns].max(axis=1)
            keep = np.flatnonzero(best >= score)
            rows = [(boxes[i, 0], boxes[i, 1], *(boxes[i, 2:] - boxes[i, :2])) for i in keep]
            chosen = cv2.dnn.NMSBoxes(rows, best[keep].tolist(), score, 0.55) if rows else ()
            found += [(label, float(best[keep[i]]), tuple(boxes[keep[i]].tolist())) for i in chosen]
        return found


def overlap(one, other) -> float:
    """Intersection over union."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return float(wide * high / (sum(areas) - wide * high))
