"""The mine's state and the orders that change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge.clock import Stamp

MAX_TEXT = 200  # characters of a name or an identifier in an order


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

    def fault(self) -> str:
        """Why the arguments cannot be obeyed; empty when they can."""
        match self.kind:
            case OrderKind.SET_STATE:
                wanted = self.args.get("state")
                known = {state.value for state in MineState}
                if not isinstance(wanted, str) or wanted not in known:
                    return f"state is not one of {', '.join(sorted(known))}"
            case OrderKind.ACKNOWLEDGE:
                for name in ("incident", "by"):
                    text = self.args.get(name)
                    if not isinstance(text, str) or not 0 < len(text) <= MAX_TEXT:
                        return f"{name} is not a text of 1 to {MAX_TEXT} characters"
        return ""
