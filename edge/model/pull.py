"""Bring a model's file from where the manifest says, or from a stick; only its hash counts."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from edge.errors import EsealError, Refused, StorageFull
from edge.vision.detect.manifest import ModelSpec

TIMEOUT_S = 30.0
TRIES = 5  # each goes on where the one before broke off
_CHUNK = 1 << 16

Progress = Callable[[int], None]
"""Told how many bytes are here."""


class Unreachable(EsealError):
    """The address does not give the file now."""

    exit_code = 69  # EX_UNAVAILABLE of sysexits.h


def pull(spec: ModelSpec, own: Path, progress: Progress) -> Path:
    """Fetch the model's file; proxies are taken from the environment (https_proxy, no_proxy).

    What a broken transfer left is gone on with, here or at the next call.

    Raises:
        Refused: the manifest has no address, or what came is not what the manifest names.
        Unreachable: the address gives nothing, or breaks off too often.
        StorageFull: the disk takes nothing.
    """
    if not spec.url:
        raise Refused(f"{spec.name}: the manifest names no address to fetch it from")
    own.mkdir(parents=True, exist_ok=True)
    part = own / f"{spec.file}.part"
    why = "it breaks off"
    for _ in range(TRIES):
        try:
            with part.open("ab") as file:
                _go_on(spec, file, progress)
        except (
            urllib.error.URLError,
            http.client.HTTPException,
            TimeoutError,
            ConnectionError,
        ) as error:
            why = str(getattr(error, "reason", None) or error)
            if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                break
        except OSError as error:
            raise StorageFull(f"{part}: {error.strerror}") from error
        if part.exists() and part.stat().st_size == spec.size_bytes:
            return _accept(spec, part, own)
    raise Unreachable(
        f"{spec.url}: {why}. Fetch it elsewhere, carry it here, "
        f"and run `eseal model pull {spec.name} --from FILE`"
    )


def carry(spec: ModelSpec, source: Path, own: Path) -> Path:
    """Take the model's file from `source`, a file or a folder that holds it.

    Raises:
        Refused: it is not what the manifest names.
        OSError: it cannot be read, or the disk takes nothing.
    """
    own.mkdir(parents=True, exist_ok=True)
    path = source / spec.file if source.is_dir() else source
    part = own / f"{spec.file}.part"
    with path.open("rb") as file, part.open("wb") as copy:
        for chunk in _chunks(file, spec.size_bytes):
            copy.write(chunk)
    return _accept(spec, part, own)


def _go_on(spec: ModelSpec, file: IO[bytes], progress: Progress) -> None:
    have = file.tell()
    if have >= spec.size_bytes:
        file.truncate(0)  # of another version
        have = 0
    request = urllib.request.Request(spec.url)  # noqa: S310 - the scheme is the manifest's
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
        if have and answer.status != http.client.PARTIAL_CONTENT:
            file.truncate(0)  # it gives the whole again
            have = 0
        for chunk in _chunks(answer, spec.size_bytes - have):
            file.write(chunk)
            have += len(chunk)
            progress(have)


def _chunks(file: IO[bytes], most: int) -> Iterator[bytes]:
    """What is in `file`, `most` bytes and one more: enough to see that it is too long."""
    left = most + 1
    while left > 0 and (chunk := file.read(min(_CHUNK, left))):
        left -= len(chunk)
        yield chunk


def _accept(spec: ModelSpec, part: Path, own: Path) -> Path:
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    if digest != spec.sha256:
        part.unlink()
        raise Refused(
            f"{spec.name}: what came has SHA-256 {digest[:16]}…, the manifest names "
            f"{spec.sha256[:16]}…; it was not kept"
        )
    target = own / spec.file
    part.replace(target)
    return target
