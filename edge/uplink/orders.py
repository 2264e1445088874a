"""Signed orders: written by the province, read and judged here. Pure.

    {"key": NAME+HASH, "order": {args, audience, expires, issued, kind, nonce}, "signature": BASE64}

in canonical JSON (RFC 8785). Ed25519 signs `eseal-order/1`, a newline and the canonical
bytes of `order`, so that no signature over anything else can be passed off as an order.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785

from edge.clock import Stamp
from edge.domain.mine import MineState, Order, OrderKind
from edge.errors import Refused
from edge.ledger.checkpoint import Signer, Verifier
from edge.uplink.codec import canonical_object

MAX_ORDER_BYTES = 16_384
MAX_LIFE_S = 7 * 86_400  # an order that waits longer should be thought over again
MAX_AHEAD_S = 300  # the province's clock may be this far before ours
NONCES_KEPT = 10_000
_PREFIX = b"eseal-order/1\n"
_KEYS = frozenset({"args", "audience", "expires", "issued", "kind", "nonce"})
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


@dataclass(frozen=True, slots=True)
class UnsignedOrder:
    """An order before it is signed. Times are microseconds UTC."""

    audience: str
    kind: str
    args: Mapping[str, Any]
    nonce: str
    issued_us: int
    expires_us: int


def write_order(draft: UnsignedOrder, signer: Signer) -> bytes:
    """Sign an order: what the province sends."""
    order: dict[str, Any] = {
        "args": dict(draft.args),
        "audience": draft.audience,
        "expires": Stamp(draft.expires_us, 0, "").iso(),
        "issued": Stamp(draft.issued_us, 0, "").iso(),
        "kind": draft.kind,
        "nonce": draft.nonce,
    }
    signature = signer.sign(_PREFIX + rfc8785.dumps(order))
    return rfc8785.dumps(
        {
            "key": _key_name(signer.verifier),
            "order": order,
            "signature": base64.b64encode(signature).decode(),
        }
    )


class OrderDesk:
    """Judges orders for one gateway, and remembers which nonces were used.

    Args:
        audience: `mine_code/gateway`.
        keys: the province's keys.
        used: nonces of orders accepted before, oldest first (the ledger knows them).
    """

    def __init__(self, audience: str, keys: Iterable[Verifier], used: Iterable[str] = ()) -> None:
        self._audience = audience
        self._keys = {_key_name(key): key for key in keys}
        self._used = dict.fromkeys(used)
        self._trim()

    def read(self, payload: bytes, now: Stamp) -> Order:
        """The order in `payload`; its nonce counts as used from here on.

        Raises:
            Refused: with a reason that repeats nothing of a stranger's bytes.
        """
        envelope = canonical_object(payload, MAX_ORDER_BYTES, "the order")
        order = self._signed(envelope)
        if order["audience"] != self._audience:
            raise Refused("the order is for another gateway")
        _check_times(order, now)
        nonce = order["nonce"]
        if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce):
            raise Refused("the order's nonce is not 16 to 64 letters and digits")
        if nonce in self._used:
            raise Refused("the order was received before")
        kind, args = _content(order)
        self._used[nonce] = None
        self._trim()
        return Order(nonce, kind, args, now)

    def _signed(self, envelope: Mapping[str, Any]) -> dict[str, Any]:
        if set(envelope) != {"key", "order", "signature"}:
            raise Refused("the order has other keys than it should")
        name, order, text = envelope["key"], envelope["order"], envelope["signature"]
        key = self._keys.get(name) if isinstance(name, str) else None
        if key is None:
            raise Refused("the order is signed by a key that is not enrolled")
        try:
            signature = base64.b64decode(text, validate=True)
            if base64.b64encode(signature).decode() != text:
                raise ValueError("another spelling of the same bytes")
        except (TypeError, ValueError) as error:
            raise Refused("the order's signature is not base64") from error
        if not key.accepts(_PREFIX + rfc8785.dumps(order), signature):
            raise Refused("the order's signature is wrong")
        if not isinstance(order, dict) or set(order) != _KEYS:
            raise Refused("the order has other keys than it should")
        return order

    def _trim(self) -> None:
        while len(self._used) > NONCES_KEPT:
            del self._used[next(iter(self._used))]


def _key_name(key: Verifier) -> str:
    return f"{key.name}+{key.key_id.hex()}"


def _check_times(order: Mapping[str, Any], now: Stamp) -> None:
    issued, expires = _time_us(order["issued"]), _time_us(order["expires"])
    if expires < now.wall_us:
        raise Refused("the order has expired")
    if issued > now.wall_us + MAX_AHEAD_S * 1_000_000:
        raise Refused("the order was issued in the future")
    if expires - issued > MAX_LIFE_S * 1_000_000:
        raise Refused("the order lives longer than seven days")


def _time_us(text: object) -> int:
    try:
        if not isinstance(text, str) or not _TIME.fullmatch(text):
            raise ValueError("not RFC 3339 UTC")
        return round(datetime.fromisoformat(text).timestamp() * 1e6)
    except ValueError as error:
        raise Refused("the order's times are not RFC 3339 UTC") from error


def _content(order: Mapping[str, Any]) -> tuple[OrderKind, dict[str, str]]:
    args = order["args"]
    if not isinstance(args, dict) or not all(isinstance(value, str) for value in args.values()):
        raise Refused("the order's arguments are not texts")
    try:
        kind = OrderKind(order["kind"])
    except ValueError as error:
        raise Refused("the order is of a kind that is not known here") from error
    match kind:
        case OrderKind.SET_STATE:
            right = set(args) == {"state"} and args["state"] in set(MineState)
        case OrderKind.ACKNOWLEDGE:
            right = set(args) == {"incident", "by"} and all(
                0 < len(value) <= 200 for value in args.values()
            )
    if not right:
        raise Refused("the order's arguments are not those of its kind")
    return kind, args
