"""Finds people and vehicles in pictures. The one module that knows onnxruntime."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as native

from edge.domain.observation import Label
from edge.errors import Refused
from edge.vision.detect.formats import FORMATS
from edge.vision.detect.formats.base import Graph, Shape, Tensor
from edge.vision.detect.manifest import ModelSpec
from edge.vision.detect.recognition import conclude, shapes
from edge.vision.detect.suppression import suppress
from edge.vision.picture import Pixels

MAX_CANDIDATES = 300  # the best of each label that go into suppression
MAX_DETECTIONS = 100
NO_INPUT = (1, 1)  # the size of no detector's input
_SHRINKS = {"linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA}
_INPUTS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_EXTRAS: dict[str, Callable[[ModelSpec], npt.NDArray[Any]]] = {
    # What graphs that scale their own boxes ask for: asked so, they give pixels of the input.
    "scale_factor": lambda _spec: np.ones((1, 2), np.float32),
    "im_shape": lambda spec: np.array([[spec.height, spec.width]], np.float32),
    "orig_target_sizes": lambda spec: np.array([[spec.width, spec.height]], np.int64),
}
# A tensor stored outside the file is told by a key "location" in its protobuf; the file could
# name any path of this machine there.
_EXTERNAL = re.compile(rb"\x0a(?:\x08|\x88\x80*\x00)location")
_NATIVE = [kind for kind in vars(native).values() if isinstance(kind, type)]
_ORT_ERRORS: tuple[type[Exception], ...] = (
    *(kind for kind in _NATIVE if issubclass(kind, Exception)),
    UnicodeDecodeError,  # what it says quotes names of the file, which may be any bytes
)


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing found.

    Attributes:
        label: what it is.
        score: 0..1.
        box: x1, y1, x2, y2 in pixels of the picture given.
        sure: whether its score reaches the model's threshold and not only its floor.
        likely: it does, but in a crop where nothing moves; then it is not sure.
    """

    label: Label
    score: float
    box: tuple[float, float, float, float]
    sure: bool = True
    likely: bool = False


@dataclass(frozen=True, slots=True)
class _Placing:
    """How a picture was laid into the input: scale along x and y, and where it begins."""

    x: float
    y: float
    left: int = 0
    top: int = 0


class Detector:
    """A loaded model. `detect` may be called from one thread at a time."""

    def __init__(
        self,
        data: bytes,
        spec: ModelSpec | None,
        threads: int,
        where: str,
        classes: Mapping[Label, tuple[int, ...]] | None = None,
    ) -> None:
        """Check the graph and run it once on a grey picture.

        Args:
            data: the ONNX file; weights outside it are refused.
            spec: its manifest entry, or None to find the format by its shapes.
            threads: intra-op threads.
            where: the file's name for messages.
            classes: which classes are what, instead of what the graph tells.

        Raises:
            Refused: with the reason.
        """
        if _EXTERNAL.search(data):
            raise Refused(f"{where}: keeps weights in other files, which is not allowed")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4  # what is wrong is told by the exception
        try:
            self._session = ort.InferenceSession(
                data, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
            inputs, graph = self._session.get_inputs(), _describe(self._session)
        except _ORT_ERRORS as error:
            raise Refused(f"{where}: onnxruntime cannot load it ({_brief(error)})") from error
        self.spec = spec or conclude(graph, where, classes)
        if self.spec.decoder not in FORMATS:
            known = ", ".join(FORMATS)
            raise Refused(f"{where}: decoder {self.spec.decoder!r} is not known ({known})")
        self._format = FORMATS[self.spec.decoder]
        highest = max(index for wanted in self.spec.classes.values() for index in wanted)
        self._shape = Shape(self.spec.width, self.spec.height, highest + 1)
        self._input, self._extras = _checked_inputs(inputs, graph, self.spec, where)
        self._type = _INPUTS[self._input.type]
        self._outputs = graph.names
        self.session_s = 0.0  # spent in onnxruntime so far
        self._where = where
        free = not isinstance(self._input.shape[0], int)
        self.batches = free and not self._extras and not self._format.single
        grey = np.full((self.spec.height, self.spec.width, 3), 114, np.uint8)
        self.detect([grey])

    @property
    def input(self) -> tuple[int, int]:
        """Width and height that pictures are brought to."""
        return self.spec.width, self.spec.height

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        """Detections of each picture (uint8, height x width x 3, BGR), best first.

        Those between the model's floor and its threshold are told too, as not sure.

        Raises:
            Refused: the model fails or gives something else than its format says.
        """
        if not pictures:
            return []
        placed = [self._place(picture) for picture in pictures]
        groups = [placed] if self.batches else [[item] for item in placed]
        found: list[list[Detection]] = []
        for group in groups:
            boxes, scores = self._run(np.stack([tensor for tensor, _ in group]))
            for i, (_, placing) in enumerate(group):
                height, width = pictures[len(found)].shape[:2]
                found.append(self._select(boxes[i], scores[i], placing, width, height))
        return found

    def _run(self, batch: npt.NDArray[np.float32]) -> tuple[Any, Any]:
        try:
            fed = {self._input.name: batch.astype(self._type, copy=False), **self._extras}
            begun = time.perf_counter()
            raw = self._session.run(self._outputs, fed)
            self.session_s += time.perf_counter() - begun
        except _ORT_ERRORS as error:
            raise Refused(f"{self._where}: fails when run ({_brief(error)})") from error
        if not all(isinstance(item, np.ndarray) and item.dtype.kind in "fiu" for item in raw):
            raise Refused(f"{self._where}: gives outputs that are not tensors of numbers")
        named = {
            name: np.asarray(item, np.float32)
            for name, item in zip(self._outputs, raw, strict=True)
        }
        try:
            with np.errstate(invalid="ignore", over="ignore"):  # such rows go in _select
                boxes, scores = self._format.decode(named, self._shape)
        except Refused as error:
            raise Refused(f"{self._where}: {error}") from error
        if len(boxes) != len(batch) or scores.shape[-1] < self._shape.classes:
            raise Refused(f"{self._where}: gives {scores.shape} scores for {len(batch)} pictures")
        return boxes, scores

    def _place(self, picture: Pixels) -> tuple[npt.NDArray[np.float32], _Placing]:
        spec = self.spec
        height, width = picture.shape[:2]
        left = top = 0
        if spec.resize == "stretch":
            size = (spec.width, spec.height)
            canvas = np.asarray(cv2.resize(picture, size, interpolation=_SHRINKS[spec.shrink]))
        else:
            ratio = min(spec.width / width, spec.height / height)
            size = (
                min(spec.width, max(1, int(width * ratio))),
                min(spec.height, max(1, int(height * ratio))),
            )
            if spec.resize == "letterbox-centre":
                left, top = (spec.width - size[0]) // 2, (spec.height - size[1]) // 2
            canvas = np.full((spec.height, spec.width, 3), spec.pad, np.uint8)
            canvas[top : top + size[1], left : left + size[0]] = cv2.resize(
                picture, size, interpolation=_SHRINKS[spec.shrink]
            )
        if spec.colour == "rgb":
            canvas = canvas[..., ::-1]
        pixels: npt.NDArray[np.float32] = canvas.astype(np.float32)
        if any(spec.mean) or spec.std != (1.0, 1.0, 1.0):
            pixels -= np.asarray(spec.mean, np.float32)
            pixels /= np.asarray(spec.std, np.float32)
        tensor = np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)
        return tensor, _Placing(size[0] / width, size[1] / height, left, top)

    def _select(
        self,
        boxes: npt.NDArray[np.float32],
        scores: npt.NDArray[np.float32],
        placing: _Placing,
        width: int,
        height: int,
    ) -> list[Detection]:
        """Threshold, suppression a label, and back to the picture's pixels."""
        found: list[Detection] = []
        sane = np.isfinite(boxes).all(axis=-1) & np.isfinite(scores).all(axis=-1)
        for label, classes in self.spec.classes.items():
            best = np.where(sane, scores[:, list(classes)].max(axis=-1), 0.0)
            chosen = np.flatnonzero(best >= min(self.spec.floor, self.spec.threshold))
            chosen = chosen[np.argsort(-best[chosen], kind="stable")][:MAX_CANDIDATES]
            for i in suppress(boxes[chosen], best[chosen], self.spec.nms_iou):
                x1, y1, x2, y2 = (float(edge) for edge in boxes[chosen[i]])
                box = (
                    min(max((x1 - placing.left) / placing.x, 0.0), float(width)),
                    min(max((y1 - placing.top) / placing.y, 0.0), float(height)),
                    min(max((x2 - placing.left) / placing.x, 0.0), float(width)),
                    min(max((y2 - placing.top) / placing.y, 0.0), float(height)),
                )
                if box[2] > box[0] and box[3] > box[1]:
                    score = min(1.0, float(best[chosen[i]]))
                    sure = bool(best[chosen[i]] >= self.spec.threshold)
                    found.append(Detection(label, score, box, sure))
        found.sort(key=lambda item: -item.score)
        return found[:MAX_DETECTIONS]


def _brief(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error)).strip()[:160]


def _describe(session: ort.InferenceSession) -> Graph:
    def tensors(items: Sequence[Any]) -> tuple[Tensor, ...]:
        return tuple(
            Tensor(item.name, tuple(n if isinstance(n, int) else None for n in item.shape))
            for item in items
        )

    metadata = session.get_modelmeta().custom_metadata_map
    return Graph(tensors(session.get_inputs()), tensors(session.get_outputs()), metadata)


def _checked_inputs(
    inputs: Sequence[Any], graph: Graph, spec: ModelSpec, where: str
) -> tuple[Any, dict[str, npt.NDArray[Any]]]:
    """The picture's input, and what else is fed every time. Raises Refused."""
    pictures = [item for item in inputs if item.name not in _EXTRAS]
    if len(pictures) != 1 or pictures[0].type not in _INPUTS or len(pictures[0].shape) != 4:
        types = ", ".join(item.type for item in inputs)
        raise Refused(
            f"{where}: wants {shapes(graph)} ({types}); "
            f"one input (N, 3, height, width) of floats is needed"
        )
    shape = pictures[0].shape
    wanted = (3, spec.height, spec.width)
    for size, right in zip(shape[1:], wanted, strict=True):
        if isinstance(size, int) and size != right:
            raise Refused(f"{where}: its input is {shape}, not (N, {wanted})")
    if isinstance(shape[0], int) and shape[0] != 1:
        raise Refused(f"{where}: takes {shape[0]} pictures at once; 1 or any number is needed")
    others = [item.name for item in inputs if item.name in _EXTRAS]
    return pictures[0], {name: _EXTRAS[name](spec) for name in others}
