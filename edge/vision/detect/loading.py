"""From a model's name or file to a detector that is ready."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edge.errors import ConfigError, Fault, Refused
from edge.vision.detect.detector import Detector
from edge.vision.detect.formats.classes import Classes
from edge.vision.detect.manifest import ModelSpec, find, manifest_directory, read_manifest
from edge.vision.detect.trial import trial

OWN_MODELS = Path("/var/lib/eseal/models")
"""Where `eseal model pull` and `add` put what they bring, with a manifest beside it."""

MAX_MODEL_BYTES = 200_000_000


def load_detector(model: str, threads: int, own: Path = OWN_MODELS) -> Detector:
    """Load a detector.

    Args:
        model: a name in a manifest, a path to an .onnx file, or empty for the default.
        threads: how many threads one inference may use.
        own: directory of this gateway's own models.

    Raises:
        ConfigError: there is no such model or file, or it is not the one the manifest names.
        Refused: the file is not a detector of a known format; says why.
    """
    if model.endswith(".onnx") or "/" in model:
        path = Path(model)
        return load_foreign(read_model(path), threads, str(path))
    spec = find(model, known_models(own))
    place = place_of(spec, own)
    if place is None:
        raise _fault(f"{spec.file} is not here", f"run `eseal model pull {spec.name}`")
    data = read_model(place)
    digest = hashlib.sha256(data).hexdigest()
    if digest != spec.sha256:
        raise _fault(
            f"{place} has SHA-256 {digest[:16]}…, not that of the manifest",
            f"delete it and run `eseal model pull {spec.name}`, or install eseal anew",
        )
    return Detector(data, spec, threads, str(place))


def load_foreign(data: bytes, threads: int, where: str, classes: Classes | None = None) -> Detector:
    """A detector from a file that no manifest names. Raises Refused."""
    trial(data, where, classes)
    return Detector(data, None, threads, where, classes)


def known_models(own: Path) -> list[ModelSpec]:
    """The models of the product's manifest and of this gateway's own. Raises ConfigError."""
    shipped = read_manifest(manifest_directory())
    return shipped + (read_manifest(own) if (own / "manifest.toml").exists() else [])


def place_of(spec: ModelSpec, own: Path) -> Path | None:
    """Where the model's file lies; None when it is not here."""
    places = (manifest_directory() / spec.file, own / spec.file)
    return next((path for path in places if path.exists()), None)


def read_model(path: Path) -> bytes:
    """The bytes of a model file. Raises ConfigError when it cannot be read, Refused when large."""
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise Refused(f"{path}: larger than {MAX_MODEL_BYTES // 1_000_000} MB; not a detector")
        return path.read_bytes()
    except OSError as error:
        raise _fault(
            f"{path} cannot be read ({error.strerror})", "name a model that is installed"
        ) from error


def _fault(problem: str, remedy: str) -> ConfigError:
    return ConfigError([Fault("detector.model", problem, remedy)])
