"""Where one quantity of a meter lies in its registers, and the meter's serial number."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from edge.sensors.plan import Span
from edge.wiring import Many, Spec

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


class Quantity(Spec):
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
    ratio: Annotated[Many[Literal["pt", "ct"]], Field(max_length=2)] = ()
    absent: Annotated[Many[int], Field(max_length=8)] = ()
    limits: Annotated[tuple[float, float] | None, Field(strict=False)] = None

    @model_validator(mode="after")
    def _consistent(self) -> Quantity:
        if self.limits is not None and not self.limits[0] < self.limits[1]:
            raise ValueError("has limits that no value is within: write the lower one first")
        return self

    @property
    def count(self) -> int:
        """Registers it takes."""
        return REGISTERS[self.type]

    @property
    def span(self) -> Span:
        """What is read for it."""
        return Span(self.function, self.address, self.count)


class SerialNumber(Spec):
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


class History(Spec):
    """Daily freezes in the meter's memory, in blocks: year and month, day and hour, then energies.

    Attributes:
        function, address: of the first block.
        stride: registers from one block to the next.
        blocks: how many there are.
        offset: of the energy (u32, most significant register first) within a block.
        scale: factor from raw to kWh.
        ratio: transformer ratios that the meter leaves to the reader.
    """

    function: Literal[3, 4]
    address: int = Field(ge=0, le=0xFFFF)
    stride: int = Field(ge=4, le=125)
    blocks: int = Field(ge=1, le=400)
    offset: int = Field(ge=2, le=100)
    scale: float = Field(gt=0)
    ratio: Annotated[Many[Literal["pt", "ct"]], Field(max_length=2)] = ()

    def block(self, number: int) -> Span:
        """What is read of one block: from its date to the end of the energy."""
        return Span(self.function, self.address + number * self.stride, self.offset + 2)

    @model_validator(mode="after")
    def _consistent(self) -> History:
        if self.offset + 2 > self.stride:
            raise ValueError("has its energy beyond the block")
        if self.block(self.blocks).address > 0x10000:
            raise ValueError("has blocks beyond register 0xFFFF")
        return self
