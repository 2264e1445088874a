"""What the benchmarks of ledger and uplink share: records, a ledger, an uplink over it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.rig import GATEWAY, MINE_CODE
from edge.clock import SystemClock
from edge.domain.record import Draft, RecordType
from edge.ledger.keys import load_or_create
from edge.ledger.store import Ledger
from edge.uplink.service import Uplink
from edge.uplink.spec import BrokerSpec, ProvinceSpec

ORIGIN = f"eseal/{MINE_CODE}/{GATEWAY}"
CLOCK = SystemClock()


def summary(number: int) -> Draft:
    """A record as the ledger mostly has them: what a meter showed in a minute."""
    data = {
        "source": "fan",
        "from": "2026-01-01T00:00:00.000000Z",
        "to": "2026-01-01T00:01:00.000000Z",
        "power_kw": {"min": 12.25, "max": 13.75, "mean": 13.125 + number % 7},
        "readings": 60,
        "number": number,
    }
    return Draft(RecordType.POWER_SUMMARY, CLOCK.now(), data)


def opened(number: int) -> Draft:
    """An alarm."""
    now = CLOCK.now()
    data = {
        "incident": f"person-at-shaft/shaft-cam/mouth/{number}",
        "code": "person-at-shaft",
        "name": {"zh": "井口有人", "en": "Person at the shaft mouth"},
        "level": 1,
        "state": "suspended",
        "source": "shaft-cam",
        "place": "mouth",
        "opened": now.iso(),
        "stamp": now.iso(),
        "reasons": [],
        "evidence": [],
        "number": number,
    }
    return Draft(RecordType.INCIDENT_OPENED, now, data)


def open_ledger(directory: Path) -> Ledger:
    """The ledger in this directory, with a key of its own beside it."""
    directory.mkdir(parents=True, exist_ok=True)
    signer = load_or_create(directory / "gateway.key", ORIGIN)
    return Ledger.open(directory, origin=ORIGIN, signer=signer, clock=CLOCK)


def fill(ledger: Ledger, count: int) -> None:
    """Append `count` summaries, 500 a commit."""
    for first in range(0, count, 500):
        ledger.submit([summary(n) for n in range(first, min(count, first + 500))]).result()


def deliver(ledger: Ledger, brokers: Iterable[BrokerSpec], keys: Iterable[str] = ()) -> Uplink:
    """An uplink for this ledger that obeys nobody."""
    return Uplink(
        tuple(brokers),
        ProvinceSpec(keys=tuple(keys)),
        mine_code=MINE_CODE,
        gateway=GATEWAY,
        ledger=ledger,
        clock=CLOCK,
        on_order=lambda _order: None,
        on_refused=lambda _reason, _digest: None,
    )
