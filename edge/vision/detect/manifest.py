"""models/manifest.toml: what each model is and what it wants to be fed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import edge
from edge.domain.observation import Label
from edge.errors import ConfigError, Fault
from edge.vision.detect.formats.base import Resize, Shrink, Triple

MANIFEST = "manifest.toml"
_MAX_MANIFEST_BYTES = 1_000_000

Positive = tuple[
    Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]
]


class ModelSpec(BaseModel):
    """One `[[model]]`. Other keys for people are read over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field(min_length=1, max_length=64)
    default: bool = False
    file: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.onnx$", description="beside the manifest"
    )
    url: str = Field(
        default="",
        max_length=500,
        pattern=r"^(https?://.*)?$",
        description="where to fetch it from",
    )
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(default=0, ge=0, le=200_000_000, description="of the file")
    licence: str = Field(default="", max_length=100)
    decoder: str
    width: int = Field(ge=32, le=2048, description="pixels of the input")
    height: int = Field(ge=32, le=2048)
    colour: Literal["bgr", "rgb"] = "bgr"
    resize: Resize = "letterbox"
    shrink: Shrink = Field(default="linear", description="how pixels are joined")
    pad: int = Field(default=114, ge=0, le=255)
    mean: Triple = (0.0, 0.0, 0.0)
    std: Positive = (1.0, 1.0, 1.0)
    threshold: float = Field(default=0.4, ge=0.01, le=1, description="sure from this score on")
    floor: float = Field(
        default=0.3, ge=0.01, le=1, description="told from this score on; followed, not believed"
    )
    nms_iou: float = Field(default=0.55, gt=0, le=1)
    classes: dict[Label, tuple[Annotated[int, Field(ge=0, le=10_000)], ...]]
    figures: dict[str, Any] = Field(default={}, description="measured; for people")


def manifest_directory() -> Path:
    """Where the models lie: in the installed package, or beside it in a checkout."""
    package = Path(edge.__file__).parent
    installed = package / "_models"
    return installed if (installed / MANIFEST).is_file() else package.parent / "models"


def read_manifest(directory: Path) -> list[ModelSpec]:
    """The models that `directory`'s manifest names. Raises ConfigError with every fault."""
    path = directory / MANIFEST
    try:
        raw = path.read_bytes()
        if len(raw) > _MAX_MANIFEST_BYTES:
            raise ValueError("larger than 1 MB")
        entries = tomllib.loads(raw.decode("utf-8")).get("model", [])
    except (OSError, ValueError) as error:
        raise _fault(str(path), f"cannot be read ({error})", "install eseal anew") from error
    models: list[ModelSpec] = []
    faults: list[Fault] = []
    for i, entry in enumerate(entries if isinstance(entries, list) else [entries]):
        try:
            models.append(ModelSpec.model_validate(entry))
        except ValidationError as error:
            faults += [
                Fault(
                    f"{path}: model[{i}].{'.'.join(map(str, item['loc']))}",
                    f"is {item['input']!r:.60}",
                    item["msg"],
                )
                for item in error.errors()
            ]
    if faults:
        raise ConfigError(faults)
    return models


def find(name: str, models: list[ModelSpec]) -> ModelSpec:
    """The model called `name`; the default one for the empty name. Raises ConfigError."""
    for model in models:
        if model.name == name or (not name and model.default):
            return model
    known = ", ".join(model.name for model in models) or "none"
    asked = repr(name) if name else "the default"
    raise _fault(
        "detector.model",
        f"is {asked}, which the manifest does not have",
        f"name a model of the manifest ({known}) or a path to an .onnx file",
    )


def _fault(path: str, problem: str, remedy: str) -> ConfigError:
    return ConfigError([Fault(path, problem, remedy)])
