"""The mine's state and the orders that change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge.clock import Stamp


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
    ACKNOWLEDGE = "acknowledge"


@dataclass(frozen=True, slots=True)
class Order:
    """A verified order: signed by an enrolled province key, for us, in time, not seen before.

    `args`: `{"state": …}` for set-state; `{"incident": …, "by": …}` for acknowledge.
    """

    nonce: str
    kind: OrderKind
    args: Mapping[str, Any]
    received: Stamp
