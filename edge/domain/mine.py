"""The mine's state and the orders that change it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.clock import Stamp
from edge.wiring import Spec


class MineState(StrEnum):
    """The five states of a mine (docs: domain of the seal)."""

    PRODUCING = "producing"  # 正常生产
    RECTIFYING = "rectifying"  # 停产停工整改
    SUSPENDED = "suspended"  # 长期停产停工
    CLOSING = "closing"  # 即将关闭退出
    CLOSED = "closed"  # 关闭取缔


class OrderKind(StrEnum):
    """What the province may order."""

    SET_STATE = "set-state"
    GRANT_PERMIT = "grant-permit"
    REVOKE_PERMIT = "revoke-permit"
    ACKNOWLEDGE = "acknowledge"
    DISPOSE = "dispose"
    SNAPSHOT = "snapshot"
    RESEND = "resend"
    POLICY = "policy"
    ROTATE_KEY = "rotate-key"
    CHALLENGE = "challenge"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Order:
    """A verified order: signed by an enrolled province key, for us, in time, not seen before.

    Attributes:
        nonce: names it for ever.
        kind: what it orders.
        args: its arguments, of the class that edge/domain/order.py has for its kind.
        received: when it came.
        expires_us: end of its life; a nonce is remembered beyond it.
        key: name and hash of the key that signed it.
    """

    nonce: str
    kind: OrderKind
    args: Spec
    received: Stamp
    expires_us: int = 0
    key: str = ""
