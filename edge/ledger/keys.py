"""The gateway's Ed25519 key: a PEM file that nobody else may read."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.errors import ConfigError, Fault
from edge.ledger.checkpoint import Signer


def load_or_create(path: Path, name: str) -> Signer:
    """The key in `path`, made on first use; its public half is written beside it (`.vkey`).

    Raises:
        ConfigError: the file is readable by others, or is not an Ed25519 key.
    """
    if not path.exists():
        _create(path)
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise ConfigError(
            [Fault(str(path), f"has mode {mode:o}, others can read it", f"chmod 600 {path}")]
        )
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            [Fault(str(path), "is not a private key in PEM", "restore it from the backup")]
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigError([Fault(str(path), "is not an Ed25519 key", "give an Ed25519 key")])
    signer = Signer(name, private)
    public = path.with_suffix(".vkey")
    if not public.exists():
        public.write_text(f"{signer.verifier}\n")
    return signer


def _create(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
