"""Checkpoints: signed heads of the ledger, and the province's cosignatures. Pure.

Formats: C2SP signed-note, tlog-checkpoint and tlog-cosignature (cosignature/v1), Ed25519.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.errors import Refused

MAX_NOTE_BYTES = 16_384
MAX_SIGNATURES = 16
COSIGNATURE = 0x04  # algorithm byte of a key that cosigns, and …
_ED25519 = 0x01  # … of one that signs
_LATEST_S = 253_402_300_799  # the year 9999; later ones cannot be told as a date
_DASH = "\u2014"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: who, how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note: key name, 4-byte key id, signature bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed checkpoint with its signature lines, not yet verified."""

    checkpoint: Checkpoint
    signatures: tuple[Signature, ...]


class Verifier:
    """A named Ed25519 public key, written `name+hash+base64` (C2SP verifier key)."""

    def __init__(self, name: str, public: Ed25519PublicKey, algorithm: int) -> None:
        self.name = name
        self.algorithm = algorithm
        self._public = public
        self._raw = bytes([algorithm]) + public.public_bytes_raw()
        self.key_id = sha256(name.encode() + b"\n" + self._raw).digest()[:4]

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read a verifier key. Raises Refused."""
        name, _, rest = text.strip().partition("+")
        hexed, _, encoded = rest.partition("+")
        try:
            _check_name(name)
            raw = _unbase64(encoded)
            if len(raw) != 33 or raw[0] not in (_ED25519, COSIGNATURE):
                raise ValueError("not an Ed25519 key")
            verifier = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]), raw[0])
        except ValueError as error:
            raise Refused(f"public key {text[:40]!r} cannot be read ({error})") from error
        if hexed != verifier.key_id.hex():
            raise Refused(f"public key {text[:40]!r} does not match its own hash")
        return verifier

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self._raw).decode()}"

    def as_cosigner(self) -> Verifier:
        """The same key in its other role: it cosigns heads, which makes receipts."""
        return Verifier(self.name, self._public, COSIGNATURE)

    def accepts(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over `message`."""
        try:
            self._public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def matches(self, line: Signature) -> bool:
        """Whether a signature line claims to be by this key."""
        return line.name == self.name and line.key_id == self.key_id


class Signer:
    """A named Ed25519 private key that signs checkpoints, or cosigns them.

    Raises:
        ValueError: a name with spaces, plus or unprintable characters; it is ours to choose.
    """

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        _check_name(name)
        self.name = name
        self._private = private
        public = private.public_key()
        self.verifier = Verifier(name, public, _ED25519)
        self.cosigner = Verifier(name, public, COSIGNATURE)

    @classmethod
    def generate(cls, name: str) -> Signer:
        """A new key."""
        return cls(name, Ed25519PrivateKey.generate())

    def sign(self, message: bytes) -> bytes:
        """Sign bytes: an order, a change of key."""
        return self._private.sign(message)

    def checkpoint(self, checkpoint: Checkpoint) -> bytes:
        """Sign a head: the note's bytes."""
        body = checkpoint.body()
        blob = self.verifier.key_id + self._private.sign(body.encode())
        return f"{body}\n{_line(self.name, blob)}".encode()

    def cosign(self, note: bytes, unix_s: int) -> bytes:
        """Add a cosignature/v1 with our time to a note: what a receipt is. Raises Refused."""
        message = _cosigned(parse_note(note).checkpoint, unix_s)
        blob = self.cosigner.key_id + unix_s.to_bytes(8, "big") + self._private.sign(message)
        return note + _line(self.name, blob).encode()


def parse_note(data: bytes) -> Note:
    """Read a checkpoint note without trusting it. Raises Refused."""
    if len(data) > MAX_NOTE_BYTES:
        raise Refused(f"checkpoint of {len(data)} bytes is larger than {MAX_NOTE_BYTES}")
    try:
        body, separator, tail = data.decode("utf-8").partition("\n\n")
        lines = body.split("\n")
        if not separator or len(lines) != 3:
            raise ValueError("a checkpoint has three lines, a blank one, and signatures")
        origin, size_text, root_text = lines
        if not origin or not origin.isprintable():
            raise ValueError("origin is not a line of printable text")
        if not (size_text.isascii() and size_text.isdigit()):
            raise ValueError("size is not a number")
        if len(size_text) > 16 or (size_text[0] == "0" and size_text != "0"):
            raise ValueError("size is not a plain number")
        root = _unbase64(root_text)
        if len(root) != 32:
            raise ValueError("root is not 32 bytes of base64")
        signatures = tuple(_parse_line(line) for line in tail.removesuffix("\n").split("\n"))
        if not tail.endswith("\n") or len(signatures) > MAX_SIGNATURES:
            raise ValueError("signature lines are not as they should be")
    except ValueError as error:
        raise Refused(f"not a checkpoint: {error}") from error
    return Note(Checkpoint(origin, int(size_text), root), signatures)


def verify_checkpoint(data: bytes, verifier: Verifier) -> Checkpoint:
    """Read a checkpoint that `verifier` signed. Raises Refused."""
    note = parse_note(data)
    message = note.checkpoint.body().encode()
    if any(
        verifier.matches(line) and verifier.accepts(message, line.signature)
        for line in note.signatures
    ):
        return note.checkpoint
    raise Refused(f"checkpoint of {note.checkpoint.origin} is not signed by {verifier.name}")


def verify_cosignature(data: bytes, keys: Iterable[Verifier]) -> tuple[Checkpoint, str, int]:
    """Read a receipt that one of `keys` cosigned.

    Returns:
        The checkpoint, the name of the key, and the cosigner's time in seconds since 1970.

    Raises:
        Refused: no known key cosigned it.
    """
    note = parse_note(data)
    for verifier in keys:
        for line in note.signatures:
            if not verifier.matches(line) or len(line.signature) != 72:
                continue
            unix_s = int.from_bytes(line.signature[:8], "big")
            if unix_s <= _LATEST_S and verifier.accepts(
                _cosigned(note.checkpoint, unix_s), line.signature[8:]
            ):
                return note.checkpoint, verifier.name, unix_s
    raise Refused(f"receipt for {note.checkpoint.origin} has no cosignature by a known key")


def _cosigned(checkpoint: Checkpoint, unix_s: int) -> bytes:
    return f"cosignature/v1\ntime {unix_s}\n{checkpoint.body()}".encode()


def _line(name: str, blob: bytes) -> str:
    return f"{_DASH} {name} {base64.b64encode(blob).decode()}\n"


def _parse_line(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != _DASH:
        raise ValueError("a signature line begins with a dash")
    _check_name(name)
    blob = _unbase64(encoded)
    if len(blob) < 5:
        raise ValueError("a signature is too short")
    return Signature(name, blob[:4], blob[4:])


def _check_name(name: str) -> None:
    if not name or "+" in name or not name.isprintable() or any(c.isspace() for c in name):
        raise ValueError("a key name is printable, without spaces or plus")


def _unbase64(text: str) -> bytes:
    """Decode the one canonical spelling; Python's decoder lets stray bits at the end pass."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 is not in its canonical spelling")
    return data
