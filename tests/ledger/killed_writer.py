"""A process that appends as fast as it can and tells each acknowledged record; it gets killed.

Run as `python -m tests.ledger.killed_writer DIRECTORY KEY_HEX FIRST_NUMBER`.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections import deque
from concurrent.futures import Future
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.clock import SystemClock
from edge.domain.record import Record
from edge.ledger.checkpoint import Signer
from edge.ledger.store import Ledger
from tests.ledger.support import ORIGIN, alarm, draft


def main() -> None:
    directory, key, first = sys.argv[1:]
    signer = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key)))
    ledger = Ledger.open(Path(directory), origin=ORIGIN, signer=signer, clock=SystemClock())
    waiting: deque[tuple[int, Future[list[Record]]]] = deque()
    for number in itertools.count(int(first), 2):
        drafts = [alarm(number) if number % 7 == 0 else draft(number), draft(number + 1)]
        waiting.append((number, ledger.submit(drafts)))
        if len(waiting) < 12:
            continue
        told, future = waiting.popleft()
        records = future.result()
        ledger.move_cursor("alarm", records[0].index)
        lines = [f"{record.index} {told + i}\n" for i, record in enumerate(records)]
        os.write(1, "".join(lines).encode())


if __name__ == "__main__":
    main()
