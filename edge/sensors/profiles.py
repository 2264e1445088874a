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
from edge.sensors.plan import Span, plan

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

    @property
    def span(self) -> Span:
        """What is read for it."""
        return Span(self.function, self.address, self.count)


class SerialNumber(_Strict):
    """Where the meter's serial number lies: letters, two a register, or a number.

    A meter may well refuse it, older ones above all: then it has none, and works all the same.

    Attributes:
        function, address, order: as of a quantity.
        type: ascii or u32.
        count: registers it takes; a u32 takes two.
        block: first register and count of what has to be read whole to get it.
    """

    function: Literal[3, 4]
    address: int = Field(ge=0, le=0xFFFF)
    type: Literal["ascii", "u32"]
    order: Literal["big", "little"] = "big"
    count: int = Field(ge=1, le=32)
    block: Annotated[tuple[int, int] | None, Field(strict=False)] = None

    @property
    def span(self) -> Span:
        """What is read for it."""
        return Span(self.function, *(self.block or (self.address, self.count)))

    @model_validator(mode="after")
    def _consistent(self) -> SerialNumber:
        if self.type == "u32" and self.count != 2:
            raise ValueError("a u32 takes a count of 2")
        if not self.span.contains(Span(self.function, self.address, self.count)):
            raise ValueError("lies outside its block")
        return self


class Stretch(_Strict):
    """Registers from `first` to `last`."""

    function: Literal[3, 4]
    first: int = Field(ge=0, le=0xFFFF)
    last: int = Field(ge=0, le=0xFFFF)

    @property
    def span(self) -> Span:
        """The same as first register and count."""
        return Span(self.function, self.first, max(self.last + 1 - self.first, 0))


class Profile(_Strict):
    """One meter type.

    Attributes:
        maker, models: whose, and which meters share the map.
        confidence: high = two independent sources agree; medium = one good source; low = they
            differ, and only what a probe of a real meter showed decides.
        sources: where the facts come from.
        conflicts: where sources differ: which was taken, and why.
        probed: what a probe of a real meter showed; a profile of low confidence needs it.
        max_registers: that one read may span.
        max_gap: registers of no interest that a read may run over.
        illegal: registers that no read may run over.
        link: how its serial line leaves the factory.
        quantity: what it measures.
        serial: where its serial number lies; None where no source says.
    """

    maker: str
    models: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    confidence: Literal["high", "medium", "low"]
    sources: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    conflicts: Annotated[tuple[str, ...], Field(strict=False)] = ()
    probed: str = ""
    max_registers: int = Field(ge=4, le=125)
    max_gap: int = Field(ge=0, le=100)
    illegal: Annotated[tuple[Stretch, ...], Field(strict=False, max_length=32)] = ()
    link: Link
    quantity: Mapping[QuantityName, Quantity]
    serial: SerialNumber | None = None

    def items(self, *paces: Pace) -> tuple[Span, ...]:
        """What is to be read at these paces; everything where none is named."""
        places: list[tuple[str, Quantity | SerialNumber]] = [*self.quantity.items()]
        if self.serial:
            places.append(("serial", self.serial))
        return tuple(item.span for name, item in places if not paces or pace(name) in paces)

    def reads(self, *paces: Pace) -> tuple[Span, ...]:
        """The fewest reads that fetch `items`, within what the meter allows."""
        illegal = (stretch.span for stretch in self.illegal)
        return plan(self.items(*paces), self.max_registers, self.max_gap, illegal)

    @property
    def tells(self) -> frozenset[str]:
        """The quantities of a whole reading: parts of a ratio are told as the ratio."""
        parts = {part: ratio for ratio, pair in RATIO_PARTS.items() for part in pair}
        return frozenset(parts.get(name, name) for name in self.quantity)

    @model_validator(mode="after")
    def _sourced(self) -> Profile:
        if self.confidence == "low" and not self.probed:
            raise ValueError("is of low confidence: say in `probed` what a probe of a meter showed")
        if self.confidence == "high" and len(self.sources) < 2:
            raise ValueError("is of high confidence, which takes two sources")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Profile:
        if "power_kw" not in self.quantity:
            raise ValueError("needs power_kw: a profile without it serves no rule")
        names: set[str] = set(self.quantity)
        for ratio, parts in RATIO_PARTS.items():
            if names.intersection(parts) and (ratio in names or not names.issuperset(parts)):
                raise ValueError(f"tells {ratio} either itself or as {' and '.join(parts)}")
        for name, item in self.quantity.items():
            for ratio in item.ratio:
                if f"{ratio}_ratio" not in self.tells:
                    raise ValueError(f"{name} is multiplied by {ratio}_ratio, which is not read")
                if name.startswith(("ct_", "pt_")):
                    raise ValueError(f"{name} cannot depend on a ratio")
        self._readable()
        return self

    def _readable(self) -> None:
        for item in self.items():
            if item.end > 0x10000:
                raise ValueError(f"register {item.address:#06x} and its next end beyond 0xFFFF")
            if item.count > self.max_registers:
                raise ValueError(
                    f"{item.count} registers are read at once, more than max_registers"
                )
            if any(item.overlaps(stretch.span) for stretch in self.illegal):
                raise ValueError(f"register {item.address:#06x} is needed, and illegal")


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
