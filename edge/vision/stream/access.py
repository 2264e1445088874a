"""How one stream is reached: its address, the transport, whom TLS trusts. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

TLS_SCHEMES = frozenset({"rtsps", "https"})
RTSP_SCHEMES = frozenset({"rtsp", "rtsps"})
HTTP_SCHEMES = frozenset({"http", "https"})
PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


class Transport(StrEnum):
    """What carries the pictures of an RTSP stream."""

    AUTO = "auto"
    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True)
class Access:
    """One stream's address and how to trust it.

    Attributes:
        url: with user and password; never shown.
        transport: of RTSP.
        ca_file: PEM of the authority (or of the camera itself) that TLS trusts.
        tls_pin: SHA-256 of the camera's certificate, 64 hex digits; instead of `ca_file`.
    """

    url: str = field(repr=False)
    transport: Transport = Transport.AUTO
    ca_file: str = ""
    tls_pin: str = ""

    @property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme

    @property
    def host(self) -> str:
        """Name or address of the camera; empty for files and devices."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or PORTS.get(parts.scheme, 0)

    @property
    def tls(self) -> bool:
        return self.scheme in TLS_SCHEMES
