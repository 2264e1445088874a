"""`eseal enroll`: the keys of a new box, and what the province needs of them.

Everything is made once: run again it says the same again, and it overwrites nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from edge.config import SealConfig
from edge.errors import ConfigError, Fault, Refused
from edge.ledger.checkpoint import Verifier
from edge.ledger.keys import gateway_signer, private_bytes, write_private
from edge.ledger.schema import told

TlsKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What is there now.

    Attributes:
        vkey: verifier key of the gateway, for the province.
        tls_key: private key of the client certificate, PEM, mode 600.
        request: certificate request for it, PEM; its CN is MINE/GATEWAY.
        province: the `[province]` table that seal.toml still lacks; empty if it lacks nothing.
    """

    vkey: str
    tls_key: Path
    request: Path
    province: str


def enroll(config: SealConfig, province: Sequence[str]) -> Enrolment:
    """Make what is not there yet.

    Args:
        config: the gateway's; its broker's `tls.key` says where that key is to lie.
        province: verifier keys that the province gave, to be pinned.

    Raises:
        ConfigError: a key is not what it should be, or seal.toml pins other keys of the province.
        StorageFull: a file cannot be written.
    """
    site, directory = config.site, config.storage.dir
    pinned = _pin(config.province.keys, province)
    tls_key = next(
        (broker.tls.key for broker in config.broker if broker.tls and broker.tls.key),
        directory / "tls.key",
    )
    with told(directory):
        directory.mkdir(parents=True, exist_ok=True)
    signer = gateway_signer(directory, f"eseal/{site.mine_code}/{site.gateway}")
    request = tls_key.with_suffix(".csr")
    with told(tls_key.parent):
        if not tls_key.exists():
            write_private(tls_key, _pem(ec.generate_private_key(ec.SECP256R1())))
        key = _private(tls_key)
        if request.exists():
            _check_request(request, key)
        else:
            _write_request(request, key, f"{site.mine_code}/{site.gateway}")
    return Enrolment(str(signer.verifier), tls_key, request, pinned)


def _pin(configured: Sequence[str], given: Sequence[str]) -> str:
    """Lines for seal.toml. Raises ConfigError rather than replace a key that is pinned."""
    faults = []
    for text in given:
        try:
            Verifier.parse(text)
        except Refused as error:
            remedy = "copy the whole line that the province gave (name+hash+base64)"
            faults.append(Fault("--province", str(error), remedy))
    if not faults and configured and given and set(configured) != set(given):
        remedy = "compare both with the province by another way; only then edit seal.toml"
        faults.append(Fault("province.keys", "pins other keys than those given", remedy))
    if faults:
        raise ConfigError(faults)
    if configured or not given:
        return ""
    listed = ", ".join(f'"{text.strip()}"' for text in given)
    return f"[province]\nkeys = [{listed}]"


def _private(path: Path) -> TlsKey:
    """The key in `path`. Raises ConfigError."""
    pem = private_bytes(path)
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(
            [Fault(str(path), "is not a private key in PEM", "move it aside and enroll again")]
        ) from error
    if not isinstance(key, TlsKey):
        raise ConfigError([Fault(str(path), "cannot sign a request", "give an EC or RSA key")])
    return key


def _check_request(path: Path, key: TlsKey) -> None:
    """A request that lies there must be for this key: it may be on its way already."""
    try:
        ours = x509.load_pem_x509_csr(path.read_bytes()).public_key() == key.public_key()
    except ValueError:
        ours = False
    if not ours:
        raise ConfigError(
            [Fault(str(path), "is no request for the key beside it", "move it aside first")]
        )


def _write_request(path: Path, key: TlsKey, name: str) -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = (
        x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    )
    path.write_bytes(request.public_bytes(serialization.Encoding.PEM))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
