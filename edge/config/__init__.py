"""seal.toml: wiring of one gateway, checked whole, every fault at once.

What is permitted (mine state, permits, thresholds) comes by order; the `state` here is only
the conservative start until the first order.
"""

from __future__ import annotations

import hashlib
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

import rfc8785
from pydantic import AfterValidator, Field, ValidationError

from edge.config.checks import across, custom_profiles
from edge.config.words import faults_of, hide_passwords
from edge.domain.mine import MineState
from edge.errors import ConfigError, Fault, Unfit
from edge.ledger.policy import Policy
from edge.sensors.profiles import digest, is_profile_file, load_profile
from edge.sensors.spec import BusSpec, ChallengeSpec
from edge.uplink.spec import BrokerSpec, ProvinceSpec, UplinkSpec
from edge.vision.spec import CameraSpec, ClipSpec
from edge.wiring import Code, FilePath, Many, Spec, form, tables

# tomllib takes longer with every dot in a key: this and wiring.MAX_LINE keep the worst near 2 s.
MAX_PROFILES = 32
MAX_BYTES = 131_072  # a site with 64 cameras needs a third of it


class Site(Spec):
    """`[site]`: which mine and which box."""

    mine_code: Annotated[str, form(r"\d{12}", "write the mine's code of 12 digits")] = Field(
        description="12-digit mine code", examples=["220100000001"]
    )
    name: str = Field(
        default="", max_length=100, description="name of the mine", examples=["Example mine"]
    )
    gateway: Code = Field(description="name of this box within the mine", examples=["main-shaft"])
    utc_offset_h: float = Field(
        default=8.0,
        ge=-12,
        le=14,
        description="hours by which local time is ahead of UTC; reports of power go by its days",
        examples=[8.0],
    )
    state: MineState = Field(
        strict=False,
        description="mine state until the province orders another",
        examples=["suspended"],
    )


class Detector(Spec):
    """`[detector]`: which model looks at the pictures."""

    model: str = Field(
        default="",
        max_length=1000,
        description="name in models/manifest.toml or a path to an .onnx file; "
        "empty for the default model",
        examples=["eseal-shaft-1"],
    )
    threads: int = Field(
        default=1, ge=1, le=16, description="intra-op threads of one inference", examples=[2]
    )
    models: FilePath = Field(
        default=Path("/var/lib/eseal/models"),
        description="directory of the models that `eseal model` brought",
        examples=["/var/lib/eseal/models"],
    )


class Storage(Spec):
    """`[storage]`: where the ledger, evidence and keys lie."""

    dir: FilePath = Field(
        description="directory for ledger, evidence and the gateway's key",
        examples=["/var/lib/eseal"],
    )
    budget_mb: int = Field(
        default=8000,
        ge=100,
        le=100_000_000,
        description="MB that ledger and evidence may take; near it older things go before "
        "their time, routine first, then evidence",
        examples=[8000],
    )
    reserve_mb: int = Field(
        default=500,
        ge=10,
        le=1_000_000,
        description="MB that must stay free on the file-system; with less an incident is raised, "
        "with half of it only alarms are still recorded",
        examples=[500],
    )
    keep_routine_days: int = Field(
        default=90,
        ge=1,
        le=36_500,
        description="days that routine records are kept; only what a receipt covers ever goes, "
        "and its hash stays",
        examples=[90],
    )
    keep_alarm_days: int = Field(
        default=1095,
        ge=1,
        le=36_500,
        description="the same for records of closed incidents",
        examples=[1095],
    )
    keep_evidence_days: int = Field(
        default=90,
        ge=1,
        le=36_500,
        description="the same for evidence that was uploaded and whose incident is closed",
        examples=[90],
    )

    @property
    def policy(self) -> Policy:
        """What retention goes by."""
        return Policy(
            self.budget_mb * 1_000_000,
            self.reserve_mb * 1_000_000,
            self.keep_routine_days,
            self.keep_alarm_days,
            self.keep_evidence_days,
        )


def _loopback(host: str) -> str:
    """Refuse to show the page to the network: it has no accounts that could guard it yet."""
    try:
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise Unfit(
            f"is {host[:60]!r}, which others on the network could reach, "
            "and the page has no accounts yet",
            "write 127.0.0.1 and reach it through an SSH tunnel",
        )
    return host


class Page(Spec):
    """`[page]`: the local read-only page."""

    enabled: bool = Field(default=True, description="whether there is a page", examples=[True])
    host: Annotated[str, AfterValidator(_loopback)] = Field(
        default="127.0.0.1",
        description="address it listens on; only this machine's own, as there are no accounts yet",
        examples=["127.0.0.1"],
    )
    port: int = Field(
        default=8088,
        ge=0,
        le=65535,
        description="its TCP port; 0 takes a free one",
        examples=[8088],
    )


class Logging(Spec):
    """`[logging]`: what is told on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="the least grave that is told", examples=["info"]
    )


class SealConfig(Spec):
    """The whole file."""

    site: Site = Field(description="which mine and which box")
    storage: Storage = Field(description="where records are kept")
    bus: Many[BusSpec] = Field(default=(), max_length=64, description="buses of meters, contacts")
    camera: Many[CameraSpec] = Field(default=(), max_length=64, description="cameras")
    challenge: Many[ChallengeSpec] = Field(
        default=(), max_length=32, description="lamps that cameras must see when they are lit"
    )
    clip: ClipSpec = Field(default=ClipSpec(), description="films of what opened an incident")
    detector: Detector = Field(default=Detector(), description="which model looks at pictures")
    broker: Annotated[Many[BrokerSpec], Field(min_length=1, max_length=8)] = Field(
        description="addresses of the province's broker, tried in order"
    )
    uplink: UplinkSpec = Field(
        default=UplinkSpec(), description="how it comes back after an outage"
    )
    province: ProvinceSpec = Field(default=ProvinceSpec(), description="whose orders count")
    page: Page = Field(default=Page(), description="the local page")
    logging: Logging = Field(default=Logging(), description="what is told on standard error")

    def sha256(self) -> str:
        """SHA-256 (hex) of `redacted()` as RFC 8785 JSON, so that a quiet edit shows.

        Without passwords: a hash over them would let whoever reads the records guess them.
        """
        return hashlib.sha256(rfc8785.dumps(self.redacted())).hexdigest()

    def redacted(self) -> dict[str, Any]:
        """The configuration as JSON values, without the passwords that URLs carry."""
        data: dict[str, Any] = self.model_dump(mode="json")
        for camera in data["camera"]:
            camera["url"] = hide_passwords(camera["url"])
            camera["sub_url"] = hide_passwords(camera["sub_url"])
        return data

    def profiles(self) -> dict[str, str]:
        """SHA-256 (hex) of every meter profile of the site's own, by its file."""
        named = {meter.profile for bus in self.bus for meter in bus.meter}
        return {name: digest(name) for name in sorted(named) if is_profile_file(name)}


def load(path: Path) -> SealConfig:
    """Read and check `path`.

    Raises:
        ConfigError: with every fault found, each with its path and what would be right.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            [Fault(str(path), f"cannot be read ({error.strerror})", "name a readable seal.toml")]
        ) from error
    try:
        data = decode(raw)
    except Unfit as error:
        raise ConfigError([Fault(str(path), error.problem, error.remedy)]) from error
    faults = _profile_faults(data)
    try:
        config = parse(data)
    except ConfigError as error:
        raise ConfigError([*error.faults, *faults]) from error
    if faults:
        raise ConfigError(faults)
    return config


def _profile_faults(data: dict[str, Any]) -> list[Fault]:
    """What is wrong with the site's own meter profiles: each file's faults once."""
    names = custom_profiles(data)
    faults = [
        Fault("bus", f"names {len(names)} meter profiles of its own", f"use at most {MAX_PROFILES}")
        for _ in names[MAX_PROFILES : MAX_PROFILES + 1]
    ]
    for name in names[:MAX_PROFILES]:
        try:
            load_profile(name)
        except ConfigError as error:
            faults += error.faults
    return faults


def decode(raw: bytes) -> dict[str, Any]:
    """TOML tables from bytes that may be anything, in bounded time.

    Raises:
        Unfit: not TOML, or larger than a seal.toml can be.
    """
    return tables(raw, MAX_BYTES, "a seal.toml")


def parse(data: dict[str, Any]) -> SealConfig:
    """Check the parsed TOML. Raises ConfigError as `load` does."""
    faults: list[Fault] = []
    try:
        config = SealConfig.model_validate(data)
    except ValidationError as error:
        faults = faults_of(error, SealConfig)
    faults += across(data)
    if faults:
        raise ConfigError(faults)
    return config
