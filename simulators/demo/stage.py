"""What the demo plays on: broker, province, site and a real daemon, each on its own sockets."""

from __future__ import annotations

from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any, Self

from edge.ledger.store import LedgerView
from simulators.demo.story import Beat, Uplink
from simulators.gateway import Gateway
from simulators.province.broker import Broker
from simulators.province.service import Province
from simulators.province.view import GatewayView
from simulators.site.site import GATEWAY, MINE_CODE, Site, seal_toml

_ONLINE_S = 30.0
_DELIVERED_S = 30.0


class Stage:
    """Everything of one demo under `directory`.

    Attributes:
        broker: with mutual TLS, behind a cable that can be cut.
        province: subscribed straight to the broker, so that it sees while the cable is cut.
        site: the mine.
        gateway: the daemon, a process of its own.
    """

    def __init__(self, directory: Path, model: str = "") -> None:
        self._directory = directory
        self._model = model
        self._stack = AsyncExitStack()
        self.broker: Broker
        self.province: Province
        self.site: Site
        self.gateway: Gateway

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.broker = await stack.enter_async_context(Broker(tls=True))
            self.province = await stack.enter_async_context(self._province())
            self.site = await stack.enter_async_context(Site())
            config = seal_toml(
                self.site, self._directory / "storage", self._address(), self.province.keys
            )
            config["detector"] = {"model": self._model}
            self.gateway = Gateway(self._directory, config)
            stack.push_async_callback(self.gateway.kill)
            await self.gateway.start()
            self.province.enrol(MINE_CODE, GATEWAY, self.gateway.verifier_key())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _province(self) -> Province:
        broker, pair = self.broker, self.broker.province
        assert broker.ca is not None
        assert pair is not None
        return Province(
            broker.host,
            broker.province_port,
            tls=(broker.ca, pair.certificate, pair.key),
            evidence=self._directory / "evidence",
        )

    def _address(self) -> dict[str, Any]:
        pair = self.broker.gateway
        assert pair is not None
        return {
            "host": self.broker.host,
            "port": self.broker.port,
            "tls": {"ca": self.broker.ca, "certificate": pair.certificate, "key": pair.key},
        }

    @property
    def view(self) -> GatewayView:
        """What the province knows of the gateway."""
        return self.province.view(MINE_CODE, GATEWAY)

    async def settle(self) -> bool:
        """Wait until the daemon has told the province that it is online."""
        return await self.province.wait_until(lambda _: self.view.online, _ONLINE_S)

    async def act(self, beat: Beat) -> None:
        """Let a beat happen."""
        match beat.act:
            case Uplink.CUT:
                await self.broker.cut()
            case Uplink.MENDED:
                await self.broker.restore()
            case None:
                pass
            case act:
                act(self.site)

    async def crash(self) -> None:
        """Kill the daemon as a power cut does, and start it again."""
        await self.gateway.kill()
        await self.gateway.start()

    async def finish(self) -> int:
        """Stop the daemon and wait for what is still under way.

        Returns:
            Leaves in the ledger.
        """
        await self.gateway.stop()
        with closing(LedgerView.open(self._directory / "storage")) as ledger:
            size = ledger.size
        await self.province.wait_until(
            lambda _: self.view.received >= size and self.view.verified, _DELIVERED_S
        )
        return size
