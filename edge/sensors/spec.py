"""How buses, meters and contacts are wired: the shape of `[[bus]]` in seal.toml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from edge.domain.activity import Duty

Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


class Spec(BaseModel):
    """Wiring is exact: an unknown key is a fault, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MeterSpec(Spec):
    """One power meter on a bus."""

    code: Code = Field(description="name of the source in every record")
    profile: str = Field(description="meter profile, a file of edge/sensors/meters")
    unit: int = Field(ge=1, le=247, description="Modbus unit (slave) address")
    duty: Duty = Field(description="what the feeder is for")
    running_kw: float | None = Field(
        default=None,
        gt=0,
        description="load from which the machine counts as running, kW; "
        "without it the idle level is learned",
    )
    position_code: str = Field(
        default="", pattern=r"^(\d{14})?$", description="14-digit position code of the platform"
    )


class ContactSpec(Spec):
    """One digital input, read as a Modbus discrete input."""

    code: Code
    unit: int = Field(ge=1, le=247)
    address: int = Field(ge=0, le=0xFFFF, description="discrete input, as sent on the wire")
    normally: Literal["closed", "open"] = Field(
        default="closed", description="state of the undisturbed contact"
    )


class _Bus(Spec):
    code: Code
    period_s: float = Field(default=2.0, ge=0.2, le=3600, description="seconds between sweeps")
    timeout_s: float = Field(default=0.5, gt=0, le=10, description="wait for one answer")
    meter: tuple[MeterSpec, ...] = ()
    contact: tuple[ContactSpec, ...] = ()


class TcpBus(_Bus):
    """Modbus TCP: a gateway or a meter with Ethernet."""

    transport: Literal["tcp"]
    host: str = Field(min_length=1)
    port: int = Field(default=502, ge=1, le=65535)


class SerialBus(_Bus):
    """Modbus RTU on a serial line."""

    transport: Literal["rtu"]
    device: str = Field(min_length=1, description="serial device, e.g. /dev/ttyS1")
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1


BusSpec = Annotated[TcpBus | SerialBus, Field(discriminator="transport")]
