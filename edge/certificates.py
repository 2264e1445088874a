"""Whether certificate and key files can serve TLS: readable PEM, a pair, and in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from edge.errors import Fault, Unfit
from edge.uplink.spec import TlsSpec

MAX_PEM_BYTES = 1_000_000  # a bundle of all public authorities is a quarter of it


def tls_faults(where: str, tls: TlsSpec, now: datetime) -> Iterator[Fault]:
    """Every fault of the files that `tls` names.

    Args:
        where: path of the table, to begin each fault's path.
        tls: the files.
        now: the moment at which the certificates must be valid, aware.
    """
    public: dict[str, PublicKeyTypes] = {}
    for name, path in (("ca", tls.ca), ("certificate", tls.certificate)):
        if path is None:
            continue
        try:
            public[name] = _certificate(path, now)
        except Unfit as unfit:
            yield Fault(f"{where}.{name}", f"{path} {unfit.problem}", unfit.remedy)
    if tls.key is None:
        return
    try:
        key = _private(tls.key)
    except Unfit as unfit:
        yield Fault(f"{where}.key", f"{tls.key} {unfit.problem}", unfit.remedy)
        return
    if "certificate" in public and key != public["certificate"]:
        yield Fault(
            f"{where}.key",
            f"{tls.key} does not belong to {tls.certificate}",
            "give the key that the certificate was made for",
        )


def _certificate(path: Path, now: datetime) -> PublicKeyTypes:
    """Public key of the first certificate in `path`. Raises Unfit."""
    data = _read(path)
    try:
        first, *_ = x509.load_pem_x509_certificates(data)
        public = first.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unfit("holds no certificate in PEM", "put the certificate there") from error
    begin, end = first.not_valid_before_utc, first.not_valid_after_utc
    if now < begin:
        raise Unfit(f"is valid only from {begin:%Y-%m-%d %H:%M} UTC", "look at the clock")
    if now > end:
        raise Unfit(f"expired on {end:%Y-%m-%d %H:%M} UTC", "ask the province for a new one")
    return public


def _private(path: Path) -> PublicKeyTypes:
    """Public half of the key in `path`. Raises Unfit."""
    data = _read(path)
    try:
        return load_pem_private_key(data, None).public_key()
    except TypeError as error:
        raise Unfit("is locked with a password", "store it without, mode 600") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unfit("holds no private key in PEM", "put the key there") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PEM_BYTES + 1)
    except OSError as error:
        raise Unfit(f"cannot be read ({error.strerror})", "put the file there") from error
    if len(data) > MAX_PEM_BYTES:
        raise Unfit("is larger than 1 MB", "put the PEM file there")
    return data
