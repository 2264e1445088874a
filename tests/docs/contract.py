"""docs/asyncapi.yaml and docs/schemas as the tests use them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMAS = DOCS / "schemas"


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text("utf-8"))
    return loaded


@cache
def schemas() -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob("*.json")}


@cache
def _registry() -> Registry[Any]:
    return Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas().values()
    )


def validate(name: str, value: Any) -> None:
    """Hold `value` against docs/schemas/`name`.json."""
    Draft202012Validator(schemas()[name], registry=_registry()).validate(value)


def validate_leaf(leaf: bytes) -> str:
    """Hold a record against its envelope and its data's schema; gives the type."""
    envelope = json.loads(leaf)
    validate("envelope", envelope)
    kind: str = envelope["type"]
    validate(kind.removeprefix("eseal."), envelope["data"])
    return kind


def resolve(reference: str) -> Any:
    """What a local `#/…` reference of the document points at."""
    found: Any = document()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found
