"""Configurations that tests start from, as the tables that tomllib gives."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from edge.config import parse
from edge.errors import ConfigError, Fault

REPO = Path(__file__).resolve().parent.parent
SAMPLE = REPO / "deploy" / "seal.toml"

MINIMAL = """\
[site]
mine_code = "220100000001"
gateway = "main-shaft"
state = "suspended"

[storage]
dir = "/var/lib/eseal"

[[broker]]
host = "127.0.0.1"
"""


def minimal(directory: Path | None = None) -> dict[str, Any]:
    """The least that is a configuration; storage in `directory`."""
    data = tomllib.loads(MINIMAL)
    if directory is not None:
        data["storage"]["dir"] = str(directory)
    return data


def sample() -> dict[str, Any]:
    """deploy/seal.toml."""
    return tomllib.loads(SAMPLE.read_text("utf-8"))


def changed(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of `data` with `value` at a path such as `bus.0.meter.1.unit`; None removes it."""
    result = copy.deepcopy(data)
    at: Any = result
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return result


def faults(data: dict[str, Any]) -> dict[str, Fault]:
    """Path → fault of everything that is wrong with `data`."""
    with pytest.raises(ConfigError) as caught:
        parse(data)
    return {fault.path: fault for fault in caught.value.faults}


def only_fault(data: dict[str, Any]) -> Fault:
    """The one thing that is wrong."""
    (fault,) = faults(data).values()
    return fault
