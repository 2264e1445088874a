"""Reading our own leaves back: moments, and the orders that they tell. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from edge.clock import Stamp, parse_iso
from edge.domain.mine import OrderKind
from edge.domain.order import parse_args
from edge.domain.record import RecordType
from edge.errors import Refused
from edge.wiring import Spec

DONE, FAILED = "done", "failed"


def moment(leaf: Mapping[str, Any]) -> Stamp:
    """The stamp of a leaf."""
    return Stamp(parse_iso(leaf["time"]), leaf["monous"], leaf["bootid"])


def stamp(leaf: Mapping[str, Any], iso: str) -> Stamp:
    """A moment of the leaf's boot: told by wall time, monotonic time by its distance."""
    then_us, at_us = parse_iso(iso), parse_iso(leaf["time"])
    return Stamp(then_us, leaf["monous"] - (at_us - then_us), leaf["bootid"])


def obeyed(leaf: Mapping[str, Any]) -> Spec | None:
    """Arguments of the order that this leaf says was obeyed; None for any other leaf."""
    data = leaf["data"]
    if leaf["type"] != RecordType.ORDER_DONE or data["result"] != DONE:
        return None
    # An order of a later version, whose ledger was brought to this one, says nothing here.
    with suppress(Refused, ValueError):
        return parse_args(OrderKind(data["kind"]), data["args"])
    return None
