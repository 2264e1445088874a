"""A small gateway on real sockets: one bus of simulated meters, a broker, a province."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.gateway import Gateway
from simulators.meters.loads import Fan, Hoist
from simulators.meters.server import MeterServer
from simulators.meters.units import MeterUnit
from simulators.province.broker import Broker
from simulators.province.service import Province
from simulators.province.view import GatewayView

MINE_CODE = "220100000009"
GATEWAY = "gw-9"


@dataclass
class Rig:
    """What a test turns the knobs of."""

    hoist: MeterUnit
    fan: MeterUnit
    broker: Broker
    province: Province
    gateway: Gateway

    @property
    def view(self) -> GatewayView:
        return self.province.view(MINE_CODE, GATEWAY)

    @property
    def storage(self) -> Path:
        return Path(self.gateway.config["storage"]["dir"])

    def opened(self) -> list[tuple[str, str]]:
        """(code, source) of every incident opened, as often as it was."""
        return [
            (row.code, row.source)
            for row in self.view.incidents
            for _ in range(self.view.opened.get(row.id, 0))
        ]

    async def alarm(self, code: str, source: str, timeout_s: float = 25.0) -> bool:
        """Wait until the province has this incident."""
        return await self.province.wait_until(lambda _: (code, source) in self.opened(), timeout_s)

    async def said(self, *words: str, timeout_s: float = 15.0) -> bool:
        """Wait until one line of the daemon's log has all these words."""

        def found(_: object) -> bool:
            lines = self.gateway.log.read_text("utf-8", "replace").splitlines()
            return any(all(word in line for word in words) for line in lines)

        for _ in range(round(timeout_s / 0.2)):
            if await self.province.wait_until(found, 0.2):
                return True
        return False


@asynccontextmanager
async def rig(directory: Path, **changes: Any) -> AsyncIterator[Rig]:
    """A rig whose daemon is not started yet; `changes` replace sections of its seal.toml."""
    hoist = MeterUnit(3, "eastron_sdm630", Hoist(), running=False)
    fan = MeterUnit(1, "chint_dtsu666", Fan(), ct_ratio=40)
    async with (
        MeterServer([hoist, fan]) as meters,
        Broker() as broker,
        Province(broker.host, broker.province_port) as province,
    ):
        config = {
            "site": {"mine_code": MINE_CODE, "gateway": GATEWAY, "state": "suspended"},
            "storage": {"dir": directory / "storage"},
            "bus": [
                {
                    "code": "surface",
                    "transport": "tcp",
                    "host": meters.host,
                    "port": meters.port,
                    "period_s": 0.5,
                    "timeout_s": 0.3,
                    "meter": [
                        {"code": "hoist", "profile": "eastron_sdm630", "unit": 3, "duty": "hoist"},
                        {"code": "fan", "profile": "chint_dtsu666", "unit": 1, "duty": "fan"},
                    ],
                }
            ],
            "broker": [{"host": broker.host, "port": broker.port}],
            "province": {"keys": list(province.keys)},
            "page": {"enabled": False},
        } | changes
        gateway = Gateway(directory, config)
        try:
            yield Rig(hoist, fan, broker, province, gateway)
        finally:
            await gateway.kill()
