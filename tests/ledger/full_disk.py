"""What a ledger does on a file-system that really is full, and then really is read-only.

Run as `python -m tests.ledger.full_disk MOUNT` where MOUNT is a small file-system of its own.
Prints `ok`, or fails.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.errors import StorageFull
from edge.ledger.checkpoint import Signer
from edge.ledger.export import export
from edge.ledger.policy import Policy
from edge.ledger.store import Ledger, LedgerView
from edge.ledger.verify import verify
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft

SMALL = Policy(budget=100_000_000, reserve=300_000)


def fill(ledger: Ledger) -> int:
    """Append until the disk is full; how many were acknowledged."""
    acknowledged = 0
    told = False

    def append_for_ever() -> None:
        nonlocal acknowledged, told
        while True:
            told = told or ledger.space(SMALL).low
            acknowledged += len(ledger.submit([draft(0, text="x" * 5000)] * 4).result(WAIT_S))

    with pytest.raises(StorageFull, match="no space is left"):
        append_for_ever()
    assert told  # while there was room for an incident
    return acknowledged


def main() -> None:
    mount = Path(sys.argv[1])
    signer = Signer.generate(ORIGIN)
    (mount / "ballast").write_bytes(bytes(1_000_000))

    def open_one() -> Ledger:
        return Ledger.open(mount / "l", origin=ORIGIN, signer=signer, clock=SystemClock())

    ledger = open_one()
    acknowledged = fill(ledger)
    assert ledger.submit([]).result(WAIT_S) == []
    with pytest.raises(StorageFull, match="No space left"):
        ledger.put_evidence(bytes(2_000_000), "video/mp4", "").result(WAIT_S)
    assert ledger.size == acknowledged
    (mount / "ballast").unlink()
    assert ledger.submit([alarm()]).result(WAIT_S)[0].index == acknowledged
    ledger.close()
    ledger = open_one()
    assert ledger.size == acknowledged + 1
    ledger.close()

    subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
    with pytest.raises(StorageFull, match="Read-only"):
        open_one()
    view = LedgerView.open(mount / "l")
    assert view.size == acknowledged + 1
    view.close()
    bundle = Path(sys.argv[2])
    export(mount / "l", bundle)
    assert verify(bundle, [str(signer.verifier)]).sound
    sys.stdout.write("ok\n")


if __name__ == "__main__":
    main()
