"""A checkpoint's averaged weights to ONNX, checked against torch: `python -m models.train.export`.

The file takes BGR pictures as they come (0 to 255, any multiple of 32 a side); mean, scale and
sigmoid are inside, batch norm is folded. Weights are kept in half precision and widened when the
file is loaded: half the size, the same speed, scores equal within a thousandth.
"""

from __future__ import annotations

import argparse
import hashlib
import io
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models.train import views
from models.train.net import Detector

OPSET = 17
HALVED_ABOVE = 256  # elements; biases and constants stay as they are


class Shipped(nn.Module):
    """What the product runs: scores after the sigmoid, boxes in input pixels."""

    def __init__(self, net: Detector) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        logits, boxes = self.net(images)
        return logits.sigmoid(), boxes


def averaged(checkpoint: Path) -> Detector:
    """Read the network with the averaged weights of a checkpoint, ready to answer."""
    net = Detector()
    net.load_state_dict(torch.load(checkpoint, weights_only=True)["average"])
    return net.eval()


def to_onnx(net: Detector) -> onnx.ModelProto:
    axes = {
        "images": {0: "n", 2: "height", 3: "width"},
        "scores": {0: "n", 1: "cells"},
        "boxes": {0: "n", 1: "cells"},
    }
    buffer = io.BytesIO()
    torch.onnx.export(
        Shipped(net).eval(),  # or the exporter would put it back into training mode
        (torch.zeros(1, 3, views.HEIGHT, views.WIDTH),),
        buffer,
        input_names=["images"],
        output_names=["scores", "boxes"],
        dynamic_axes=axes,
        opset_version=OPSET,
        dynamo=False,
    )
    return onnx.load_from_string(buffer.getvalue())


def halve(model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep large weights as float16, each with a Cast that onnxruntime folds at load."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size > HALVED_ABOVE:
            name = weight.name
            small = numpy_helper.from_array(values.astype(np.float16), f"{name}.half")
            weight.CopyFrom(small)
            casts.append(helper.make_node("Cast", [small.name], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    return model


def disagreement(net: Detector, path: Path) -> tuple[float, float]:
    """Largest difference of scores, and of boxes in pixels where something is seen."""
    rng = np.random.default_rng(1)
    pictures = rng.uniform(0, 255, (2, 3, views.HEIGHT, views.WIDTH)).astype(np.float32)
    pictures[1] = np.linspace(0, 255, views.WIDTH, dtype=np.float32)
    with torch.no_grad():
        scores, boxes = (t.numpy() for t in Shipped(net)(torch.from_numpy(pictures)))
    session = onnxruntime.InferenceSession(path)
    got_scores, got_boxes = session.run(["scores", "boxes"], {"images": pictures})
    return float(np.abs(scores - got_scores).max()), float(np.abs(boxes - got_boxes).max())


def export(checkpoint: Path, path: Path) -> None:
    """Write the ONNX file and print what the manifest must say of it.

    Raises:
        ValueError: torch and onnxruntime do not agree on it.
    """
    net = averaged(checkpoint)
    model = halve(to_onnx(net))
    model.producer_name, model.producer_version, model.doc_string = "eseal", "", ""
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    by_score, by_box = disagreement(net, path)
    if by_score > 0.01 or by_box > 1.0:
        raise ValueError(f"torch and onnxruntime differ by {by_score:.4f}, {by_box:.2f} px")
    data = path.read_bytes()
    print(f"scores differ by {by_score:.5f}, boxes by {by_box:.3f} px")
    print(f'sha256 = "{hashlib.sha256(data).hexdigest()}"\nsize_bytes = {len(data)}')


def main() -> None:
    parser = argparse.ArgumentParser(prog="models.train.export", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("onnx", type=Path)
    args = parser.parse_args()
    export(args.checkpoint, args.onnx)


if __name__ == "__main__":
    main()
