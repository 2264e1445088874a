"""The gateway's Ed25519 key: a PEM file that nobody else may read."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.errors import ConfigError, Fault
from edge.ledger.checkpoint import Signer
from edge.ledger.evidence import fsync_directory
from edge.ledger.schema import cannot_write


def load_or_create(path: Path, name: str) -> Signer:
    """The key in `path`, made on first use; its public half is written beside it (`.vkey`).

    Raises:
        ConfigError: the file is readable by others, cannot be read, or is not an Ed25519 key.
        StorageFull: it cannot be written.
    """
    try:
        if not path.exists():
            _write(path, _new_pem())
    except OSError as error:
        raise cannot_write(path.parent, f"no key can be made ({error.strerror})") from error
    signer = Signer(name, _read(path))
    _publish(path.with_suffix(".vkey"), signer)
    return signer


def _read(path: Path) -> Ed25519PrivateKey:
    def fault(problem: str, remedy: str) -> ConfigError:
        return ConfigError([Fault(str(path), problem, remedy)])

    try:
        mode = path.stat().st_mode & 0o777
        pem = path.read_bytes()
    except OSError as error:
        raise fault(f"cannot be read ({error.strerror})", "give it to the eseal user") from error
    if mode & 0o077:
        raise fault(f"has mode {mode:o}, others can read it", f"chmod 600 {path}")
    try:
        private = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise fault("is not a private key in PEM", "restore it from the backup") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise fault("is not an Ed25519 key", "give an Ed25519 key")
    return private


def _publish(path: Path, signer: Signer) -> None:
    line = f"{signer.verifier}\n".encode()
    try:
        if not path.exists() or path.read_bytes() != line:
            path.write_bytes(line)
    except OSError as error:
        raise cannot_write(path.parent, f"{path.name}: {error.strerror}") from error


def _new_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: half a key would keep the gateway from starting for ever."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    fsync_directory(path.parent)
