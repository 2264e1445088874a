"""Which of a foreign model's classes are people and vehicles."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from edge.domain.observation import Label

Classes = Mapping[Label, tuple[int, ...]]

_MAX_NAMES = 100_000  # characters
_PEOPLE = frozenset({"person", "people", "pedestrian", "human", "worker", "miner"})
_VEHICLES = frozenset(
    {"car", "bus", "truck", "van", "lorry", "vehicle", "motorcycle", "motorbike", "excavator"}
    | {"loader", "bulldozer", "tractor"}
)
# COCO's classes as detectors number them: without gaps from 0, or by the annotations' own ids.
COCO: Classes = {Label.PERSON: (0,), Label.VEHICLE: (2, 3, 5, 7)}
COCO_IDS: Classes = {Label.PERSON: (1,), Label.VEHICLE: (3, 4, 6, 8)}
_BY_COUNT: Mapping[int, Classes] = {80: COCO, 90: COCO_IDS, 91: COCO_IDS}


def names_in(metadata: Mapping[str, str]) -> list[str] | None:
    """Class names that an exporter left in the graph (`names`: a list or {number: name})."""
    told = metadata.get("names", "")
    if not 0 < len(told) <= _MAX_NAMES:
        return None
    try:
        read = ast.literal_eval(told)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(read, dict):
        read = [read.get(i) for i in range(len(read))]
    if isinstance(read, Sequence) and read and all(isinstance(name, str) for name in read):
        return list(read)
    return None


def label_of(name: str) -> Label | None:
    """What a class of that name is to us."""
    plain = name.strip().lower()
    if plain in _PEOPLE:
        return Label.PERSON
    return Label.VEHICLE if plain in _VEHICLES else None


def by_name(names: Sequence[str]) -> Classes | None:
    """Classes by their names; None when nothing of ours is among them."""
    labels = [label_of(name) for name in names]
    found = {label: tuple(i for i, one in enumerate(labels) if one is label) for label in Label}
    return {label: numbers for label, numbers in found.items() if numbers} or None


def classes_of(metadata: Mapping[str, str], count: int | None) -> Classes | None:
    """By the names in the graph, else by a count that only COCO has; None when not to be told."""
    names = names_in(metadata)
    if names is not None:
        return by_name(names)
    return _BY_COUNT.get(count) if count is not None else None
