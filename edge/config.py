"""seal.toml: wiring of one gateway, checked whole, every fault at once.

What is permitted (mine state, permits, thresholds) comes by order; the `state` here is only
the conservative start until the first order.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.domain.mine import MineState
from edge.errors import ConfigError, Fault
from edge.sensors.profiles import profile_names
from edge.sensors.spec import BusSpec
from edge.uplink.spec import BrokerSpec, ProvinceSpec
from edge.vision.spec import CameraSpec

_MAX_BYTES = 1_000_000


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(_Section):
    """`[site]`: which mine and which box."""

    mine_code: str = Field(pattern=r"^\d{12}$", description="12-digit mine code")
    name: str = Field(default="", max_length=100)
    gateway: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    state: MineState = Field(description="mine state until the province orders another")


class Detector(_Section):
    """`[detector]`: which model looks at the pictures."""

    model: str = Field(default="", description="name in models/manifest.toml or a path to .onnx")
    threads: int = Field(default=1, ge=1, le=16, description="intra-op threads of one inference")


class Storage(_Section):
    """`[storage]`: where the ledger, evidence and keys lie."""

    dir: Path


class Page(_Section):
    """`[page]`: the local read-only page."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8088, ge=0, le=65535)


class Logging(_Section):
    """`[logging]`."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class SealConfig(_Section):
    """The whole file."""

    site: Site
    storage: Storage
    bus: tuple[BusSpec, ...] = ()
    camera: tuple[CameraSpec, ...] = ()
    detector: Detector = Detector()
    broker: Annotated[tuple[BrokerSpec, ...], Field(min_length=1)]
    province: ProvinceSpec = ProvinceSpec()
    page: Page = Page()
    logging: Logging = Logging()

    def sha256(self) -> str:
        """Hash of the configuration in force, so that a quiet edit shows."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def redacted(self) -> dict[str, Any]:
        """The configuration as JSON values, without the passwords that URLs carry."""
        data: dict[str, Any] = self.model_dump(mode="json")
        for camera in data["camera"]:
            camera["url"] = redact(camera["url"])
            camera["sub_url"] = redact(camera["sub_url"])
        return data


def redact(url: str) -> str:
    """`url` without its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username}:***@{host}").geturl()


def load(path: Path) -> SealConfig:
    """Read and check `path`.

    Raises:
        ConfigError: with every fault found, each with its path and what would be right.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            [Fault(str(path), f"cannot be read ({error.strerror})", "name a readable seal.toml")]
        ) from error
    if len(raw) > _MAX_BYTES:
        raise ConfigError([Fault(str(path), "is larger than 1 MB", "name a seal.toml")])
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            [Fault(str(path), f"is not TOML ({error})", "mend the line that is named")]
        ) from error
    return parse(data)


def parse(data: dict[str, Any]) -> SealConfig:
    """Check the parsed TOML. Raises ConfigError as `load` does."""
    try:
        config = SealConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError([_fault(item) for item in error.errors()]) from error
    faults = [*_duplicates(config), *_unknown_profiles(config), *_unit_clashes(config)]
    if faults:
        raise ConfigError(faults)
    return config


def _fault(item: Any) -> Fault:
    path = ".".join(
        f"[{part}]" if isinstance(part, int) else str(part)
        for part in item["loc"]
        if part not in ("tcp", "rtu")
    ).replace(".[", "[")
    if item["type"] == "extra_forbidden":
        return Fault(path, "is not a key that is known here", "remove it or mend its spelling")
    if item["type"] == "missing":
        return Fault(path, "is missing", "add it; docs/configuration.md describes it")
    given = repr(item["input"])
    return Fault(path, f"is {given[:60]}", item["msg"][0].lower() + item["msg"][1:])


def _duplicates(config: SealConfig) -> list[Fault]:
    codes = [camera.code for camera in config.camera]
    for bus in config.bus:
        codes += [meter.code for meter in bus.meter] + [contact.code for contact in bus.contact]
    faults = [
        Fault(code, f"names {count} sources", "give every source a code of its own")
        for code, count in Counter([*codes, "host", "detector"]).items()
        if count > 1
    ]
    for camera in config.camera:
        places = Counter([zone.code for zone in camera.zone] + [line.code for line in camera.line])
        faults += [
            Fault(f"camera {camera.code}: {code}", f"names {count} places", "use each code once")
            for code, count in places.items()
            if count > 1
        ]
    return faults


def _unknown_profiles(config: SealConfig) -> list[Fault]:
    known = profile_names()
    return [
        Fault(
            f"bus[{i}].meter[{j}].profile",
            f"is {meter.profile!r}, which no profile is called",
            f"use one of {', '.join(known)}",
        )
        for i, bus in enumerate(config.bus)
        for j, meter in enumerate(bus.meter)
        if meter.profile not in known
    ]


def _unit_clashes(config: SealConfig) -> list[Fault]:
    return [
        Fault(f"bus[{i}].meter", f"unit {unit} is given to {count} meters", "one unit, one meter")
        for i, bus in enumerate(config.bus)
        for unit, count in Counter(meter.unit for meter in bus.meter).items()
        if count > 1
    ]
