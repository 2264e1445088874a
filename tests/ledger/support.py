"""Drafts, trees and hands that change files."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from edge.clock import Stamp
from edge.domain.record import Draft, RecordType
from edge.ledger.merkle import new_nodes
from edge.ledger.schema import FILE_NAME

ORIGIN = "eseal/220000000001/gw-1"
WAIT_S = 20


def draft(number: int = 0, kind: RecordType = RecordType.GATEWAY_HEALTH, **data) -> Draft:
    stamp = Stamp(1_750_000_000_000_000 + number, number, "boot")
    return Draft(kind, stamp, {"number": number, **data})


def alarm(number: int = 0, **data) -> Draft:
    return draft(number, RecordType.INCIDENT_OPENED, **data)


def tree_of(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    """Node lookup of the tree over `leaves`."""
    nodes: dict[tuple[int, int], bytes] = {}
    for index, leaf in enumerate(leaves):
        for level, position, digest in new_nodes(index, leaf, lambda lv, pos: nodes[lv, pos]):
            nodes[level, position] = digest
    return lambda level, position: nodes[level, position]


def tamper(directory: Path, statement: str, *values) -> None:
    """What a hand with the sqlite3 shell would do."""
    connection = sqlite3.connect(directory / FILE_NAME)
    with connection:
        assert connection.execute(statement, values).rowcount > 0
    connection.close()


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether `condition` comes true within `WAIT_S`."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
