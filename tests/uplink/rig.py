"""A real ledger and the uplink under test, aimed at whatever broker the test has."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from edge.clock import SystemClock
from edge.domain.mine import Order
from edge.domain.record import Draft, Record, RecordType
from edge.errors import UplinkUnavailable
from edge.ledger.checkpoint import Signer
from edge.ledger.store import Ledger
from edge.uplink.service import Uplink
from edge.uplink.spec import BrokerSpec, ProvinceSpec
from simulators.province.broker import Broker

MINE, GATEWAY = "220182000001", "gw1"
ORIGIN = f"eseal/{MINE}/{GATEWAY}"
PREFIX = f"eseal/v1/{MINE}/{GATEWAY}"
SIGNER = Signer.generate(ORIGIN)


def via(broker: Broker, **changes: Any) -> BrokerSpec:
    """How a gateway reaches an embedded broker: through the cable."""
    tls = None
    if broker.ca is not None and broker.gateway is not None:
        pair = broker.gateway
        tls = {"ca": broker.ca, "certificate": pair.certificate, "key": pair.key}
    return BrokerSpec.model_validate(
        {
            "host": broker.host,
            "port": broker.port,
            "tls": tls,
            "protocol": broker.mqtt,
            **changes,
        }
    )


class Rig:
    """Ledger and uplink of one gateway; runs as an async context manager."""

    def __init__(
        self,
        directory: Path,
        *brokers: BrokerSpec,
        keys: tuple[str, ...] = (),
        run: bool = True,
        **options: Any,
    ) -> None:
        self.clock = SystemClock()
        self.orders: list[Order] = []
        self.refused: list[tuple[str, str]] = []
        self.ledger = Ledger.open(directory, origin=ORIGIN, signer=SIGNER, clock=self.clock)
        self.uplink = Uplink(
            brokers,
            ProvinceSpec(keys=keys),
            mine_code=MINE,
            gateway=GATEWAY,
            ledger=self.ledger,
            clock=self.clock,
            on_refused=lambda reason, digest: self.refused.append((reason, digest)),
            **{"ask_s": 0.2, "on_order": self.orders.append, **options},
        )
        self._run = run
        self.task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._run:
            self.start()
        return self

    def start(self) -> None:
        self.task = asyncio.create_task(self.uplink.run())

    async def __aexit__(self, *_exc: object) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task
        self.ledger.close()

    async def stop(self, timeout_s: float = 1.5) -> str:
        """Stop in order; the reason why something was left, or ""."""
        try:
            await self.uplink.stop(timeout_s)
        except UplinkUnavailable as error:
            return str(error)
        return ""

    async def add(self, *drafts: Draft) -> list[Record]:
        """Append and wake the uplink, as the recorder does."""
        records = await asyncio.wrap_future(self.ledger.submit(drafts))
        self.uplink.wake(alarm=any(record.lane == "alarm" for record in records))
        return records

    async def routine(self, count: int, size: int = 200) -> list[Record]:
        return await self.add(*(self.health(i, size) for i in range(count)))

    def health(self, number: int, size: int = 200) -> Draft:
        data = {"number": number, "pad": "x" * size}
        return Draft(RecordType.GATEWAY_HEALTH, self.clock.now(), data)

    def opened(self, name: str, evidence: list[dict[str, Any]] | None = None) -> Draft:
        now = self.clock.now()
        data = {
            "incident": name,
            "code": "person-at-shaft",
            "name": {"zh": "井口有人", "en": "Person at the shaft mouth"},
            "text": {"zh": "井口有人。", "en": "Somebody is there."},
            "level": 1,
            "state": "suspended",
            "source": "shaft-cam",
            "place": "mouth",
            "opened": now.iso(),
            "stamp": now.iso(),
            "count": 1,
            "reasons": [],
            "evidence": evidence or [],
            "acknowledged": [],
        }
        return Draft(RecordType.INCIDENT_OPENED, now, data)

    async def picture(self, data: bytes) -> dict[str, Any]:
        put = self.ledger.put_evidence(data, "image/jpeg", "clean")
        ref = await asyncio.wrap_future(put)
        return {
            "sha256": ref.sha256,
            "media_type": ref.media_type,
            "size": ref.size,
            "caption": ref.caption,
        }


async def until(ready: Any, timeout_s: float = 5.0) -> None:
    """Wait for something that real sockets and threads bring about."""
    async with asyncio.timeout(timeout_s):
        while not ready():  # noqa: ASYNC110  what it waits for has no event
            await asyncio.sleep(0.01)
