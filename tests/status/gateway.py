"""A whole gateway without sources and without a broker: real seal, recorder and ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.clock import ManualClock, Stamp
from edge.domain.record import Draft, Record, RecordType
from edge.ledger.checkpoint import Signer
from edge.ledger.keys import load_or_create
from edge.ledger.store import Ledger
from edge.recorder import Recorder
from edge.rules.engine import initial
from edge.seal import Seal
from edge.status import Status
from tests.recording import Bench
from tests.seals import picture_quality, reading, sighting, site

PROVINCE = Signer.generate("province.example")


class Broker:
    """What `Status` asks of the uplink, as the test sets it."""

    def __init__(self) -> None:
        self.connected = True
        self.broker = "127.0.0.1:8883"
        self.fault = ""
        self.newest_puback: Stamp | None = None
        self.newest_receipt: tuple[int, Stamp] | None = None
        self.refused = {"order": 1}
        self.evidence = {"sent": 2}


class Gateway:
    """Everything `Status` is given, and the clock."""

    def __init__(self, directory: Path, **changes: Any) -> None:
        self.clock = ManualClock()
        self.config = site(storage={"dir": str(directory)}, **changes)
        origin = f"eseal/{self.config.site.mine_code}/{self.config.site.gateway}"
        signer = load_or_create(directory / "gateway.key", origin)
        self.ledger = Ledger.open(directory, origin=origin, signer=signer, clock=self.clock)
        self.seal = Seal(self.config, initial(self.config.site.state))
        self.broker = Broker()
        self.recorder = Recorder(
            self.seal,
            self.ledger,
            Bench(),
            self.clock,
            self._durable,
        )
        self.status = Status(
            self.config,
            self.clock,
            self.ledger,
            self.seal,
            self.recorder,
            self.broker,  # type: ignore[arg-type]
        )

    def _durable(self, records: list[Record]) -> None:
        self.status.durable(records)

    async def look(self) -> None:
        """One round in which every source says something harmless."""
        now = self.clock.now()
        self.status.observe(reading("hoist", now, 0.2))
        self.status.observe(reading("pump", now, 80.0))
        self.status.observe(sighting(now))
        self.status.observe(picture_quality(now))
        await self.recorder.drain()

    async def hoist(self, seconds: int = 10) -> None:
        """The hoist runs: an incident."""
        for _ in range(seconds):
            self.status.observe(reading("hoist", self.clock.advance(1), 160.0))
            await self.recorder.drain()

    async def note(self, kind: RecordType, data: dict[str, Any]) -> None:
        """A fact that needs no judgement."""
        self.recorder.note(Draft(kind, self.clock.now(), data))
        await self.recorder.drain()

    def failing(self) -> dict[str, str]:
        """Parts that don't work, and why in English."""
        return {
            check["name"]: check["en"]
            for check in self.status.snapshot()["checks"]
            if not check["works"]
        }

    def acknowledge_all(self) -> None:
        """Every record reached the broker and the province."""
        for lane in ("alarm", "routine"):
            self.ledger.move_cursor(lane, self.ledger.size).result(10)
        note = self.ledger.seal_head().result(10)
        receipt = PROVINCE.cosign(note, self.clock.now().wall_us // 1_000_000)
        self.ledger.add_receipt(receipt, self.ledger.size).result(10)
        self.broker.newest_puback = self.clock.now()
        self.broker.newest_receipt = (self.ledger.size, self.clock.now())
