"""SIGKILL at moments of chance: nothing acknowledged is lost, nothing arrives altered.

A writer and an uplink in one process, 100 to 5,000 records a second, a real broker and the
simulated province; the process is killed again and again, the last one may deliver all. Then
three things are compared: what was acknowledged, what the ledger has, what the province has.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.parts import open_ledger
from benchmarks.rig import GATEWAY, MINE_CODE, report
from edge.ledger.leaf import decode_leaf
from edge.ledger.store import LedgerView
from simulators.province.broker import Broker
from simulators.province.service import Province
from simulators.province.view import GatewayView

REPO = Path(__file__).resolve().parents[1]
LEAST_RATE, MOST_RATE = 100.0, 5_000.0
STEP = 1_000_000  # numbers of one victim's records begin so far after the last one's
ARRIVED_S = 20.0


@dataclass
class Outcome:
    """What a campaign found. All but the first three must be zero."""

    kills: int = 0
    acknowledged: int = 0
    appended: int = 0
    acknowledged_missing: int = 0
    out_of_order: int = 0
    missing_at_province: int = 0
    altered_at_province: int = 0
    duplicates: int = 0
    faults: list[str] = field(default_factory=list)
    unexpected_ends: int = 0
    verified: bool = False

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        broken = (
            self.acknowledged_missing
            + self.out_of_order
            + self.missing_at_province
            + self.altered_at_province
            + self.unexpected_ends
        )
        return self.verified and not broken and not self.faults


class Victims:
    """Forks one after the other from a process that has everything imported."""

    def __init__(self, nursery: asyncio.subprocess.Process) -> None:
        self._nursery = nursery
        self.acknowledged: dict[int, int] = {}

    async def one(self, first: int, rate: float, life_s: float) -> int:
        """Let one live so long (0: until it ends by itself); its wait status."""
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(f"{first} {rate}\n".encode())
        pid = int((await self._nursery.stdout.readline()).split()[1])
        reading = asyncio.create_task(self._read(self._nursery.stdout))
        if life_s:
            await asyncio.sleep(life_s)
            os.kill(pid, signal.SIGKILL)
        return await reading

    async def _read(self, stdout: asyncio.StreamReader) -> int:
        while True:
            line = await stdout.readline()
            word, value = line.split()
            if word == b"over":
                return int(value)
            self.acknowledged[int(word)] = int(value)


def judge(
    outcome: Outcome, directory: Path, acknowledged: dict[int, int], view: GatewayView
) -> None:
    """Compare what was said, what is there, and what arrived."""
    ledger = LedgerView.open(directory)
    leaves = [leaf for _index, leaf in ledger.reader.leaves(0, ledger.size)]
    ledger.close()
    envelopes = [decode_leaf(leaf) for leaf in leaves]
    outcome.acknowledged, outcome.appended = len(acknowledged), len(leaves)
    outcome.out_of_order = sum(int(e["id"]) != i for i, e in enumerate(envelopes))
    numbers = [envelope["data"].get("number") for envelope in envelopes]
    outcome.out_of_order += len(numbers) - len(set(numbers))
    outcome.acknowledged_missing = sum(
        index >= len(numbers) or numbers[index] != number for index, number in acknowledged.items()
    )
    outcome.missing_at_province = len(leaves) - view.received
    outcome.duplicates = view.duplicates
    outcome.faults = list(view.faults)
    outcome.verified = view.verified and view.log.proven == len(leaves)


async def campaign(directory: Path, kills: int, seed: int, longest_s: float) -> Outcome:
    """Kill `kills` victims; the chances are those of `seed`."""
    chance = random.Random(seed)
    outcome = Outcome()
    arrived: dict[int, bytes] = {}

    def heard(_view: GatewayView, envelope: dict[str, Any], _at: float) -> None:
        arrived[int(envelope["id"])] = fingerprint(envelope)

    open_ledger(directory).close()
    key = (directory / "gateway.vkey").read_text("ascii").strip()
    async with (
        Broker(kind="mosquitto") as broker,
        Province(broker.host, broker.province_port, on_record=heard) as province,
    ):
        province.enrol(MINE_CODE, GATEWAY, key)
        nursery = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.victim", str(directory), str(broker.port)),
            *province.keys,
            cwd=REPO,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        victims = Victims(nursery)
        for number in range(kills):
            rate = math.exp(chance.uniform(math.log(LEAST_RATE), math.log(MOST_RATE)))
            status = await victims.one(number * STEP, rate, chance.uniform(0.001, longest_s))
            outcome.unexpected_ends += status != signal.SIGKILL
            outcome.kills += 1
        outcome.unexpected_ends += await victims.one(kills * STEP, 0, 0) != 0
        view = province.view(MINE_CODE, GATEWAY)
        whole = LedgerView.open(directory)
        size = whole.size
        whole.close()
        await province.wait_until(lambda _p: view.log.proven >= size, ARRIVED_S)
        nursery.terminate()
        await nursery.wait()
        judge(outcome, directory, victims.acknowledged, view)
        outcome.altered_at_province = altered(directory, arrived)
    return outcome


def altered(directory: Path, arrived: dict[int, bytes]) -> int:
    """Records that arrived with another content than the ledger has."""
    ledger = LedgerView.open(directory)
    count = sum(
        index in arrived and arrived[index] != fingerprint(decode_leaf(leaf))
        for index, leaf in ledger.reader.leaves(0, ledger.size)
    )
    ledger.close()
    return count


def fingerprint(envelope: dict[str, Any]) -> bytes:
    """The content of a record, whichever way it came."""
    return sha256(repr(sorted(envelope.items())).encode()).digest()


def main() -> None:
    """Kill and report; exit 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="kills")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--longest", type=float, default=1.5, help="seconds a victim may live")
    parser.add_argument("--quick", action="store_true", help="12 kills")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        count = 12 if args.quick else args.count
        outcome = asyncio.run(campaign(Path(name) / "l", count, args.seed, args.longest))
    report({**vars(outcome), "clean": outcome.clean, "seed": args.seed})
    sys.exit(not outcome.clean)


if __name__ == "__main__":
    main()
