"""This gateway's own models: a directory with files and a manifest of the product's form."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from pydantic import ValidationError

from edge.errors import ConfigError, Fault
from edge.vision.detect.loading import known_models
from edge.vision.detect.manifest import MANIFEST, ModelSpec, read_manifest

_HEAD = "# Models that `eseal model add` brought to this gateway.\n"
_KEYS = [
    key for key in ModelSpec.model_fields if key not in {"default", "url", "classes", "figures"}
]


def adopt(data: bytes, spec: ModelSpec, own: Path) -> ModelSpec:
    """Keep a model file under its name and enter it into the manifest.

    Args:
        data: the file.
        spec: what was concluded of it, with the name it is to have.
        own: directory of this gateway's own models; made when it is missing.

    Raises:
        ConfigError: the name is taken, or is no name of a file.
        OSError: the directory takes nothing.
    """
    if any(model.name == spec.name for model in known_models(own)):
        raise _fault(spec.name, "is taken", "give it another name")
    told = spec.model_dump() | {
        "file": f"{spec.name}.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_bytes": len(data),
    }
    try:
        entry = ModelSpec.model_validate(told)
    except ValidationError:
        raise _fault(
            spec.name, "is no file name", "use letters, digits, '.', '_' and '-', 64 at most"
        ) from None
    own.mkdir(parents=True, exist_ok=True)
    models = read_manifest(own) if (own / MANIFEST).exists() else []
    put(data, own / entry.file)
    text = _HEAD + "".join(_toml(model) for model in [*models, entry])
    put(text.encode(), own / MANIFEST)
    return entry


def put(data: bytes, path: Path) -> None:
    """Write a file whole or not at all. Raises OSError."""
    draft = path.with_name(path.name + ".part")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _fault(name: str, problem: str, remedy: str) -> ConfigError:
    return ConfigError([Fault("--name", f"{name!r} {problem}", remedy)])


def _toml(spec: ModelSpec) -> str:
    """A manifest entry; JSON's spelling of these values is TOML's too."""
    told = spec.model_dump(mode="json")
    lines = [f"{key} = {json.dumps(told[key])}" for key in _KEYS]
    classes = [f"{label} = {json.dumps(numbers)}" for label, numbers in told["classes"].items()]
    return "\n".join(["", "[[model]]", *lines, "", "[model.classes]", *classes, ""])
