"""Orders as they are written on a command line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from edge.domain.mine import OrderKind
from edge.domain.order import ARGS, parse_args
from edge.errors import ConfigError, Fault, Refused

_SHAPE = re.compile(r"([0-9]{12})/([a-z0-9-]{1,32})\s+([a-z-]+)(?:\s+(\{.*\}))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order to be signed and sent."""

    mine_code: str
    gateway: str
    kind: str
    args: dict[str, Any]


def parse_order(text: str, option: str = "--order") -> Wanted:
    """Read `MINE/GATEWAY KIND {arguments in JSON}`. Raises ConfigError."""
    found = _SHAPE.fullmatch(text.strip())
    kinds = ", ".join(ARGS)
    if found is None or found[3] not in set(ARGS):
        remedy = f"write 'MINE/GATEWAY KIND {{JSON}}' ({kinds})"
        raise ConfigError([Fault(option, f"is {text[:60]!r}", remedy)])
    try:
        args = json.loads(found[4] or "{}")
        parse_args(OrderKind(found[3]), args)
    except (ValueError, Refused) as error:
        remedy = "docs/schemas/order.json has the arguments of each kind"
        raise ConfigError([Fault(option, f"{found[3]}: {error}", remedy)]) from error
    return Wanted(found[1], found[2], found[3], args)


def parse_state(text: str) -> Wanted:
    """Read `MINE/GATEWAY=STATE`. Raises ConfigError."""
    place, _equals, state = text.partition("=")
    return parse_order(f"{place} set-state {json.dumps({'state': state})}", "--set-state")
