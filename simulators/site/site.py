"""An idle mine with everything that a gateway is wired to, and things that happen there."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from simulators.cameras.feeds import LiveFeed
from simulators.cameras.scene import Condition, Scene
from simulators.cameras.server import CameraServer
from simulators.meters.server import MeterServer, RtuMeterServer
from simulators.meters.units import Site as Feeders

MINE_CODE = "220100000001"
GATEWAY = "gw-1"
DOOR = 0  # the contact of the cabinet's door


class Site:
    """Fan and pump on a serial line, hoist, guard house and contacts on Modbus TCP, two cameras.

    Args:
        seed: chooses layouts and noise.
        size: of the cameras' pictures, px.
        fps: of the cameras.
        host: interface that everything listens on.
        modbus_port: 0 lets the system choose.
        camera_ports: of the shaft's and the gate's camera; 0 likewise.

    Attributes:
        feeders: the meters and the contacts.
        shaft, gate: what the cameras see.
    """

    def __init__(
        self,
        *,
        seed: int = 3,
        size: tuple[int, int] = (640, 360),
        fps: int = 10,
        host: str = "127.0.0.1",
        modbus_port: int = 0,
        camera_ports: tuple[int, int] = (0, 0),
    ) -> None:
        self.feeders = Feeders(seed, on_coil=self._lamp)
        self.shaft = Scene(size, seed, "shaft", name="SHAFT 1")
        self.gate = Scene(size, seed, "gate", name="GATE")
        feeders = self.feeders
        self._rtu = RtuMeterServer([feeders.fan, feeders.pump])
        self._tcp = MeterServer(
            [feeders.hoist, feeders.living, feeders.contacts], host, modbus_port
        )
        self.cameras = {
            "shaft-cam": CameraServer(
                lambda: LiveFeed(self.shaft, "h264", fps), host, camera_ports[0]
            ),
            "gate-cam": CameraServer(
                lambda: LiveFeed(self.gate, "h265", fps), host, camera_ports[1]
            ),
        }
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._rtu)
            await stack.enter_async_context(self._tcp)
            for camera in self.cameras.values():
                await stack.enter_async_context(camera)
            self._running = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    def wiring(self) -> dict[str, Any]:
        """`[[bus]]`, `[[camera]]` and `[[challenge]]` of the seal.toml that fits this site."""
        return {
            "bus": [self._serial_bus(), self._tcp_bus()],
            "camera": self._cameras(),
            "challenge": [
                self._lamp_at("shaft", self.shaft, 0),
                self._lamp_at("gate", self.gate, 1),
            ],
        }

    def _lamp(self, coil: int, on: bool) -> None:
        """Coil 0 lights the lamp at the shaft, coil 1 the one at the gate."""
        if coil < 2:
            (self.shaft, self.gate)[coil].lamp = on

    @staticmethod
    def _lamp_at(place: str, scene: Scene, coil: int) -> dict[str, Any]:
        view = {"camera": f"{place}-cam", "box": list(scene.lamp_box())}
        lamp = {"code": f"{place}-lamp", "bus": "surface", "unit": 10, "coil": coil}
        return {**lamp, "view": [view]}

    def _serial_bus(self) -> dict[str, Any]:
        return {
            "code": "pit",
            "transport": "rtu",
            "device": self._rtu.device,
            "baud": 9600,
            "period_s": 2.0,
            "meter": [
                {"code": "fan", "profile": "chint_dtsu666", "unit": 1, "duty": "fan"},
                {"code": "pump", "profile": "acrel_adl400", "unit": 2, "duty": "pump"},
            ],
        }

    def _tcp_bus(self) -> dict[str, Any]:
        return {
            "code": "surface",
            "transport": "tcp",
            "host": self._tcp.host,
            "port": self._tcp.port,
            "period_s": 1.0,
            "meter": [
                {"code": "hoist", "profile": "eastron_sdm630", "unit": 3, "duty": "hoist"},
                {"code": "living", "profile": "eastron_sdm630", "unit": 4, "duty": "living"},
            ],
            "contact": [{"code": "cabinet-door", "unit": 10, "address": DOOR}],
        }

    def _cameras(self) -> list[dict[str, Any]]:
        zones = {
            "shaft-cam": (self.shaft, "shaft-mouth", "shaft-mouth"),
            "gate-cam": (self.gate, "gate", "gate"),
        }
        return [
            {
                "code": code,
                "url": self.cameras[code].url,
                "zone": [{"code": place, "kind": kind, "polygon": scene.zone(place)}],
            }
            for code, (scene, place, kind) in zones.items()
        ]

    def pump_starts(self) -> None:
        """The drainage pump starts, as it may."""
        self.feeders.pump.start()

    def pump_stops(self) -> None:
        """The drainage pump stops."""
        self.feeders.pump.stop()

    def night_falls(self) -> None:
        """The cameras switch to infrared."""
        self.shaft.condition = self.gate.condition = Condition.NIGHT

    def hoist_starts(self) -> None:
        """Somebody secretly hoists."""
        self.feeders.hoist.start()

    def hoist_stops(self) -> None:
        """The hoist stands again."""
        self.feeders.hoist.stop()

    def person_walks_in(self) -> None:
        """A person walks over the yard into the shaft's mouth."""
        self.shaft.walk(self.shaft.now())

    def truck_leaves(self) -> None:
        """A truck drives out through the gate."""
        self.gate.drive(self.gate.now())

    def camera_is_covered(self) -> None:
        """Somebody hangs a cloth over the shaft's camera."""
        self.shaft.covered = True

    def camera_is_uncovered(self) -> None:
        """The cloth is taken off."""
        self.shaft.covered = False

    def door_opens(self) -> None:
        """Somebody opens the cabinet."""
        self.feeders.contacts.open(DOOR)

    def door_closes(self) -> None:
        """The cabinet is closed."""
        self.feeders.contacts.close(DOOR)


def seal_toml(
    site: Site, storage: Path, broker: dict[str, Any], keys: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The whole configuration of this site's gateway, to be written by `to_toml`."""
    return {
        "site": {
            "mine_code": MINE_CODE,
            "name": "示范矿 Demo mine",
            "gateway": GATEWAY,
            "state": "suspended",
        },
        "storage": {"dir": storage},
        **site.wiring(),
        "broker": [broker],
        "province": {"keys": list(keys)},
        "page": {"port": 0},
    }
