"""How buses, meters, contacts and lamps are wired: `[[bus]]` and `[[challenge]]` in seal.toml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from edge.domain.activity import Duty
from edge.errors import Unfit
from edge.sensors.profiles import is_profile_file, profile_names
from edge.wiring import Code, Host, Many, Spec, form, platform_code

MIN_SIDE = 0.005  # of a box in which a lamp is looked for, in fractions of the picture

Fraction = Annotated[float, Field(ge=0, le=1)]


def _known_profile(name: str) -> str:
    if "/" in name and not is_profile_file(name):
        raise Unfit(f"is {name[:60]!r}", "name the whole path, e.g. /etc/eseal/profiles/x.toml")
    if name not in profile_names() and not is_profile_file(name):
        raise Unfit(
            f"is {name[:60]!r}, which no profile is called",
            f"use one of {', '.join(profile_names())}, or the path of a file of your own",
        )
    return name


class PermittedSpec(Spec):
    """Machines that may run behind a meter while the mine stands still."""

    duty: Duty = Field(strict=False, description="what they are for", examples=["pump"])
    rated_kw: float = Field(
        gt=0, le=1_000_000, description="what one of them draws, kW", examples=[110.0]
    )
    count: int = Field(
        default=1, ge=1, le=8, description="how many of them may run at once", examples=[2]
    )


class MeterSpec(Spec):
    """One power meter on a bus."""

    code: Code = Field(description="name of the source in every record", examples=["hoist"])
    profile: Annotated[str, AfterValidator(_known_profile)] = Field(
        description="meter profile, a file of edge/sensors/meters, or the path of one of your own",
        examples=["eastron_sdm630"],
    )
    unit: int = Field(ge=1, le=247, description="Modbus unit (slave) address", examples=[1])
    duty: Duty = Field(strict=False, description="what the feeder is for", examples=["hoist"])
    running_kw: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description="load from which the machine counts as running, kW; "
        "without it the idle level is learned",
        examples=[15.0],
    )
    learning_days: float = Field(
        default=4.0,
        ge=0.5,
        le=60,
        description="days after its first reading in which it is learned what is usual behind "
        "this meter",
        examples=[14.0],
    )
    permitted: Many[PermittedSpec] = Field(
        default=(),
        max_length=8,
        description="machines that may run behind this meter and have no meter of their own; "
        "what is not declared is learned",
    )
    always_on: bool = Field(
        default=False,
        description="its voltage must never be gone; of duty `fan` and `incoming` it is known",
        examples=[True],
    )
    serial: str = Field(
        default="",
        max_length=32,
        description="the meter's own serial number, where it must be this one; without it the "
        "first one read is in force",
        examples=["21034417"],
    )
    ct_ratio: float | None = Field(
        default=None,
        gt=0,
        le=100_000,
        description="ratio of its current transformers, where it must be this one; without it "
        "the first one read is in force",
        examples=[60.0],
    )
    pt_ratio: float | None = Field(
        default=None,
        gt=0,
        le=100_000,
        description="ratio of its voltage transformers, likewise",
        examples=[1.0],
    )
    position_code: Annotated[str, platform_code(14)] = Field(
        default="",
        description="14-digit position code of the platform",
        examples=["22010000000101"],
    )


class ContactSpec(Spec):
    """One digital input, read as a Modbus discrete input."""

    code: Code = Field(description="name of the source in every record", examples=["cabinet-door"])
    unit: int = Field(ge=1, le=247, description="Modbus unit (slave) address", examples=[20])
    address: int = Field(
        ge=0, le=0xFFFF, description="discrete input, as sent on the wire", examples=[0]
    )
    normally: Literal["closed", "open"] = Field(
        default="closed", description="state of the undisturbed contact", examples=["closed"]
    )


class _Bus(Spec):
    code: Code = Field(description="name of the bus in messages", examples=["substation"])
    period_s: float = Field(
        default=2.0,
        ge=0.2,
        le=3600,
        description="seconds between sweeps; energies, ratios and serial numbers are asked for "
        "about once a minute",
        examples=[2.0],
    )
    timeout_s: float = Field(
        default=0.5,
        gt=0,
        le=10,
        description="longest wait for one answer, seconds; a unit that answers fast is waited "
        "for less",
        examples=[0.5],
    )
    meter: Many[MeterSpec] = Field(default=(), max_length=247, description="its meters")
    contact: Many[ContactSpec] = Field(default=(), max_length=1000, description="its contacts")


class TcpBus(_Bus):
    """Modbus TCP: a gateway or a meter with Ethernet."""

    transport: Literal["tcp"] = Field(description="how the bus is reached", examples=["tcp"])
    host: Host = Field(description="name or address of the Modbus server", examples=["10.0.0.20"])
    port: int = Field(default=502, ge=1, le=65535, description="its TCP port", examples=[502])


class _LineBus(_Bus):
    """What every serial line has, whatever it is reached through."""

    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = Field(
        default=9600,
        description="bits per second; all units of a line use the same",
        examples=[9600],
    )
    parity: Literal["N", "E", "O"] = Field(
        default="N", description="parity: none, even or odd", examples=["N"]
    )
    stop_bits: Literal[1, 2] = Field(default=1, description="stop bits", examples=[1])


class SerialServerBus(_LineBus):
    """Modbus RTU behind a serial server that passes its frames through over TCP."""

    transport: Literal["rtu-over-tcp"] = Field(
        description="how the bus is reached", examples=["rtu-over-tcp"]
    )
    host: Host = Field(description="name or address of the serial server", examples=["10.0.0.21"])
    port: int = Field(
        default=4001, ge=1, le=65535, description="TCP port of the line", examples=[4001]
    )


class SerialBus(_LineBus):
    """Modbus RTU on a serial line of this box."""

    transport: Literal["rtu"] = Field(description="how the bus is reached", examples=["rtu"])
    device: Annotated[str, form(r"/[^\0]{1,255}", "name a device, e.g. /dev/ttyS1")] = Field(
        description="serial device", examples=["/dev/ttyS1"]
    )


class ViewSpec(Spec):
    """Where a camera sees a challenge's lamp."""

    camera: Code = Field(description="code of the camera", examples=["shaft-cam"])
    box: Annotated[tuple[Fraction, Fraction, Fraction, Fraction], Field(strict=False)] = Field(
        description="where the lamp, or what it lights, is seen: left, top, right, bottom in "
        "fractions of the picture; tight around it",
        examples=[[0.45, 0.3, 0.55, 0.4]],
    )

    @field_validator("box")
    @classmethod
    def _has_area(cls, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        if box[2] - box[0] < MIN_SIDE or box[3] - box[1] < MIN_SIDE:
            raise Unfit(
                "is no box, or too small a one",
                f"give left, top, right, bottom that are {MIN_SIDE:g} apart or more",
            )
        return box


class ChallengeSpec(Spec):
    """A lamp that is switched at moments nobody knows; a camera that does not see it lies."""

    code: Code = Field(description="name of the lamp in every record", examples=["mouth-lamp"])
    bus: Code = Field(description="code of the bus that it is wired to", examples=["substation"])
    unit: int = Field(ge=1, le=247, description="Modbus unit (slave) address", examples=[20])
    coil: int = Field(
        ge=0, le=0xFFFF, description="coil that switches it, as sent on the wire", examples=[0]
    )
    view: Annotated[Many[ViewSpec], Field(min_length=1, max_length=16)] = Field(
        description="who must see it, and where"
    )
    mean_h: float = Field(
        default=2.0,
        ge=0.1,
        le=168,
        description="hours between two challenges on average; each moment is drawn by chance",
        examples=[2.0],
    )


LineBus = SerialBus | SerialServerBus
"""RTU frames on a wire with a baud rate; `isinstance` takes it."""

AnyBus = TcpBus | SerialServerBus | SerialBus
BusSpec = Annotated[AnyBus, Field(discriminator="transport")]
