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
from typing import Any

import rfc8785

from edge.clock import Stamp
from edge.domain.mine import Order, OrderKind
from edge.domain.order import parse_args
from edge.domain.permit import moment_us
from edge.errors import Refused
from edge.ledger.checkpoint import Signer, Verifier
from edge.uplink.codec import canonical_object
from edge.uplink.nonces import Nonces

MAX_ORDER_BYTES = 16_384
MAX_LIFE_S = 7 * 86_400  # an order that waits longer should be thought over again
MAX_AHEAD_S = 300  # the province's clock may be this far before ours
_PREFIX = b"eseal-order/1\n"
_KEYS = frozenset({"args", "audience", "expires", "issued", "kind", "nonce"})
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")


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
        nonces: of orders accepted before.
        begun_us: when this ledger began, if one came before it whose nonces are not known here:
            what was issued earlier might be a repetition.
    """

    def __init__(
        self,
        audience: str,
        keys: Iterable[Verifier],
        nonces: Nonces | None = None,
        begun_us: int = 0,
    ) -> None:
        self._audience = audience
        self._keys = {_key_name(key): key for key in keys}
        self._nonces = nonces or Nonces()
        self._begun_us = begun_us

    def read(self, payload: bytes, now: Stamp) -> Order:
        """The order in `payload`; its nonce counts as used from here on.

        Raises:
            Refused: with a reason that repeats nothing of a stranger's bytes; `Repeated` when
                it was accepted before.
        """
        envelope = canonical_object(payload, MAX_ORDER_BYTES, "the order")
        order = self._signed(envelope)
        if order["audience"] != self._audience:
            raise Refused("the order is for another gateway")
        expires_us = _check_times(order, now)
        nonce = order["nonce"]
        if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce):
            raise Refused("the order's nonce is not 16 to 64 letters and digits")
        if _time_us(order["issued"]) < self._begun_us:
            raise Refused("the order was issued before this ledger began; issue it again")
        self._nonces.check(nonce, expires_us)
        kind = _kind(order["kind"])
        args = parse_args(kind, order["args"])
        self._nonces.add(nonce, expires_us)
        return Order(nonce, kind, args, now, expires_us, envelope["key"])

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


def _key_name(key: Verifier) -> str:
    return f"{key.name}+{key.key_id.hex()}"


def _check_times(order: Mapping[str, Any], now: Stamp) -> int:
    """When it expires, µs. Raises Refused."""
    issued, expires = _time_us(order["issued"]), _time_us(order["expires"])
    if expires < now.wall_us:
        raise Refused("the order has expired")
    if issued > now.wall_us + MAX_AHEAD_S * 1_000_000:
        raise Refused("the order was issued in the future")
    if expires - issued > MAX_LIFE_S * 1_000_000:
        raise Refused("the order lives longer than seven days")
    return expires


def _time_us(text: object) -> int:
    try:
        return moment_us(text)
    except ValueError as error:
        raise Refused("the order's times are not RFC 3339 UTC") from error


def _kind(text: object) -> OrderKind:
    try:
        return OrderKind(text)  # type: ignore[arg-type]
    except ValueError as error:
        raise Refused("the order is of a kind that is not known here") from error
