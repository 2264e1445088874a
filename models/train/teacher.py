"""The teacher's soft opinion per grid cell: YOLOX-nano run by onnxruntime, weights untouched.

The graph is cut before its levels are flattened, so that it takes any size that 32 divides and
its cells are exactly the student's. Only its answers on our pictures are used.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

STRIDES = (8, 16, 32)
PERSON, VEHICLES = 0, (2, 3, 5, 7)  # COCO: car, motorcycle, bus, truck


class Teacher:
    """Scores [N,A,2] and boxes [N,A,4] for BGR pictures of any size that 32 divides."""

    def __init__(self, model: Path, path: Path) -> None:
        graph = onnx.load(model)
        self.levels = _levels(graph)
        for value in graph.graph.input:
            for position, name in ((0, "n"), (2, "h"), (3, "w")):
                value.type.tensor_type.shape.dim[position].dim_param = name
        del graph.graph.value_info[:]
        entry = graph.graph.input[0].name
        cut = _cut(graph, self.levels)
        onnx.save(cut, path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options)
        self.entry = entry

    def __call__(
        self,
        pictures: NDArray[np.uint8],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        tensor = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32)
        scores, boxes = [], []
        raw = self.session.run(self.levels, {self.entry: tensor})
        for stride, level in zip(STRIDES, raw, strict=True):
            n, _, h, w = level.shape
            flat = level.reshape(n, -1, h * w).transpose(0, 2, 1)
            ys, xs = np.mgrid[:h, :w].reshape(2, -1)
            middle = (flat[..., :2] + np.stack((xs, ys), -1)) * stride
            half = np.exp(flat[..., 2:4].clip(-6, 6)) * (stride / 2)
            boxes.append(np.concatenate((middle - half, middle + half), -1))
            person = flat[..., 5 + PERSON]
            vehicle = flat[..., [5 + v for v in VEHICLES]].max(-1)
            scores.append(np.stack((person, vehicle), -1) * flat[..., 4:5])
        return (
            np.concatenate(scores, 1).astype(np.float32),
            np.concatenate(boxes, 1).astype(np.float32),
        )


def _levels(graph: onnx.ModelProto) -> list[str]:
    """Names of the three maps that the first reshapes flatten, finest first."""
    return [n.input[0] for n in graph.graph.node if n.op_type == "Reshape"][:3]


def _cut(graph: onnx.ModelProto, names: list[str]) -> onnx.ModelProto:
    """Keep what leads to `names` and make them the outputs."""
    flatten = next(i for i, n in enumerate(graph.graph.node) if n.op_type == "Reshape")
    del graph.graph.node[flatten:]
    del graph.graph.output[:]
    for name in names:
        graph.graph.output.append(onnx.helper.make_tensor_value_info(name, 1, None))
    return graph
