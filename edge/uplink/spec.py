"""Where the province listens: the shape of `[[broker]]` and `[province]` in seal.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from edge.errors import Refused, Unfit
from edge.ledger.checkpoint import Verifier
from edge.wiring import FilePath, Host, Many, Spec


class TlsSpec(Spec):
    """Files for mutual TLS, PEM."""

    ca: FilePath = Field(
        description="certificate of the authority that signed the broker's",
        examples=["/etc/eseal/ca.crt"],
    )
    certificate: FilePath | None = Field(
        default=None, description="our client certificate", examples=["/etc/eseal/gateway.crt"]
    )
    key: FilePath | None = Field(
        default=None,
        validate_default=True,
        description="the private key of our client certificate",
        examples=["/etc/eseal/gateway.key"],
    )

    @field_validator("key")
    @classmethod
    def _goes_with_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        certificate = info.data.get("certificate", key)
        if (key is None) != (certificate is None):
            missing, given = ("key", "certificate") if key is None else ("certificate", "key")
            raise Unfit(f"{given} is given without {missing}", "give both or neither")
        return key


class BrokerSpec(Spec):
    """One address of the province's broker; several are tried in the order given."""

    host: Host = Field(
        description="name or address, as its certificate has it", examples=["mqtt.example.org"]
    )
    port: int = Field(default=8883, ge=1, le=65535, description="its TCP port", examples=[8883])
    protocol: Literal["auto", "5", "3.1.1"] = Field(
        default="auto", description="MQTT version; auto tries 5, then 3.1.1", examples=["5"]
    )
    tls: TlsSpec | None = Field(default=None, description="TLS; without it nothing is encrypted")
    username: str = Field(
        default="", max_length=256, description="name to log in with", examples=["gateway-1"]
    )
    password_file: FilePath | None = Field(
        default=None,
        description="file whose first line is the password",
        examples=["/etc/eseal/broker.password"],
    )
    keepalive_s: int = Field(
        default=30, ge=5, le=3600, description="seconds of silence before a ping", examples=[30]
    )
    window: int = Field(
        default=100, ge=1, le=2000, description="publishes without PUBACK", examples=[100]
    )

    @field_validator("password_file")
    @classmethod
    def _goes_with_username(cls, password: Path | None, info: ValidationInfo) -> Path | None:
        if password is not None and info.data.get("username") == "":
            raise Unfit("is given without a username", "add username, or remove it")
        return password


def _verifier_key(text: str) -> str:
    try:
        Verifier.parse(text)
    except Refused as error:
        raise Unfit(
            str(error), "copy the whole line that the province gave (name+hash+base64)"
        ) from error
    return text


class ProvinceSpec(Spec):
    """Keys that orders and receipts must be signed with."""

    keys: Many[Annotated[str, Field(max_length=300), AfterValidator(_verifier_key)]] = Field(
        default=(), max_length=16, description="the province's public keys, as C2SP verifier keys"
    )


class UplinkSpec(Spec):
    """How a gateway comes back after an outage, so that a fleet does not do it all at once."""

    replay_jitter_s: float = Field(
        default=5.0,
        ge=0,
        le=3600,
        description="routine records wait for a random time up to this after each connection; "
        "alarms do not",
        examples=[5.0],
    )
    replay_records_s: int = Field(
        default=1000,
        ge=0,
        le=100_000,
        description="routine records a second at most; 0 for no bound; alarms are not counted",
        examples=[1000],
    )
    evidence_kb_s: int = Field(
        default=250,
        ge=0,
        le=100_000,
        description="kB of evidence a second at most, beside the records; 0 for no bound",
        examples=[250],
    )
    return_s: float = Field(
        default=900.0,
        ge=0,
        le=86_400,
        description="seconds on a later broker after which those before it are tried again; "
        "0 to stay",
        examples=[900.0],
    )


UNBOUNDED = UplinkSpec(replay_jitter_s=0.0, replay_records_s=0, evidence_kb_s=0, return_s=0.0)
"""Nothing waits: for trials and benchmarks."""
