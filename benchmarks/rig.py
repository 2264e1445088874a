"""What the benchmarks of a whole gateway share: broker, province and a daemon."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from simulators.gateway import Gateway
from simulators.province.broker import Broker
from simulators.province.service import OnRecord, Province

MINE_CODE = "220100000008"
GATEWAY = "bench"


def arguments(doc: str | None) -> argparse.Namespace:
    """What every benchmark of a gateway can be told."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--model", default="", help="detector: a name or an .onnx file")
    parser.add_argument("--quick", action="store_true", help="fewer samples, under a minute")
    return parser.parse_args()


def report(figures: dict[str, Any]) -> None:
    """Print the last line: one JSON object."""
    print(json.dumps({**figures, "machine": f"{platform.machine()} {platform.python_version()}"}))


@asynccontextmanager
async def gateway(
    directory: Path, wiring: dict[str, Any], on_record: OnRecord | None = None
) -> AsyncIterator[tuple[Gateway, Province]]:
    """A daemon wired as given, running, and a province that hears it."""
    async with (
        Broker() as broker,
        Province(broker.host, broker.province_port, on_record=on_record) as province,
    ):
        config = {
            "site": {"mine_code": MINE_CODE, "gateway": GATEWAY, "state": "suspended"},
            "storage": {"dir": directory / "storage"},
            **wiring,
            "broker": [{"host": broker.host, "port": broker.port}],
            "province": {"keys": list(province.keys)},
            "page": {"enabled": False},
        }
        daemon = Gateway(directory, config)
        try:
            await daemon.start()
            await province.wait_until(lambda p: p.view(MINE_CODE, GATEWAY).online, 30)
            yield daemon, province
        finally:
            await daemon.kill()
