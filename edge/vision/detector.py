"""Finds people and vehicles in pictures. The one module that knows onnxruntime."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as native

from edge.domain.observation import Label
from edge.errors import ConfigError, Fault, Refused
from edge.vision.decoders import DECODERS, suppress, yolox_rows
from edge.vision.manifest import ModelSpec, find, manifest_directory, read_manifest
from edge.vision.picture import Pixels

MAX_MODEL_BYTES = 200_000_000
MAX_CANDIDATES = 300  # the best of each label that go into suppression
MAX_DETECTIONS = 100
_FOREIGN = "foreign"
_COCO = {Label.PERSON: (0,), Label.VEHICLE: (2, 3, 5, 7)}  # car, motorcycle, bus, truck
# A tensor stored outside the file is told by a key "location" in its protobuf; the file could
# name any path of this machine there.
_EXTERNAL = re.compile(rb"\x0a(?:\x08|\x88\x80*\x00)location")
_ORT_ERRORS = tuple(
    kind for kind in vars(native).values() if isinstance(kind, type) and issubclass(kind, Exception)
)


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing found.

    Attributes:
        label: what it is.
        score: 0..1.
        box: x1, y1, x2, y2 in pixels of the picture given.
        sure: whether its score reaches the model's threshold and not only its floor.
    """

    label: Label
    score: float
    box: tuple[float, float, float, float]
    sure: bool = True


@dataclass(frozen=True, slots=True)
class _Placing:
    """How a picture was laid into the input: scale along x and y."""

    x: float
    y: float


def load_detector(model: str, threads: int) -> Detector:
    """Load a detector.

    Args:
        model: a name in the manifest, a path to an .onnx file, or empty for the default.
        threads: how many threads one inference may use.

    Raises:
        ConfigError: there is no such model or file, or it is not the one the manifest names.
        Refused: the file is not a detector of a known format; says why.
    """
    if model.endswith(".onnx") or "/" in model:
        path = Path(model)
        data = _read(path)
        return Detector(data, None, threads, str(path))
    directory = manifest_directory()
    spec = find(model, read_manifest(directory))
    path = directory / spec.file
    if spec.url and not path.exists():
        raise _config_error(f"{path} is not here; fetch it from {spec.url}")
    data = _read(path)
    digest = hashlib.sha256(data).hexdigest()
    if digest != spec.sha256:
        raise _config_error(f"{path} has SHA-256 {digest[:16]}…, not that of the manifest")
    return Detector(data, spec, threads, str(path))


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise Refused(f"{path}: larger than {MAX_MODEL_BYTES // 1_000_000} MB; not a detector")
        return path.read_bytes()
    except OSError as error:
        raise _config_error(f"{path} cannot be read ({error.strerror})") from error


def _config_error(problem: str) -> ConfigError:
    return ConfigError([Fault("detector.model", problem, "name a model that is installed")])


class Detector:
    """A loaded model. `detect` may be called from one thread at a time."""

    def __init__(self, data: bytes, spec: ModelSpec | None, threads: int, where: str) -> None:
        """Check the graph and run it once on a grey picture.

        Args:
            data: the ONNX file; weights outside it are refused.
            spec: its manifest entry, or None to find the format by its shapes.
            threads: intra-op threads.
            where: the file's name for messages.

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
            self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except _ORT_ERRORS as error:
            raise Refused(f"{where}: onnxruntime cannot load it ({_brief(error)})") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self.spec = spec or _recognise(inputs, outputs, where)
        self._decode = DECODERS.get(self.spec.decoder)
        if self._decode is None:
            known = ", ".join(DECODERS)
            raise Refused(f"{where}: decoder {self.spec.decoder!r} is not known ({known})")
        self._input = _checked_input(inputs, self.spec, where)
        self._outputs = [output.name for output in outputs]
        self._where = where
        self.batches = not isinstance(inputs[0].shape[0], int)
        grey = np.full((self.spec.height, self.spec.width, 3), 114, np.uint8)
        self.detect([grey])

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
            raw = self._session.run(self._outputs, {self._input: batch})
        except _ORT_ERRORS as error:
            raise Refused(f"{self._where}: fails when run ({_brief(error)})") from error
        if not all(isinstance(item, np.ndarray) and item.dtype == np.float32 for item in raw):
            raise Refused(f"{self._where}: gives outputs that are not float32 tensors")
        named = dict(zip(self._outputs, raw, strict=True))
        assert self._decode is not None
        try:
            with np.errstate(invalid="ignore", over="ignore"):  # such rows go in _select
                boxes, scores = self._decode(named, self.spec.width, self.spec.height)
        except Refused as error:
            raise Refused(f"{self._where}: {error}") from error
        highest = max(index for wanted in self.spec.classes.values() for index in wanted)
        if len(boxes) != len(batch) or scores.shape[-1] <= highest:
            raise Refused(f"{self._where}: gives {scores.shape} scores for {len(batch)} pictures")
        return boxes, scores

    def _place(self, picture: Pixels) -> tuple[npt.NDArray[np.float32], _Placing]:
        spec = self.spec
        height, width = picture.shape[:2]
        if spec.resize == "stretch":
            size = (spec.width, spec.height)
            canvas = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))
        else:
            ratio = min(spec.width / width, spec.height / height)
            size = (
                min(spec.width, max(1, int(width * ratio))),
                min(spec.height, max(1, int(height * ratio))),
            )
            canvas = np.full((spec.height, spec.width, 3), spec.pad, np.uint8)
            canvas[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        if spec.colour == "rgb":
            canvas = canvas[..., ::-1]
        pixels: npt.NDArray[np.float32] = canvas.astype(np.float32)
        if any(spec.mean) or spec.std != (1.0, 1.0, 1.0):
            pixels -= np.asarray(spec.mean, np.float32)
            pixels /= np.asarray(spec.std, np.float32)
        tensor = np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)
        if spec.resize == "stretch":
            return tensor, _Placing(size[0] / width, size[1] / height)
        return tensor, _Placing(ratio, ratio)

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
                    min(max(x1 / placing.x, 0.0), float(width)),
                    min(max(y1 / placing.y, 0.0), float(height)),
                    min(max(x2 / placing.x, 0.0), float(width)),
                    min(max(y2 / placing.y, 0.0), float(height)),
                )
                if box[2] > box[0] and box[3] > box[1]:
                    score = min(1.0, float(best[chosen[i]]))
                    sure = bool(best[chosen[i]] >= self.spec.threshold)
                    found.append(Detection(label, score, box, sure))
        found.sort(key=lambda item: -item.score)
        return found[:MAX_DETECTIONS]


def _brief(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error)).strip()[:160]


def _checked_input(inputs: Sequence[Any], spec: ModelSpec, where: str) -> str:
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
        told = [(item.type, item.shape) for item in inputs]
        raise Refused(f"{where}: wants {told}; one float32 input (N, 3, height, width) is needed")
    wanted = (3, spec.height, spec.width)
    for size, right in zip(inputs[0].shape[1:], wanted, strict=True):
        if isinstance(size, int) and size != right:
            raise Refused(f"{where}: its input is {inputs[0].shape}, not (N, {wanted})")
    first = inputs[0].shape[0]
    if isinstance(first, int) and first != 1:
        raise Refused(f"{where}: takes {first} pictures at once; 1 or any number is needed")
    return str(inputs[0].name)


def _recognise(inputs: Sequence[Any], outputs: Sequence[Any], where: str) -> ModelSpec:
    """Find a foreign file's format by its shapes."""
    shapes = f"inputs {[i.shape for i in inputs]}, outputs {[o.shape for o in outputs]}"
    unknown = Refused(
        f"{where}: no known format ({shapes}); known are YOLOX's raw head, one input "
        f"(N, 3, H, W) to one output (N, H*W/64 + H*W/256 + H*W/1024, 85), and our own, "
        f"outputs boxes (N, A, 4) and scores (N, A, 2)"
    )
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        raise unknown
    height, width = inputs[0].shape[2:]
    if not (isinstance(height, int) and isinstance(width, int)):
        raise unknown
    if not (32 <= height <= 2048 and 32 <= width <= 2048):
        raise unknown
    common = {"name": _FOREIGN, "file": "foreign.onnx", "sha256": "0" * 64}
    last = {output.name: output.shape[1:] for output in outputs}
    if list(last.values()) == [[yolox_rows(width, height), 85]]:
        return ModelSpec(**common, decoder="yolox", width=width, height=height, classes=_COCO)
    if set(last) == {"boxes", "scores"} and last["scores"][1:] == [2]:
        classes = {Label.PERSON: (0,), Label.VEHICLE: (1,)}
        return ModelSpec(
            **common,
            decoder="grid",
            width=width,
            height=height,
            resize="stretch",
            classes=classes,
        )
    raise unknown
