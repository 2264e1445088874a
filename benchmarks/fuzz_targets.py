"""What strangers' bytes reach, and a way to throw bytes at it: every parser may refuse, no more.

The first byte of an input chooses the target. Orders and receipts go in raw, and once more with
the signature put right, so that what lies behind the signature is reached too.
"""

from __future__ import annotations

import atexit
import base64
import json
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.parts import ORIGIN, opened, summary
from benchmarks.rig import GATEWAY, MINE_CODE
from edge.clock import ManualClock
from edge.domain.mine import OrderKind
from edge.errors import Refused
from edge.ledger.checkpoint import (
    Checkpoint,
    Signer,
    Verifier,
    parse_note,
    verify_checkpoint,
    verify_cosignature,
)
from edge.ledger.leaf import encode_leaf, evidence_of, parse_leaf
from edge.ledger.merkle import leaf_hash
from edge.ledger.store import Ledger
from edge.uplink.codec import EvidencePart, decode_part, encode_part, offline_state
from edge.uplink.inbox import Inbox
from edge.uplink.orders import OrderDesk, UnsignedOrder, write_order
from edge.uplink.receipt_desk import Hooks, ReceiptDesk
from edge.uplink.topics import Address, Topics, parse_topic
from simulators.province.view import GatewayView

GATEWAY_SIGNER = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
PROVINCE = Signer("province.fuzz", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
FRESH_VIEW = 5_000  # inputs after which the simulated province begins anew
KINDS: dict[str, dict[str, Any]] = {
    "set-state": {"state": "closed"},
    "grant-permit": {
        "permit": {
            "id": "p-1",
            "begins": "2025-06-15T15:06:40Z",
            "ends": "2025-06-15T17:06:40Z",
            "zones": ["mouth"],
            "classes": ["person"],
            "heads": 3,
            "responsible": "Li Lei",
            "plan": "2025-17",
        }
    },
    "revoke-permit": {"permit": "p-1", "by": "duty officer"},
    "acknowledge": {"incident": "a/b/c/1", "by": "duty officer"},
    "dispose": {"incident": "a/b/c/1", "disposition": "false-alarm", "by": "duty officer"},
    "snapshot": {"camera": "shaft-cam"},
    "resend": {"start": 0, "end": 100},
    "rotate-key": {"by": "duty officer"},
    "challenge": {"lamp": "lamp-1"},
    "reference": {"camera": "shaft-cam"},
    "policy": {"levels": {"person-at-shaft": 2}, "rules": {"person-at-shaft": {"min_s": 2}}},
}


def small_ledger() -> Ledger:
    """Three records under the key that the receipts here are for."""
    folder = tempfile.TemporaryDirectory(prefix="eseal-fuzz-")
    ledger = Ledger.open(
        Path(folder.name), origin=ORIGIN, signer=GATEWAY_SIGNER, clock=ManualClock()
    )
    atexit.register(folder.cleanup)
    atexit.register(ledger.close)
    ledger.submit([summary(0), opened(1), summary(2)]).result()
    return ledger


class Targets:
    """Everything that takes foreign bytes. What a gateway keeps is kept from input to input."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.desk = OrderDesk(f"{MINE_CODE}/{GATEWAY}", [PROVINCE.verifier])
        self._ledger = small_ledger()
        self._topics = Topics(MINE_CODE, GATEWAY)
        self.inbox = Inbox(
            self._topics,
            [PROVINCE.verifier],
            self._ledger,
            self.clock,
            on_order=lambda _order: None,
            on_refused=lambda _reason, _digest: None,
        )
        self.receipts = ReceiptDesk(
            [PROVINCE.cosigner],
            self._ledger,
            self.clock,
            Hooks(
                said=lambda _size: None,
                heard=lambda: None,
                broke=lambda _broken: False,
                compared=lambda _compared: None,
            ),
        )
        self.accepted = 0
        self._fed = 0
        self._view = GatewayView(MINE_CODE, GATEWAY)
        self._targets = (
            self.order,
            self.signed_order,
            self.receipt,
            self.signed_receipt,
            self.state,
            self.part,
            self.record,
            self.checkpoint,
            self.topic,
            self.key,
        )

    def feed(self, data: bytes) -> None:
        """One input. Raises whatever a target raises that is not Refused."""
        if not data:
            return
        if self._fed % FRESH_VIEW == 0:
            self._view = GatewayView(MINE_CODE, GATEWAY)
            self._view.enrol(str(GATEWAY_SIGNER.verifier))
        self._fed += 1
        with suppress(Refused):
            self._targets[data[0] % len(self._targets)](data[1:])
            self.accepted += 1

    def order(self, payload: bytes) -> None:
        now = self.clock.advance(0.05)  # slower than the limit at which nothing is looked at
        self.inbox.take(self._topics.order, payload)
        self.desk.read(payload, now)

    def signed_order(self, payload: bytes) -> None:
        """The bytes as the inner object, well signed."""
        with suppress(ValueError, RecursionError):
            order = json.loads(payload)
            canonical = rfc8785.dumps(order)
            signature = PROVINCE.sign(b"eseal-order/1\n" + canonical)
            key = PROVINCE.verifier
            envelope = {
                "key": f"{key.name}+{key.key_id.hex()}",
                "order": order,
                "signature": base64.b64encode(signature).decode(),
            }
            if isinstance(order, dict):  # fresh, else the first one would be the last
                fresh = {"nonce": f"fuzz-{self._fed:012d}"} if self._fed % 64 else {}
                envelope["order"] = order = order | fresh
                signature = PROVINCE.sign(b"eseal-order/1\n" + rfc8785.dumps(order))
                envelope["signature"] = base64.b64encode(signature).decode()
            self.order(rfc8785.dumps(envelope))

    def receipt(self, payload: bytes) -> None:
        self.clock.advance(0.05)
        self.receipts.take(payload)
        verify_cosignature(payload, [PROVINCE.cosigner])

    def signed_receipt(self, payload: bytes) -> None:
        """The bytes as origin, size and time, well signed."""
        origin = payload[12:].decode("utf-8", "replace").replace("\n", " ")
        size = int.from_bytes(payload[:6])
        if payload[12:13] == b"!":  # a head that is ours
            origin, size = ORIGIN, size % 4
            top = self._ledger.root_at(size)
        else:
            top = leaf_hash(payload)
        head = Checkpoint(origin, size, top)
        note = GATEWAY_SIGNER.checkpoint(head)
        parse_note(note)
        self.receipt(PROVINCE.cosign(note, int.from_bytes(payload[6:12])))

    def state(self, payload: bytes) -> None:
        self._view.take(self._address("state"), payload, 0.0)

    def part(self, payload: bytes) -> None:
        part = decode_part(payload)
        self._view.take(Address(MINE_CODE, GATEWAY, "evidence", part.sha256, part.part), payload, 0)

    def record(self, payload: bytes) -> None:
        for kind in ("record", "alarm"):
            with suppress(Refused):
                self._view.take(self._address(kind), payload, 0.0)
        list(evidence_of(parse_leaf(payload, ORIGIN, 0)))

    def checkpoint(self, payload: bytes) -> None:
        self._view.take(self._address("checkpoint"), payload, 0.0)
        verify_checkpoint(payload, GATEWAY_SIGNER.verifier)

    def topic(self, payload: bytes) -> None:
        parse_topic(payload.decode("utf-8", "replace"))

    def key(self, payload: bytes) -> None:
        Verifier.parse(payload.decode("utf-8", "replace"))

    def _address(self, kind: str) -> Address:
        return Address(MINE_CODE, GATEWAY, kind)


def seeds() -> list[bytes]:
    """Good inputs, from which a fuzzer makes bad ones."""
    topics = Topics(MINE_CODE, GATEWAY)
    now = ManualClock().now()
    leaf = encode_leaf(summary(0), ORIGIN, 0)
    note = GATEWAY_SIGNER.checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(leaf)))
    digest = sha256(b"bytes").hexdigest()
    state: dict[str, Any] = {"online": True, "size": 1, "key": str(GATEWAY_SIGNER.verifier)}
    found = [
        (2, PROVINCE.cosign(note, now.wall_us // 1_000_000)),
        (3, bytes(12) + ORIGIN.encode()),
        (3, bytes(5) + b"\x03" + (now.wall_us // 1_000_000).to_bytes(6) + b"!"),
        (4, offline_state("stopped", now.iso())),
        (4, rfc8785.dumps(state)),
        (5, encode_part(EvidencePart(digest, "image/jpeg", 5, 0, 1, b"bytes"))),
        (6, leaf),
        (6, encode_leaf(opened(1), ORIGIN, 0)),
        (7, note),
        (8, topics.evidence("0" * 64, 3).encode()),
        (9, str(PROVINCE.cosigner).encode()),
    ]
    for kind in OrderKind:
        expires = now.wall_us + 3_600_000_000
        nonce = f"{kind.value}-0123456789ab"
        audience = f"{MINE_CODE}/{GATEWAY}"
        draft = UnsignedOrder(audience, kind, KINDS[kind], nonce, now.wall_us, expires)
        signed = write_order(draft, PROVINCE)
        found += [(0, signed), (1, rfc8785.dumps(json.loads(signed)["order"]))]
    return [bytes([target]) + payload for target, payload in found]
