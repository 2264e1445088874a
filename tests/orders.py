"""Orders as the province draws them up, and verified, as they come out of the uplink."""

from __future__ import annotations

from typing import Any

from edge.clock import Stamp
from edge.domain.mine import Order, OrderKind
from edge.domain.order import MAX_RESENT, parse_args
from edge.uplink.orders import UnsignedOrder

PERMIT = {
    "id": "JL-2026.12",
    "begins": "2026-05-01T00:00:00.000000Z",
    "ends": "2026-05-02T00:00:00.000000Z",
    "zones": ["mouth"],
    "classes": ["person", "vehicle"],
    "heads": 9,
    "feeders": ["hoist"],
    "responsible": "李工",
    "plan": "吉安整改〔2026〕12号",
}
SPEAKS = {"incident": "person-at-shaft/cam/mouth/1", "by": "王主任"}
GOOD_ORDERS: list[tuple[OrderKind, dict[str, Any]]] = [
    (OrderKind.SET_STATE, {"state": "closed"}),
    (OrderKind.GRANT_PERMIT, {"permit": PERMIT}),
    (OrderKind.REVOKE_PERMIT, {"permit": "JL-2026.12", "by": "李工"}),
    (OrderKind.ACKNOWLEDGE, SPEAKS),
    (OrderKind.DISPOSE, {**SPEAKS, "disposition": "false-alarm"}),
    (
        OrderKind.DISPOSE,
        {
            **SPEAKS,
            "disposition": "normal-repair",
            "site_check": "2026-05-01T08:30:00.000000Z",
            "note": "已核查",
        },
    ),
    (OrderKind.SNAPSHOT, {"camera": "shaft-cam"}),
    (OrderKind.RESEND, {"start": 0, "end": MAX_RESENT}),
    (OrderKind.RESEND, {"sha256": "ab" * 32}),
    (OrderKind.ROTATE_KEY, {"by": "王主任"}),
    (OrderKind.CHALLENGE, {"lamp": "mouth-lamp"}),
    (OrderKind.REFERENCE, {"camera": "shaft-cam"}),
    (OrderKind.POLICY, {"levels": {}, "rules": {}}),
    (
        OrderKind.POLICY,
        {
            "levels": {"person-at-shaft": 4},
            "rules": {"production-load": {"min_s": 0.5, "hold_s": 3600.0}},
        },
    ),
]


def unsigned_order(now_us: int, **changes: Any) -> UnsignedOrder:
    """An order to 220182000001/gw1 that is issued now and lives for a minute."""
    fields: dict[str, Any] = {
        "audience": "220182000001/gw1",
        "kind": "set-state",
        "args": {"state": "closed"},
        "nonce": "abcdefgh-1234_ABCD",
        "issued_us": now_us,
        "expires_us": now_us + 60_000_000,
    }
    return UnsignedOrder(**{**fields, **changes})


def an_order(kind: OrderKind, args: Any, now: Stamp, nonce: str = "n" * 22) -> Order:
    """An order of this kind that was received now and lives for an hour."""
    expires_us = now.wall_us + 3_600_000_000
    return Order(nonce, kind, parse_args(kind, args), now, expires_us, "province.test+00000000")
