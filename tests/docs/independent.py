"""A second verifier, written from docs/verify.md alone: nothing of the product is imported."""

from __future__ import annotations

import base64
import json
import re
import tarfile
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Stack = list[tuple[int, bytes]]


@dataclass
class Shown:
    """What a bundle shows to whoever holds the keys."""

    origin: str
    start: int
    size: int
    hash_only: int = 0
    receipts: list[tuple[int, int]] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)


class Key:
    """A C2SP verifier key."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.name, self.key_id, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded)
        assert sha256(self.name.encode() + b"\n" + raw).hexdigest()[:8] == self.key_id
        self.cosigns = raw[0] == 4
        self._public = Ed25519PublicKey.from_public_bytes(raw[1:])

    def accepts(self, message: bytes, signature: bytes) -> None:
        """InvalidSignature unless it is this key's."""
        self._public.verify(signature, message)

    def signed(self, note: str) -> int | None:
        """0 for a signature, the time for a cosignature; None if there is no valid one."""
        body, _, tail = note.partition("\n\n")
        for line in tail.splitlines():
            _dash, name, encoded = line.split(" ")
            blob = base64.b64decode(encoded)
            if (name, blob[:4].hex()) != (self.name, self.key_id):
                continue
            time = int.from_bytes(blob[4:12], "big") if self.cosigns else 0
            head = f"cosignature/v1\ntime {time}\n" if self.cosigns else ""
            try:
                self._public.verify(blob[12 if self.cosigns else 4 :], f"{head}{body}\n".encode())
            except InvalidSignature:
                continue
            return time
        return None


def check(bundle: Path, gateway: str, province: str) -> Shown:
    """Follow the page's steps; AssertionError where one does not hold."""
    with tarfile.open(bundle) as tar:
        files = [(member.name, _read(tar, member)) for member in tar]
    names = [name for name, _data in files]
    content = dict(files)
    assert len(content) == len(files)
    kinds = [name.split("/")[0] for name in names]
    order = ["checkpoint", "gateway.vkey", "receipts", "proofs.json", "records", "evidence"]
    assert kinds == sorted(kinds, key=[*order, "manifest.json"].index)
    note = content["checkpoint"].decode()
    origin, size, root = note.split("\n")[:3]
    key = Key(gateway)
    assert key.name == re.sub(r"/[1-9][0-9]{0,5}-[0-9a-f]{8}$", "", origin)
    proofs = json.loads(content["proofs.json"])
    shown = Shown(origin, proofs["start"], int(size))
    records = b"".join(content[name] for name in names if name.startswith("records/"))
    named = _records(records, proofs, shown, base64.b64decode(root))
    assert _heir(key, records, origin).signed(note) == 0
    notes = [content[name].decode() for name in names if name.startswith("receipts/")]
    for receipt, proof in zip(notes, proofs["receipts"], strict=True):
        held = receipt.split("\n")[:3]
        time = Key(province).signed(receipt)
        assert held[0] == origin
        assert time
        roots = base64.b64decode(held[2]), base64.b64decode(root)
        assert _consistent(int(held[1]), shown.size, *roots, [bytes.fromhex(p) for p in proof])
        shown.receipts.append((int(held[1]), time))
    evidence = {name.split("/")[1]: data for name, data in files if name.startswith("evidence/")}
    assert all(sha256(data).hexdigest() == name for name, data in evidence.items())
    assert evidence.keys() <= named
    shown.missing = named - evidence.keys()
    listed = json.loads(content["manifest.json"])["files"]
    assert listed == [
        {"name": name, "size": len(data), "sha256": sha256(data).hexdigest()}
        for name, data in files[:-1]
    ]
    return shown


def _heir(key: Key, records: bytes, origin: str) -> Key:
    """Whom the key handed over to, as the records tell."""
    force = ""
    for line in records.splitlines():
        leaf = json.loads(line)
        if isinstance(leaf, list) or leaf["type"] != "eseal.key.rotated":
            continue
        data = leaf["data"]
        said = {"index": int(leaf["id"]), "new": data["new"], "old": data["old"], "origin": origin}
        message = b"eseal-key-rotation/1\n" + rfc8785.dumps(said)
        assert force in {"", data["old"]}
        for name in ("old", "new"):
            assert Key(data[name]).name == key.name
            Key(data[name]).accepts(message, base64.b64decode(data[f"by_{name}"]))
        force = data["new"]
        if data["old"] == key.text:
            key = Key(data["new"])
    return key


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def _records(data: bytes, proofs: dict[str, Any], shown: Shown, root: bytes) -> set[str]:
    n, named = shown.start, set()
    levels = [level for level in reversed(range(64)) if n >> level & 1]
    hashes = map(bytes.fromhex, proofs["peaks"])
    stack: Stack = list(zip(levels, hashes, strict=True))
    for line in data.splitlines():
        value = json.loads(line)
        if isinstance(value, list):
            level, digest = value[0], bytes.fromhex(value[1])
            assert n % 2**level == 0
            shown.hash_only += 2**level
        else:
            assert (value["source"], value["id"]) == (shown.origin, str(n))
            level, digest = 0, sha256(b"\0" + line).digest()
            named |= set(_evidence(value))
        n += 2**level
        stack.append((level, digest))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            (level, upper), (_level, lower) = stack.pop(), stack.pop()
            stack.append((level + 1, _node(lower, upper)))
    digest = stack.pop()[1]
    while stack:
        digest = _node(stack.pop()[1], digest)
    assert (n, digest) == (shown.size, root)
    return named


def _evidence(value: Any) -> list[str]:
    if isinstance(value, list):
        return [digest for item in value for digest in _evidence(item)]
    if not isinstance(value, dict):
        return []
    own = [item["sha256"] for item in value.get("evidence", [])]
    return own + [digest for item in value.values() for digest in _evidence(item)]


def _consistent(old: int, new: int, was: bytes, now: bytes, proof: list[bytes]) -> bool:
    """RFC 9162, 2.1.4.2."""
    if old == new:
        return was == now and not proof
    if old & (old - 1) == 0:
        proof = [was, *proof]
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        assert sn
        if fn & 1 or fn == sn:
            fr, sr = _node(c, fr), _node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = _node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return (fr, sr, sn) == (was, now, 0)
