"""The bundle that `eseal export` writes and `eseal verify` reads: one plain tar, rigid.

Members, in this order and no other: `checkpoint`, `gateway.vkey`, `receipts/NN`, `proofs.json`,
`records/FIRST.jsonl` (leaves, one a line, exact bytes; where retention let leaves go, the nodes
over them as `[level,"hash"]`), `evidence/SHA256`, `manifest.json`.
Every header byte follows from name and size, so a reader need believe nothing but those two,
and the same ledger always gives the same bundle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from tarfile import USTAR_FORMAT, TarInfo
from typing import IO

import rfc8785

from edge.errors import EsealError, Refused

FORMAT = "eseal-bundle/1"
CHECKPOINT, VKEY, PROOFS, MANIFEST = "checkpoint", "gateway.vkey", "proofs.json", "manifest.json"
RECEIPTS, RECORDS, EVIDENCE = "receipts/", "records/", "evidence/"
MAX_RECEIPTS = 16
SEGMENT_BYTES = 4_000_000  # a records member is closed once it holds this much
MAX_MEMBERS = 200_000
_NODE = re.compile(rb'\[([0-9]|[1-4][0-9]),"([0-9a-f]{64})"\]')
_BLOCK = 512
_MAX_NAME = 99
_CHUNK = 1 << 20
END = bytes(2 * _BLOCK)


def receipt_name(number: int) -> str:
    """Member of the receipt with this number."""
    return f"{RECEIPTS}{number:02d}"


def records_name(first: int) -> str:
    """Member that begins with leaf `first`."""
    return f"{RECORDS}{first:016d}.jsonl"


def encode_proofs(start: int, peaks: list[str], receipts: list[list[str]]) -> bytes:
    """`proofs.json`: what ties the records and each receipt to the checkpoint, hashes in hex.

    Args:
        start: first record in the bundle.
        peaks: perfect subtrees of the records before it, the largest first.
        receipts: for each receipt its consistency proof to the checkpoint.
    """
    return rfc8785.dumps(
        {"format": FORMAT, "start": start, "peaks": list(peaks), "receipts": list(receipts)}
    )


def encode_node(level: int, digest: bytes) -> bytes:
    """The line that stands for the 2^level leaves under a node, whose bytes are gone."""
    return rfc8785.dumps([level, digest.hex()])


def parse_node(line: bytes) -> tuple[int, bytes] | None:
    """Level and hash, if a line of the records is a node's."""
    found = _NODE.fullmatch(line)
    return (int(found[1]), bytes.fromhex(found[2].decode())) if found else None


def header(name: str, size: int) -> bytes:
    """The 512 bytes before a member of this name and size."""
    info = TarInfo(name)
    info.size = size
    return info.tobuf(USTAR_FORMAT)


def padding(size: int) -> bytes:
    """Zeros up to the next block."""
    return bytes(-size % _BLOCK)


@dataclass(slots=True)
class Manifest:
    """Names, sizes and hashes of all members before it."""

    files: list[dict[str, str | int]] = field(default_factory=list)

    def add(self, name: str, size: int, digest: str) -> None:
        """Note a member."""
        self.files.append({"name": name, "size": size, "sha256": digest})

    def encode(self, origin: str, start: int, size: int) -> bytes:
        """The manifest's bytes, canonical JSON."""
        files = list(self.files)
        return rfc8785.dumps(
            {"format": FORMAT, "origin": origin, "start": start, "size": size, "files": files}
        )


class BundleWriter:
    """Writes members one after the other. Raises OSError, or EsealError when there are too many."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._manifest = Manifest()

    def add(self, name: str, data: bytes) -> None:
        """A member that is in memory."""
        self.copy(name, len(data), sha256(data).hexdigest(), BytesIO(data))

    def copy(self, name: str, size: int, digest: str, source: IO[bytes]) -> None:
        """A member from a file whose size and hash are known."""
        if len(self._manifest.files) >= MAX_MEMBERS:
            raise EsealError(f"more than {MAX_MEMBERS} files; export a later part with --start")
        self._file.write(header(name, size))
        left = size
        while left and (chunk := source.read(min(left, _CHUNK))):
            self._file.write(chunk)
            left -= len(chunk)
        if left:
            raise OSError(None, f"{name} became shorter while it was read")
        self._file.write(padding(size))
        self._manifest.add(name, size, digest)

    def finish(self, origin: str, start: int, size: int) -> None:
        """The manifest and the end."""
        self.add(MANIFEST, self._manifest.encode(origin, start, size))
        self._file.write(END)


class BundleReader:
    """Reads members one after the other, bounded, believing nothing. Raises Refused.

    `name` and `size` are the current member's; `name` is empty at the end.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.manifest = Manifest()
        self.name = ""
        self.size = 0
        self.advance()

    def advance(self) -> None:
        """Go to the next member; the current one must have been read."""
        block = self._exactly(_BLOCK)
        if not any(block):
            if self._exactly(_BLOCK) != bytes(_BLOCK) or self._file.read(1):
                raise Refused("there is something after the end of the bundle")
            self.name, self.size = "", 0
            return
        try:
            name = block[:100].rstrip(b"\0").decode("ascii")
            size = int(block[124:135].decode("ascii"), 8)
            plain = 0 < len(name) <= _MAX_NAME and name.isprintable() and size >= 0
            if not plain or header(name, size) != block:
                raise ValueError("not a plain file's header")
        except ValueError as error:
            raise Refused(f"after {self.name!r}: not a member of a bundle ({error})") from error
        if len(self.manifest.files) >= MAX_MEMBERS:
            raise Refused(f"more than {MAX_MEMBERS} members")
        self.name, self.size = name, size

    def read(self, limit: int) -> bytes:
        """The whole current member, and go on to the next."""
        return b"".join(self.chunks(limit))

    def chunks(self, limit: int) -> Iterator[bytes]:
        """The current member in pieces; when they are all taken, the next is current."""
        name, size = self.name, self.size
        if size > limit:
            raise Refused(f"{name} has {size} bytes, more than the {limit} that it may have")
        digest = sha256()
        left = size
        while left:
            chunk = self._exactly(min(left, _CHUNK))
            digest.update(chunk)
            left -= len(chunk)
            yield chunk
        if any(self._exactly(-size % _BLOCK)):
            raise Refused(f"{name} is not followed by zeros")
        self.manifest.add(name, size, digest.hexdigest())
        self.advance()

    def _exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise Refused("the bundle ends in the middle")
        return data
