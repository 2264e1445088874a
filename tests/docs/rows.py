"""The rows that docs/configuration.md must have, made from the models.

`python -m tests.docs.rows` prints them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import EnumType
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from edge import config
from edge.domain.catalogue import CATALOGUE
from edge.sensors.spec import (
    ChallengeSpec,
    ContactSpec,
    MeterSpec,
    PermittedSpec,
    SerialBus,
    SerialServerBus,
    TcpBus,
    ViewSpec,
)
from edge.uplink.spec import BrokerSpec, ProvinceSpec, TlsSpec, UplinkSpec
from edge.vision.spec import CameraSpec, ClipSpec, ClockSpec, LineSpec, MaskSpec, ZoneSpec

_COMMON = tuple(name for name in TcpBus.model_fields if name in SerialBus.model_fields)
_LINE = ("baud", "parity", "stop_bits")

# Heading → the model it describes, and which of its keys.
SECTIONS: dict[str, tuple[type[BaseModel], tuple[str, ...]]] = {
    "The whole file": (config.SealConfig, ()),
    "`[site]`": (config.Site, ()),
    "`[storage]`": (config.Storage, ()),
    "`[[bus]]`": (TcpBus, _COMMON),
    '`[[bus]]` with `transport = "tcp"`': (TcpBus, ("host", "port")),
    '`[[bus]]` with `transport = "rtu-over-tcp"`': (SerialServerBus, ("host", "port", *_LINE)),
    '`[[bus]]` with `transport = "rtu"`': (SerialBus, ("device", *_LINE)),
    "`[[bus.meter]]`": (MeterSpec, ()),
    "`[[bus.meter.permitted]]`": (PermittedSpec, ()),
    "`[[bus.contact]]`": (ContactSpec, ()),
    "`[[camera]]`": (CameraSpec, ()),
    "`[[camera.mask]]`": (MaskSpec, ()),
    "`[[camera.zone]]`": (ZoneSpec, ()),
    "`[[camera.line]]`": (LineSpec, ()),
    "`[camera.clock]`": (ClockSpec, ()),
    "`[[challenge]]`": (ChallengeSpec, ()),
    "`[[challenge.view]]`": (ViewSpec, ()),
    "`[clip]`": (ClipSpec, ()),
    "`[detector]`": (config.Detector, ()),
    "`[[broker]]`": (BrokerSpec, ()),
    "`[broker.tls]`": (TlsSpec, ()),
    "`[uplink]`": (UplinkSpec, ()),
    "`[province]`": (ProvinceSpec, ()),
    "`[page]`": (config.Page, ()),
    "`[logging]`": (config.Logging, ()),
}


def rows(heading: str) -> list[str]:
    """The table rows under `heading`."""
    model, names = SECTIONS[heading]
    return [
        _row(name, field)
        for name, field in model.model_fields.items()
        if not names or name in names
    ]


def _row(name: str, field: FieldInfo) -> str:
    tag = get_origin(field.annotation) is Literal and name == "transport"  # of [[bus]]
    kind = "`tcp`, `rtu-over-tcp` or `rtu`" if tag else _type(field.annotation, _bounds(field))
    example = f"`{name} = {json.dumps(field.examples[0])}`" if field.examples else ""
    cells = (f"`{name}`", kind, _default(field), field.description or "", example)
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def _bounds(field: FieldInfo) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in field.metadata:
        for key in ("ge", "gt", "le", "min_length", "max_length"):
            value = getattr(item, key, None)
            if value is not None:
                found[key] = value
    return found


def _type(annotation: Any, bounds: dict[str, Any]) -> str:
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is Literal or isinstance(annotation, EnumType):
        values = parts or [item.value for item in annotation]
        return ", ".join(f"`{value}`" for value in values)
    if get_origin(annotation) is tuple and Ellipsis in parts:
        return "tables" if _holds_tables(annotation) else f"list{_limits(bounds)}"
    if get_origin(annotation) is tuple:
        return "point"
    if parts:  # X | None, Annotated[X, …]
        return _type(parts[0], bounds)
    if issubclass(annotation, BaseModel):
        return "table"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
    return f"{names[annotation]}{_limits(bounds)}"


def _holds_tables(annotation: Any) -> bool:
    return any(
        (isinstance(part, type) and issubclass(part, BaseModel)) or _holds_tables(part)
        for part in get_args(annotation)
    )


def _limits(bounds: dict[str, Any]) -> str:
    low = bounds.get("ge", bounds.get("min_length"))
    high = bounds.get("le", bounds.get("max_length"))
    if "gt" in bounds:
        return f", above {bounds['gt']}, at most {high}"
    if low is not None:
        return f", {low} to {high}"
    return f", at most {high}" if high is not None else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    if field.default is None or field.default == () or isinstance(field.default, BaseModel):
        return "none" if field.default in {None, ()} else "as below"
    return f"`{json.dumps(field.default, default=str)}`"


def alarm_rows() -> list[str]:
    """The table rows of the alarm catalogue."""
    return [
        f"| `{alarm.code}` | {alarm.name.zh} | {alarm.name.en} | {alarm.level} | "
        f"{alarm.analysis_case or '–'} |"
        for alarm in CATALOGUE.values()
    ]


def everything() -> Iterator[str]:
    """All tables, ready to paste."""
    for heading in SECTIONS:
        yield f"\n## {heading}\n"
        yield "| key | type | default | meaning | example |"
        yield "|---|---|---|---|---|"
        yield from rows(heading)
    yield from alarm_rows()


if __name__ == "__main__":
    print("\n".join(everything()))  # noqa: T201
