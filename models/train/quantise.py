"""The float file in eight bits: `python -m models.train.quantise SHIPPED.onnx OUT.onnx --work W`.

Static, weights a channel, activations by what training photos show; never held-out ones. The
last convolution of each head and all behind it stay in float: a box needs more than 256 steps.
Whether it is worth it is for `models.train.evaluate` to say; see models/README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from models.train.prepare import Store

QUANTISED = ("Conv", "Relu", "Add", "Concat", "MaxPool", "Resize", "Split")
FORMATS = {"qdq": QuantFormat.QDQ, "operators": QuantFormat.QOperator}


class Photos(CalibrationDataReader):
    """Some of the training photos as the product feeds them, one at a time."""

    def __init__(self, work: Path, count: int) -> None:
        self.store = Store(work / "photos")
        whole = range(0, len(self.store), 3)  # of each photo's views the one of the whole
        self.left = list(whole[:: max(1, len(whole) // count)])[:count]

    def get_next(self) -> dict[str, np.ndarray] | None:
        if not self.left:
            return None
        picture = self.store.pictures[self.left.pop()].transpose(2, 0, 1)[None]
        return {"images": np.ascontiguousarray(picture, np.float32)}


def widen(model: onnx.ModelProto) -> onnx.ModelProto:
    """Undo `export.halve`: weights in float32 under their own names, no Cast before them."""
    weights = {w.name: w for w in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        weight = weights.get(node.input[0]) if node.op_type == "Cast" else None
        if weight is None or weight.data_type != TensorProto.FLOAT16:
            nodes.append(node)
            continue
        values = numpy_helper.to_array(weight).astype(np.float32)
        weight.CopyFrom(numpy_helper.from_array(values, node.output[0]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def in_float(model: onnx.ModelProto) -> list[str]:
    """Nodes that stay as they are: the heads' last convolutions and all that hangs on them."""
    made = {name: node for node in model.graph.node for name in node.output}
    kept: set[str] = set()
    waiting = [made[out.name] for out in model.graph.output]
    while waiting:
        node = waiting.pop()
        if node.name in kept:
            continue
        kept.add(node.name)
        if node.op_type != "Conv":
            waiting.extend(made[name] for name in node.input if name in made)
    return sorted(kept)


def quantise(source: Path, path: Path, photos: Photos, form: str) -> None:
    """Write the file in eight bits and print what the manifest must say of it."""
    model = widen(onnx.load(source))
    with tempfile.TemporaryDirectory() as folder:
        wide = Path(folder, "wide.onnx")
        onnx.save(model, wide)
        quantize_static(
            wide,
            path,
            photos,
            quant_format=FORMATS[form],
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            reduce_range=True,  # CPUs without VNNI add two products in 16 bits; 8-bit ones overflow
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=in_float(model),
        )
    data = path.read_bytes()
    print(f'sha256 = "{hashlib.sha256(data).hexdigest()}"\nsize_bytes = {len(data)}')


def main() -> None:
    parser = argparse.ArgumentParser(prog="models.train.quantise", description=__doc__)
    parser.add_argument("source", type=Path, help="a file that models.train.export wrote")
    parser.add_argument("onnx", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="where training left its views")
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--form", choices=FORMATS, default="qdq")
    args = parser.parse_args()
    quantise(args.source, args.onnx, Photos(args.work, args.photos), args.form)


if __name__ == "__main__":
    main()
