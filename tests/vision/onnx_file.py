"""Writes small ONNX files by hand, so that the loader meets models that no tool would make."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np

FLOAT, INT64, FLOAT16 = 1, 7, 10


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def block(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def tensor_info(name: str, shape: Sequence[int | str], kind: int = FLOAT) -> bytes:
    dims = b"".join(
        block(1, number(1, size) if isinstance(size, int) else block(2, size)) for size in shape
    )
    return block(1, name) + block(2, block(1, number(1, kind) + block(2, dims)))


def tensor(name: str, shape: Sequence[int], values: Sequence[float], extra: bytes = b"") -> bytes:
    dims = b"".join(number(1, size) for size in shape)
    data = struct.pack(f"<{len(values)}f", *values)
    raw = block(9, data) if values else b""
    return dims + number(2, FLOAT) + block(8, name) + raw + extra


def node(operator: str, inputs: Sequence[str], outputs: Sequence[str], *more: bytes) -> bytes:
    return (
        b"".join(block(1, name) for name in inputs)
        + b"".join(block(2, name) for name in outputs)
        + block(4, operator)
        + b"".join(more)
    )


def model(
    nodes: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    constants: Sequence[bytes] = (),
) -> bytes:
    graph = (
        b"".join(block(1, item) for item in nodes)
        + block(2, "made by hand")
        + b"".join(block(5, item) for item in constants)
        + b"".join(block(11, item) for item in inputs)
        + b"".join(block(12, item) for item in outputs)
    )
    return number(1, 8) + block(7, graph) + block(8, block(1, "") + number(2, 13))


def grid_model(
    rows: Sequence[tuple[Sequence[float], Sequence[float]]],
    *,
    size: tuple[int, int] = (64, 64),
    batch: int | str = 1,
) -> bytes:
    """A model in our own format that always finds `rows` (box, scores), whatever it is shown.

    The picture's first channel is summed and multiplied by zero, so that the graph is real.
    """
    count = len(rows)
    boxes = [edge for box, _ in rows for edge in box]
    scores = [score for _, row in rows for score in row]
    width, height = size
    return model(
        [
            node("ReduceMean", ["images"], ["mean"], _ints("axes", [1, 2, 3]), _int("keepdims", 1)),
            node("Mul", ["mean", "zero"], ["nothing4"]),
            node("Squeeze", ["nothing4", "last"], ["nothing"]),
            node("Add", ["nothing", "all_boxes"], ["boxes"]),
            node("Add", ["nothing", "all_scores"], ["scores"]),
        ],
        [tensor_info("images", [batch, 3, height, width])],
        [
            tensor_info("boxes", [batch, count, 4]),
            tensor_info("scores", [batch, count, 2]),
        ],
        [
            tensor("zero", [1], [0.0]),
            number(1, 1) + number(2, INT64) + block(8, "last") + block(9, struct.pack("<q", 3)),
            tensor("all_boxes", [1, count, 4], boxes),
            tensor("all_scores", [1, count, 2], scores),
        ],
    )


def _ints(name: str, values: Sequence[int]) -> bytes:
    return block(5, block(1, name) + b"".join(number(8, value) for value in values) + number(20, 7))


def _int(name: str, value: int) -> bytes:
    return block(5, block(1, name) + number(3, value) + number(20, 2))


def constant_model(
    outputs: Mapping[str, np.ndarray],
    *,
    size: tuple[int | str, int | str] = (96, 64),
    batch: int | str = 1,
    shapes: Mapping[str, Sequence[int | str]] | None = None,
    extras: Sequence[bytes] = (),
    metadata: Mapping[str, str] | None = None,
    kind: int = FLOAT,
) -> bytes:
    """A model that always gives `outputs`, whatever picture it is shown.

    Args:
        outputs: by name; float arrays are given in `kind`, others as int64.
        size: width and height of the picture.
        batch: first dimension of the picture.
        shapes: told instead of an output's own shape.
        extras: further inputs, which change nothing.
        metadata: kept in the file as exporters do.
        kind: FLOAT or FLOAT16, of picture and outputs.
    """
    dtype = {FLOAT: np.float32, FLOAT16: np.float16}[kind]
    nodes = [
        node("ReduceMean", ["images"], ["mean"], _int("keepdims", 0)),
        node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    constants = [_raw("zero", np.zeros((), dtype), kind)]
    told = []
    for name, values in outputs.items():
        shape = (shapes or {}).get(name, values.shape)
        if values.dtype.kind == "f":
            nodes.append(node("Add", ["nothing", f"all_{name}"], [name]))
            constants.append(_raw(f"all_{name}", values.astype(dtype), kind))
            told.append(tensor_info(name, shape, kind))
        else:
            nodes.append(node("Identity", [f"all_{name}"], [name]))
            constants.append(_raw(f"all_{name}", values.astype(np.int64), INT64))
            told.append(tensor_info(name, shape, INT64))
    width, height = size
    picture = tensor_info("images", [batch, 3, height, width], kind)
    props = b"".join(
        block(14, block(1, key) + block(2, value)) for key, value in (metadata or {}).items()
    )
    return model(nodes, [picture, *extras], told, constants) + props


def _raw(name: str, values: np.ndarray, kind: int) -> bytes:
    dims = b"".join(number(1, size) for size in values.shape)
    return dims + number(2, kind) + block(8, name) + block(9, values.tobytes())
