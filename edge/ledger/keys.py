"""The gateway's Ed25519 key: a PEM file that nobody else may read."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.errors import ConfigError, Fault, LedgerCorrupt, Refused
from edge.ledger.checkpoint import Signer, Verifier
from edge.ledger.evidence import fsync_directory
from edge.ledger.reader import Reader
from edge.ledger.schema import cannot_write

KEY_NAME = "gateway.key"
SUCCESSOR_NAME = "gateway.key.next"


def load_or_create(path: Path, name: str) -> Signer:
    """The key in `path`, made on first use; its public half is written beside it (`.vkey`).

    Raises:
        ConfigError: the file is readable by others, cannot be read, or is not an Ed25519 key.
        StorageFull: it cannot be written.
    """
    try:
        if not path.exists():
            write_private(path, _new_pem())
    except OSError as error:
        raise cannot_write(path.parent, f"no key can be made ({error.strerror})") from error
    signer = Signer(name, _read(path))
    _publish(path.with_suffix(".vkey"), signer)
    return signer


def gateway_signer(directory: Path, name: str) -> Signer:
    """The gateway's key: systemd's credential `gateway.key` if there is one, else the file.

    Finishes a change of key that a crash interrupted: whether the ledger knows the new key decides.

    Args:
        directory: `storage.dir`.
        name: of the key, `eseal/MINE/GATEWAY`.

    Raises:
        ConfigError, StorageFull: as `load_or_create`.
    """
    credential = credential_path()
    if credential is not None:
        signer = Signer(name, _read(credential))
        _publish(directory / "gateway.vkey", signer)
        return signer
    path = directory / KEY_NAME
    successor = path.with_name(SUCCESSOR_NAME)
    try:
        if successor.exists():
            _finish(directory, successor, path, name)
    except OSError as error:
        raise cannot_write(directory, f"{successor.name}: {error.strerror}") from error
    return load_or_create(path, name)


def credential_path() -> Path | None:
    """The key that systemd hands us; None where it hands us none."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY", "")
    path = Path(directory) / KEY_NAME
    return path if directory and path.is_file() else None


def new_successor(directory: Path, name: str) -> Signer:
    """A new key, stored beside the one in force. Raises StorageFull."""
    path = directory / SUCCESSOR_NAME
    try:
        write_private(path, _new_pem())
    except OSError as error:
        raise cannot_write(directory, f"no key can be made ({error.strerror})") from error
    return Signer(name, _read(path))


def _finish(directory: Path, successor: Path, path: Path, name: str) -> None:
    """The new key takes the old one's place if the ledger was handed over to it."""
    reader = Reader(directory)
    try:
        known = reader.meta("vkey")
    except (ConfigError, LedgerCorrupt):
        known = ""
    finally:
        reader.close()
    if known == str(Signer(name, _read(successor)).verifier):
        successor.replace(path)
    else:
        successor.unlink()
    fsync_directory(directory)


def private_bytes(path: Path) -> bytes:
    """A private key's file. Raises ConfigError if it cannot be read, or others can read it."""
    try:
        mode = path.stat().st_mode & 0o777
        pem = path.read_bytes()
    except OSError as error:
        raise _fault(
            path, f"cannot be read ({error.strerror})", "give it to the eseal user"
        ) from error
    if mode & 0o077:
        raise _fault(path, f"has mode {mode:o}, others can read it", f"chmod 600 {path}")
    return pem


def _read(path: Path) -> Ed25519PrivateKey:
    pem = private_bytes(path)
    try:
        private = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _fault(path, "is not a private key in PEM", "restore it from the backup") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise _fault(path, "is not an Ed25519 key", "give an Ed25519 key")
    return private


def _fault(path: Path, problem: str, remedy: str) -> ConfigError:
    return ConfigError([Fault(str(path), problem, remedy)])


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


def write_private(path: Path, data: bytes) -> None:
    """Write a file that nobody else may read. Raises OSError.

    Whole or not at all: half a key would keep the gateway from starting for ever.
    """
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    fsync_directory(path.parent)


def read_verifier(text: str) -> Verifier:
    """A public key that somebody gave: a C2SP verifier key, or a file that holds one.

    Raises:
        Refused: it is neither.
    """
    try:
        return Verifier.parse(text)
    except Refused as refusal:
        try:
            with Path(text).open("rb") as file:
                line = file.read(1000)
        except (OSError, ValueError):
            raise refusal from None
        return Verifier.parse(line.decode("utf-8", "replace"))
