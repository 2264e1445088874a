"""A camera's certificate: signed by itself, as most cameras have it."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Identity:
    """A key and its certificate, PEM."""

    key: bytes
    certificate: bytes

    @property
    def pin(self) -> str:
        """SHA-256 of the certificate, hex."""
        return sha256(ssl.PEM_cert_to_DER_cert(self.certificate.decode())).hexdigest()

    def context(self) -> ssl.SSLContext:
        """For a server that shows it."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as name:
            path = Path(name, "camera.pem")
            path.touch(0o600)
            path.write_bytes(self.key + self.certificate)
            made.load_cert_chain(path)
        return made


def self_signed(name: str = "IPC", address: str = "", days: float = 365) -> Identity:
    """A new identity.

    Args:
        name: its common name; cameras write their model or "IPC" there.
        address: the IP address it names; empty for a certificate that names none.
        days: it is valid; negative: it ran out so many days ago.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    end = now + timedelta(days=days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - timedelta(days=1))
        .not_valid_after(end)
    )
    if address:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        builder = builder.add_extension(names, critical=False)
    signed = builder.sign(key, SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return Identity(pem, signed.public_bytes(Encoding.PEM))
