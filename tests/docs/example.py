"""The worked example of docs/verify.md, computed with nothing of ours but the leaf's spelling.

`python -m tests.docs.example` prints the blocks that must stand there.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.clock import Stamp
from edge.domain.record import Draft, RecordType
from edge.ledger.leaf import encode_leaf

ORIGIN = "eseal/220000000001/gw-1"
PROVINCE = "province.example"
COSIGNED_S = 1_767_225_660
_FACTS: tuple[tuple[RecordType, dict[str, Any]], ...] = (
    (RecordType.GATEWAY_STARTED, {"version": "1.0"}),
    (RecordType.CONTACT_CHANGED, {"source": "door", "closed": False}),
    (RecordType.CONTACT_CHANGED, {"source": "door", "closed": True}),
)


def private(name: str) -> Ed25519PrivateKey:
    """The example's keys: the seed is the hash of the name. Never do that."""
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


def _key_id(name: str, algorithm: int) -> tuple[bytes, bytes]:
    raw = bytes([algorithm]) + private(name).public_key().public_bytes_raw()
    return sha256(name.encode() + b"\n" + raw).digest()[:4], raw


def _vkey(name: str, algorithm: int) -> str:
    key_id, raw = _key_id(name, algorithm)
    return f"{name}+{key_id.hex()}+{base64.b64encode(raw).decode()}"


def _line(name: str, blob: bytes) -> str:
    return f"\u2014 {name} {base64.b64encode(blob).decode()}\n"


def leaves() -> list[bytes]:
    """Three records of a new year's night."""
    stamps = [Stamp(1_767_225_600_000_000 + 7_000_000 * i, 5_000_000 * i, "boot") for i in range(3)]
    drafts = [Draft(kind, at, data) for (kind, data), at in zip(_FACTS, stamps, strict=True)]
    return [encode_leaf(draft, ORIGIN, index) for index, draft in enumerate(drafts)]


def blocks() -> list[str]:
    """The fenced blocks, in the order of the page."""
    a, b, c = (sha256(b"\0" + leaf).digest() for leaf in leaves())
    ab = sha256(b"\1" + a + b).digest()
    root = sha256(b"\1" + ab + c).digest()
    body = f"{ORIGIN}\n3\n{base64.b64encode(root).decode()}\n"
    signature = private(ORIGIN).sign(body.encode())
    note = f"{body}\n" + _line(ORIGIN, _key_id(ORIGIN, 1)[0] + signature)
    message = f"cosignature/v1\ntime {COSIGNED_S}\n{body}"
    cosigned = COSIGNED_S.to_bytes(8, "big") + private(PROVINCE).sign(message.encode())
    receipt = note + _line(PROVINCE, _key_id(PROVINCE, 4)[0] + cosigned)
    hashes = (
        f"leaf 0     {a.hex()}\nleaf 1     {b.hex()}\nleaf 2     {c.hex()}\n"
        f"node 1/0   {ab.hex()}\nroot       {root.hex()}\n"
    )
    return [
        "".join(leaf.decode() + "\n" for leaf in leaves()),
        hashes,
        f"{_vkey(ORIGIN, 1)}\n{_vkey(PROVINCE, 4)}\n",
        note,
        message,
        receipt,
    ]


if __name__ == "__main__":
    import sys

    for block in blocks():
        sys.stdout.write(f"```text\n{block}```\n\n")
