"""A process that appends as fast as it can and tells each acknowledged record; it gets killed.

Run as `python -m tests.ledger.killed_writer DIRECTORY KEY_HEX`. For each number on standard input
a child is forked that appends records from that number on; `pid N` says which process to kill,
`INDEX NUMBER` tells an acknowledged record, and `dead` follows everything a child said.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections import deque
from concurrent.futures import Future
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.clock import SystemClock
from edge.domain.record import Record
from edge.ledger.checkpoint import Signer
from edge.ledger.store import Ledger
from tests.ledger.support import ORIGIN, alarm, draft


def main() -> None:
    directory, key = Path(sys.argv[1]), bytes.fromhex(sys.argv[2])
    for line in sys.stdin:
        child = os.fork()
        if not child:
            write(directory, key, int(line))
        os.waitpid(child, 0)
        os.write(1, b"dead\n")


def write(directory: Path, key: bytes, first: int) -> NoReturn:
    os.write(1, f"pid {os.getpid()}\n".encode())
    signer = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(key))
    ledger = Ledger.open(directory, origin=ORIGIN, signer=signer, clock=SystemClock())
    waiting: deque[tuple[int, Future[list[Record]]]] = deque()
    for number in itertools.count(first, 2):
        drafts = [alarm(number) if number % 7 == 0 else draft(number), draft(number + 1)]
        waiting.append((number, ledger.submit(drafts)))
        if len(waiting) < 12:
            continue
        told, future = waiting.popleft()
        records = future.result()
        ledger.move_cursor("alarm", records[0].index)
        lines = [f"{record.index} {told + i}\n" for i, record in enumerate(records)]
        os.write(1, "".join(lines).encode())
    raise AssertionError


if __name__ == "__main__":
    main()
