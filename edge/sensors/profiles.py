"""Meter profiles: which register holds what. One TOML each; the shipped ones in `meters`."""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Mapping
from enum import Enum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import rfc8785
from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from edge.errors import ConfigError, Fault, Unfit
from edge.sensors.plan import Span, plan
from edge.sensors.quantity import History, Quantity, QuantityName, SerialNumber
from edge.wiring import Many, Spec, tables

SHIPPED = resources.files("edge.sensors") / "meters"
MAX_BYTES = 32_768  # the longest that is shipped has 4 KiB
MAX_FAULTS = 20

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


class Link(Spec):
    """How the meter's serial line leaves the factory."""

    baud: int = Field(gt=0)
    parity: Literal["N", "E", "O"]
    stop_bits: Literal[1, 2]


class Stretch(Spec):
    """Registers from `first` to `last`."""

    function: Literal[3, 4]
    first: int = Field(ge=0, le=0xFFFF)
    last: int = Field(ge=0, le=0xFFFF)

    @property
    def span(self) -> Span:
        """The same as first register and count."""
        return Span(self.function, self.first, self.last + 1 - self.first)

    @model_validator(mode="after")
    def _consistent(self) -> Stretch:
        if self.last < self.first:
            raise ValueError("ends before it begins: write the lower register first")
        return self


class Profile(Spec):
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
        history: daily freezes that it keeps; None where no source says.
    """

    maker: str
    models: Annotated[Many[str], Field(min_length=1)]
    confidence: Literal["high", "medium", "low"]
    sources: Annotated[Many[str], Field(min_length=1)]
    conflicts: Many[str] = ()
    probed: str = ""
    max_registers: int = Field(ge=4, le=125)
    max_gap: int = Field(ge=0, le=100)
    illegal: Annotated[Many[Stretch], Field(max_length=32)] = ()
    link: Link
    quantity: Mapping[QuantityName, Quantity]
    serial: SerialNumber | None = None
    history: History | None = None

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
    """Names of the shipped profiles, sorted."""
    return tuple(
        sorted(
            entry.name.removesuffix(".toml")
            for entry in SHIPPED.iterdir()
            if entry.name.endswith(".toml")
        )
    )


def is_profile_file(name: str) -> bool:
    """Whether a profile is named as a file of the site's own: the whole path of a TOML file."""
    return re.fullmatch(r"/[^\0]{1,1000}\.toml", name) is not None


@cache
def load_profile(name: str) -> Profile:
    """The shipped profile called `name`, or the one in a file of the site's own.

    A file is read once: what is in force stays in force until the process ends.

    Raises:
        ConfigError: no profile is called so, or its file is faulty.
    """
    if is_profile_file(name):
        return parse_profile(name, _read(Path(name)))
    if name not in profile_names():
        known = ", ".join(profile_names())
        raise ConfigError([Fault("profile", f"{name!r} is not known", f"use one of {known}")])
    return parse_profile(
        f"edge/sensors/meters/{name}.toml", (SHIPPED / f"{name}.toml").read_bytes()
    )


def digest(name: str) -> str:
    """SHA-256 (hex) of what the profile says, as RFC 8785 JSON: a quiet edit shows."""
    return hashlib.sha256(rfc8785.dumps(load_profile(name).model_dump(mode="json"))).hexdigest()


def _read(path: Path) -> bytes:
    """The bytes of a file that may be anything, no more than one over the limit."""
    if path.stem in profile_names():
        problem = f"is called as the shipped profile {path.stem}"
        raise ConfigError([Fault(str(path), problem, "give the file another name")])
    try:
        if not path.is_file():  # a pipe would be waited for
            raise FileNotFoundError(errno.ENOENT, "no such file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise ConfigError([Fault(str(path), problem, "name a readable profile")]) from error


def parse_profile(where: str, raw: bytes) -> Profile:
    """Check the bytes of a profile, whatever they are.

    Args:
        where: its file, for the faults.
        raw: its content.

    Raises:
        ConfigError: with every fault found: file, key, and what would be right.
    """
    try:
        return Profile.model_validate(tables(raw, MAX_BYTES, "a meter profile"))
    except Unfit as error:
        raise ConfigError([Fault(where, error.problem, error.remedy)]) from error
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise ConfigError([_fault(where, item) for item in found[:MAX_FAULTS]]) from error


def _fault(where: str, item: ErrorDetails) -> Fault:
    key = ".".join(str(part)[:40] for part in item["loc"] if part != "[key]")
    given = "" if isinstance(item["input"], Mapping) else f"{str(item['input'])[:60]!r}"
    told = item["msg"].removeprefix("Value error, ")
    if item["type"] == "value_error":
        return Fault(f"{where}: {key}".removesuffix(": "), told, "see docs/operations.md")
    if item["type"] == "missing":
        return Fault(f"{where}: {key}", "is missing", "add it")
    if item["type"] == "extra_forbidden":
        return Fault(f"{where}: {key}", "is no key of a profile", "leave it out")
    return Fault(f"{where}: {key}", f"is {given}" if given else "does not fit", told)
