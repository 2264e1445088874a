"""Meter profiles: which register holds what. One TOML each in `edge/sensors/meters`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import Enum
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.errors import ConfigError, Fault

REGISTERS = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "f32": 2, "u64": 4, "i64": 4, "f64": 4}

QuantityName = Literal[
    "power_kw",
    "power_l1_kw",
    "power_l2_kw",
    "power_l3_kw",
    "energy_import_kwh",
    "energy_export_kwh",
    "voltage_l1_v",
    "voltage_l2_v",
    "voltage_l3_v",
    "current_l1_a",
    "current_l2_a",
    "current_l3_a",
    "power_factor",
    "frequency_hz",
    "ct_ratio",
    "pt_ratio",
    "ct_primary_a",
    "ct_secondary_a",
    "pt_primary_v",
    "pt_secondary_v",
]

RATIO_PARTS: Mapping[str, tuple[str, str]] = {
    "ct_ratio": ("ct_primary_a", "ct_secondary_a"),
    "pt_ratio": ("pt_primary_v", "pt_secondary_v"),
}
"""A ratio that a meter tells as two figures is their quotient."""


class Pace(Enum):
    """How often a quantity is worth asking for."""

    FAST = "fast"
    SLOW = "slow"


def pace(name: str) -> Pace:
    """The pace of a quantity or of `serial`: counters and what is set once are slow."""
    slow = name == "serial" or name.startswith(("energy_", "ct_", "pt_"))
    return Pace.SLOW if slow else Pace.FAST


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Link(_Strict):
    """How the meter's serial line leaves the factory."""

    baud: int = Field(gt=0)
    parity: Literal["N", "E", "O"]
    stop_bits: Literal[1, 2]


class Quantity(_Strict):
    """Where one quantity lies and how it becomes an engineering value.

    value = raw * scale * (the ratios named), in the unit that the quantity's name ends with.

    Attributes:
        function: Modbus function code, 3 holding or 4 input registers.
        address: first register as sent on the wire.
        type: of the raw value; bytes within a register are big-endian.
        order: of the registers; big = most significant first.
        scale: factor from raw to the unit.
        ratio: transformer ratios that the meter leaves to the reader.
        absent: raw bit patterns that mean "not measured".
        limits: what the meter can show at its own terminals, in the unit, before ratios.
    """

    function: Literal[3, 4]
    address: int = Field(ge=0, le=0xFFFF)
    type: Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]
    order: Literal["big", "little"] = "big"
    scale: float = Field(default=1.0, gt=0)
    ratio: Annotated[tuple[Literal["pt", "ct"], ...], Field(strict=False, max_length=2)] = ()
    absent: Annotated[tuple[int, ...], Field(strict=False, max_length=8)] = ()
    limits: Annotated[tuple[float, float] | None, Field(strict=False)] = None

    @property
    def count(self) -> int:
        """Registers it takes."""
        return REGISTERS[self.type]


class SerialNumber(_Strict):
    """Where the meter's serial number lies: letters, two a register, or a number.

    Attributes:
        function, address, order: as of a quantity.
        type: ascii or u32.
        count: registers it takes.
    """

    function: Literal[3, 4]
    address: int = Field(ge=0, le=0xFFFF)
    type: Literal["ascii", "u32"]
    order: Literal["big", "little"] = "big"
    count: int = Field(ge=1, le=32)


class Profile(_Strict):
    """One meter type."""

    maker: str
    models: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    confidence: Literal["high", "medium", "low"]
    sources: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    max_registers: int = Field(ge=4, le=125)
    max_gap: int = Field(ge=0, le=100)
    link: Link
    quantity: Mapping[QuantityName, Quantity]
    serial: SerialNumber | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Profile:
        if "power_kw" not in self.quantity:
            raise ValueError("needs power_kw: a profile without it serves no rule")
        for name, quantity in self.quantity.items():
            if quantity.address + quantity.count > 0x10000:
                raise ValueError(f"{name} ends beyond register 0xFFFF")
            for ratio in quantity.ratio:
                if f"{ratio}_ratio" not in self.quantity:
                    raise ValueError(f"{name} is multiplied by {ratio}_ratio, which is not read")
                if name.endswith("_ratio"):
                    raise ValueError(f"{name} cannot depend on a ratio")
        return self


@cache
def profile_names() -> tuple[str, ...]:
    """Names of all profiles, sorted."""
    folder = resources.files("edge.sensors") / "meters"
    return tuple(
        sorted(
            entry.name.removesuffix(".toml")
            for entry in folder.iterdir()
            if entry.name.endswith(".toml")
        )
    )


@cache
def load_profile(name: str) -> Profile:
    """The profile called `name`.

    Raises:
        ConfigError: no profile is called so, or its file is faulty.
    """
    if name not in profile_names():
        known = ", ".join(profile_names())
        raise ConfigError([Fault("profile", f"{name!r} is not known", f"use one of {known}")])
    file = resources.files("edge.sensors") / "meters" / f"{name}.toml"
    return parse_profile(name, file.read_text("utf-8"))


def parse_profile(name: str, text: str) -> Profile:
    """Check the text of a profile.

    Raises:
        ConfigError: with every fault found.
    """
    where = f"edge/sensors/meters/{name}.toml"
    try:
        return Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            [Fault(where, f"is not TOML ({error})", "mend the line that is named")]
        ) from error
    except ValidationError as error:
        raise ConfigError(
            [
                Fault(
                    ".".join([where, *(str(part) for part in item["loc"])]),
                    f"is {str(item['input'])[:60]!r}",
                    item["msg"],
                )
                for item in error.errors()
            ]
        ) from error
