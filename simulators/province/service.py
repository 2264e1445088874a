"""The province as a program: one MQTT subscriber that checks, cosigns and orders."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import structlog
from rich.console import RenderableType

from edge.clock import SystemClock
from edge.errors import Refused, UplinkUnavailable
from edge.ledger.checkpoint import Signer
from edge.uplink.connection import Connection
from edge.uplink.orders import UnsignedOrder, write_order
from edge.uplink.session import Session
from edge.uplink.spec import BrokerSpec, TlsSpec
from edge.uplink.topics import ROOT, Topics, parse_topic
from edge.uplink.wire import Login
from simulators.province.table import render
from simulators.province.view import GatewayView

MAX_INBOUND = 600_000  # bytes: a leaf or an evidence part with room to spare
MAX_GATEWAYS = 10_000
CONNECT_S = 15.0
FILTERS = tuple(
    f"{ROOT}/+/+/{name}" for name in ("alarm", "record", "checkpoint", "state", "evidence/+/+")
)

log = structlog.get_logger(__name__)

OnRecord = Callable[[GatewayView, dict[str, Any], float], None]


class Province:
    """Subscribes to every gateway of a broker.

    Args:
        host: of the broker.
        port: of the broker.
        signer: signs orders and receipts; a new key by default.
        tls: CA, certificate and key files.
        protocol: MQTT version, as in `seal.toml`.
        gateway_keys: keys of the gateways (C2SP verifier keys) by (mine code, gateway). A
            gateway without one is trusted on first use, and the table says so.
        evidence: folder that complete evidence files are written to.
        on_record: called with view, envelope and monotonic seconds of each new record.
        session: name of the broker's session; with the same name nothing is missed between runs.

    Attributes:
        ledgers: what is known of each gateway, by (mine code, gateway).
        refused: messages that were not what they should be, by reason.
        time: seconds since 1970, as the receipts tell them (tests let them be wrong).
        silent: whether no receipts are sent.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        signer: Signer | None = None,
        tls: tuple[Path, Path, Path] | None = None,
        protocol: str = "auto",
        gateway_keys: Mapping[tuple[str, str], str] | None = None,
        evidence: Path | None = None,
        on_record: OnRecord | None = None,
        session: str = "eseal-province",
    ) -> None:
        self.signer = signer or Signer.generate("province.simulated")
        self.ledgers: dict[tuple[str, str], GatewayView] = {}
        self.refused: Counter[str] = Counter()
        self.time: Callable[[], float] = time.time
        self.silent = False
        self._evidence = evidence
        self._on_record = on_record
        self._gateway_keys = dict(gateway_keys or {})
        self._clock = SystemClock()
        self._changed = asyncio.Event()
        self._up = asyncio.Event()
        self._receipts_due = asyncio.Event()
        self._cosigned: dict[str, int] = {}  # by origin
        self._receipts: dict[tuple[str, str], bytes] = {}  # the newest of each gateway
        self._asked: set[GatewayView] = set()
        broker = BrokerSpec.model_validate(
            {
                "host": host,
                "port": port,
                "protocol": protocol,
                "tls": TlsSpec(ca=tls[0], certificate=tls[1], key=tls[2]) if tls else None,
            }
        )
        login = Login(session, subscriptions=FILTERS, max_inbound=MAX_INBOUND)
        self._session = Session(
            (broker,),
            lambda: login,
            self._clock,
            on_message=self._take,
            on_up=self._entered,
            on_down=self._up.clear,
        )
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def keys(self) -> tuple[str, str]:
        """What a gateway's `[province] keys` must hold: the order key and the receipt key."""
        return str(self.signer.verifier), str(self.signer.cosigner)

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in."""
        return self._session.connection is not None

    async def __aenter__(self) -> Self:
        """Connect and subscribe. Raises UplinkUnavailable when no broker takes us in time."""
        self._tasks = [
            asyncio.create_task(self._session.run()),
            asyncio.create_task(self._send_receipts()),
        ]
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._up.wait()
        except BaseException as error:
            await self.__aexit__()
            if isinstance(error, TimeoutError):
                raise UplinkUnavailable(self._session.fault or "no broker answers") from error
            raise
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._session.close(1.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def view(self, mine_code: str, gateway: str) -> GatewayView:
        """What is known of a gateway; an empty view before it is heard of. Raises Refused."""
        name = (mine_code, gateway)
        if name not in self.ledgers:
            if len(self.ledgers) >= MAX_GATEWAYS:
                raise Refused("too many gateways")
            view = self.ledgers[name] = GatewayView(mine_code, gateway)
            if name in self._gateway_keys:
                view.enrol(self._gateway_keys[name])
        return self.ledgers[name]

    def enrol(self, mine_code: str, gateway: str, key: str) -> None:
        """Trust a gateway's key (the content of its `gateway.vkey`). Raises Refused."""
        self._gateway_keys[mine_code, gateway] = key
        self.view(mine_code, gateway).enrol(key)

    async def wait_until(self, ready: Callable[[Province], bool], timeout_s: float) -> bool:
        """Wait until `ready` says so; it is asked after every message. False when time is up."""
        try:
            async with asyncio.timeout(timeout_s):
                while not ready(self):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return ready(self)
        return True

    async def send_order(
        self,
        mine_code: str,
        gateway: str,
        kind: str,
        args: Mapping[str, Any],
        *,
        life_s: float = 3600.0,
    ) -> str:
        """Sign an order and send it.

        Returns:
            Its nonce; the gateway's `eseal.order.accepted` record repeats it.

        Raises:
            UplinkUnavailable: the broker did not take it.
        """
        nonce = secrets.token_urlsafe(16)
        now_us = self._clock.now().wall_us
        expires_us = now_us + round(life_s * 1e6)
        order = UnsignedOrder(f"{mine_code}/{gateway}", kind, args, nonce, now_us, expires_us)
        await self.send_raw(Topics(mine_code, gateway).order, write_order(order, self.signer))
        return nonce

    async def send_raw(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish anything (tests send forgeries). Raises UplinkUnavailable."""
        connection = self._session.connection
        if connection is None:
            raise UplinkUnavailable("the province is not connected")
        await connection.send(topic, payload, retain=retain)

    def table(self) -> RenderableType:
        """The live table, for rich."""
        return render(self.ledgers.values(), time.monotonic())

    def _entered(self, _connection: Connection) -> None:
        self._up.set()
        self._receipts_due.set()

    def _take(self, topic: str, payload: bytes) -> None:
        now = time.monotonic()
        try:
            address = parse_topic(topic)
            view = self.view(address.mine_code, address.gateway)
            envelope = view.take(address, payload, now)
        except Refused as error:
            self._refuse(topic, str(error))
            return
        if envelope is not None and self._on_record is not None:
            self._on_record(view, envelope, now)
        if address.kind == "evidence" and self._evidence is not None:
            self._keep(view, address.sha256)
        if address.kind == "state" and self._knows_less(view):
            self._asked.add(view)  # it may have been rolled back: tell again what we hold
            self._receipts_due.set()
        if view.log.proven > self._cosigned.get(view.log.origin, 0):
            self._receipts_due.set()
        self._changed.set()

    def _knows_less(self, view: GatewayView) -> bool:
        """Whether the gateway's state tells of a receipt for less than it was given."""
        told = view.state.get("receipt")
        covered = told if isinstance(told, int) else 0
        same = view.state.get("origin") == view.log.origin
        return view.online and (not same or covered < self._cosigned.get(view.log.origin, 0))

    def _refuse(self, topic: str, reason: str) -> None:
        self.refused[reason] += 1
        log.warning("message refused", topic=topic[:200], reason=reason)
        try:
            address = parse_topic(topic)
        except Refused:
            return
        name = (address.mine_code, address.gateway)
        if name in self.ledgers:
            self.ledgers[name].log.fault(reason)
        self._changed.set()

    def _keep(self, view: GatewayView, digest: str) -> None:
        data = view.shelf.files.get(digest)
        if data is not None and self._evidence is not None:
            self._evidence.mkdir(parents=True, exist_ok=True)
            path = self._evidence / digest
            if not path.exists():
                path.write_bytes(data)

    async def _send_receipts(self) -> None:
        """Cosign each gateway's newest proven checkpoint."""
        while True:
            await self._receipts_due.wait()
            self._receipts_due.clear()
            if self.silent:
                continue
            for name, view in list(self.ledgers.items()):
                size, note = view.log.proven, view.log.proven_note
                if size > self._cosigned.get(view.log.origin, 0) and not view.faults:
                    receipt = self.signer.cosign(note, int(self.time()))
                elif view in self._asked and name in self._receipts:
                    receipt = self._receipts[name]
                else:
                    continue
                try:
                    await self.send_raw(Topics(*name).receipt, receipt, retain=True)
                except UplinkUnavailable:
                    break  # sent when we are connected again
                self._asked.discard(view)
                if receipt != self._receipts.get(name):
                    self._receipts[name] = receipt
                    self._cosigned[view.log.origin] = size
                    view.receipts += 1
                self._changed.set()
