"""Where the province listens: the shape of `[[broker]]` and `[province]` in seal.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Spec(BaseModel):
    """Wiring is exact: an unknown key is a fault, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsSpec(Spec):
    """Files for mutual TLS, PEM."""

    ca: Path = Field(description="certificate of the authority that signed the broker's")
    certificate: Path | None = Field(default=None, description="our client certificate")
    key: Path | None = Field(default=None, description="its private key")


class BrokerSpec(Spec):
    """One address of the province's broker; several are tried in the order given."""

    host: str = Field(min_length=1)
    port: int = Field(default=8883, ge=1, le=65535)
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    tls: TlsSpec | None = None
    username: str = ""
    password_file: Path | None = None
    keepalive_s: int = Field(default=30, ge=5, le=3600)
    window: int = Field(default=100, ge=1, le=2000, description="publishes without PUBACK")


class ProvinceSpec(Spec):
    """Keys that orders and receipts must be signed with, as C2SP verifier keys."""

    keys: tuple[Annotated[str, Field(pattern=r"^[^+\s]+\+[0-9a-f]{8}\+\S+$")], ...] = ()
