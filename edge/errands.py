"""Orders that take time and the outside world: a picture, a challenge, old records, a new key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import structlog

from edge.clock import Clock
from edge.domain.activity import EvidenceRef
from edge.domain.mine import Order
from edge.domain.names import Name
from edge.domain.observation import ChallengeRun
from edge.domain.order import Challenge, Resend, RotateKey, Snapshot
from edge.domain.record import Draft, RecordType
from edge.errors import ConfigError, SourceError, StorageFull
from edge.ledger.keys import gateway_signer
from edge.ledger.origin import key_name
from edge.ledger.rotate import hand_over
from edge.ledger.store import Ledger
from edge.rules.orders import answer
from edge.rules.recall import moment
from edge.vision.evidence.snapshot import Workbench, encode
from edge.vision.glimpse import Glimpses

QUEUE_LIMIT = 64  # orders that wait; more are answered with a failure

log = structlog.get_logger(__name__)


class Sender(Protocol):
    """Sends once more what the province asks for (the uplink)."""

    async def fetch(self, sha256: str) -> str: ...

    async def resend(self, start: int, end: int) -> int: ...


class Challenger(Protocol):
    """Runs a challenge (edge/challenges.py)."""

    @property
    def codes(self) -> frozenset[str]: ...

    async def once(self, code: str) -> list[ChallengeRun]: ...


class Errands:
    """Carries such orders out one after the other; those that may take long beside them.

    Args:
        cameras: codes of the cameras that are configured.
        glimpses: gives pictures.
        ledger: keeps them.
        directory: where the ledger and the gateway's key lie.
        workbench: encodes them.
        clock: tells time.
        note: takes each answer.

    Attributes:
        sender: sends once more; set before `run`.
        challenger: runs challenges; likewise.
    """

    def __init__(
        self,
        cameras: frozenset[str],
        glimpses: Glimpses,
        ledger: Ledger,
        directory: Path,
        workbench: Workbench,
        clock: Clock,
        note: Callable[[Draft], None],
    ) -> None:
        self._cameras = cameras
        self._glimpses = glimpses
        self._ledger = ledger
        self._directory = directory
        self._workbench = workbench
        self._clock = clock
        self._note = note
        self._quick: asyncio.Queue[Order] = asyncio.Queue(QUEUE_LIMIT)
        self._slow: dict[type, asyncio.Queue[Order]] = {
            kind: asyncio.Queue(QUEUE_LIMIT) for kind in (Resend, Challenge)
        }
        self.sender: Sender | None = None
        self.challenger: Challenger | None = None

    def take(self, order: Order) -> None:
        """Take a recorded order; its answer becomes a record later."""
        queue = self._slow.get(type(order.args), self._quick)
        try:
            queue.put_nowait(order)
        except asyncio.QueueFull:
            busy = Name("同类命令过多", "too many orders of this kind wait")
            self._note(answer(order, self._clock.now(), failed=busy))

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._serve(self._quick))
            for queue in self._slow.values():
                group.create_task(self._serve(queue))

    async def _serve(self, queue: asyncio.Queue[Order]) -> None:
        works: dict[type, Callable[[Any], Awaitable[Draft]]] = {
            Snapshot: self._snapshot,
            Resend: self._resend,
            RotateKey: self._rotate,
            Challenge: self._challenge,
        }
        while True:
            order = await queue.get()
            draft = await works[type(order.args)](order)
            log.info("order answered", kind=order.kind.value, result=draft.data["result"])
            self._note(draft)

    async def _snapshot(self, order: Order) -> Draft:
        assert isinstance(order.args, Snapshot)
        camera = order.args.camera
        if camera not in self._cameras:
            unknown = Name(f"没有摄像机 {camera}", f"no camera is called {camera}")
            return self._failed(order, unknown)
        refs: list[EvidenceRef] = []
        try:
            picture = await self._glimpses.ask(camera)
            clean, drawn = await self._workbench.run(encode, picture, None)
            for data, caption in ((drawn, "annotated"), (clean, "clean")):
                stored = self._ledger.put_evidence(data, "image/jpeg", caption)
                refs.append(await asyncio.wrap_future(stored))
        except SourceError as error:
            return self._failed(order, Name(f"摄像机没有画面（{error}）", str(error)))
        except StorageFull as error:
            return self._failed(order, Name(f"存储写不进（{error}）", str(error)))
        detail = {"camera": camera, "taken": picture.stamp.iso()}
        return answer(order, self._clock.now(), evidence=refs, detail=detail)

    async def _challenge(self, order: Order) -> Draft:
        assert isinstance(order.args, Challenge)
        lamp, challenger = order.args.lamp, self.challenger
        if challenger is None or lamp not in challenger.codes:
            return self._failed(order, Name(f"没有验证灯 {lamp}", f"no lamp is called {lamp}"))
        try:
            runs = await challenger.once(lamp)
        except SourceError as error:
            return self._failed(order, Name(f"验证无法进行（{error}）", str(error)))
        detail: dict[str, str | int] = {
            run.source: "seen" if run.seen else "not seen" for run in runs
        }
        refs = [ref for run in runs for ref in run.evidence]
        return answer(order, self._clock.now(), evidence=refs, detail={"lamp": lamp, **detail})

    async def _resend(self, order: Order) -> Draft:
        assert isinstance(order.args, Resend)
        assert self.sender is not None
        args = order.args
        if args.sha256 is not None:
            why = await self.sender.fetch(args.sha256)
            if why:
                words = Name(f"证据无法发送（{why}）", f"the evidence cannot be sent: {why}")
                return self._failed(order, words)
            return answer(order, self._clock.now(), detail={"sha256": args.sha256})
        start, end = args.start or 0, args.end or 0
        if start >= self._ledger.size:
            beyond = Name("账本没有这些记录", "the ledger does not reach so far")
            return self._failed(order, beyond)
        sent = await self.sender.resend(start, min(end, self._ledger.size))
        return answer(order, self._clock.now(), detail={"records": sent})

    async def _rotate(self, order: Order) -> Draft:
        for leaf in self._ledger.leaves_of({RecordType.KEY_ROTATED}):
            if moment(leaf).since(order.received) >= 0:  # done before a restart, not answered
                return self._rotated(order, leaf["data"]["new"], int(leaf["id"]))
        gateway = key_name(self._ledger.origin)
        try:
            new, handed_over = hand_over(self._ledger, self._directory, gateway)
            record = await asyncio.wrap_future(handed_over)
            gateway_signer(self._directory, gateway)
        except (ConfigError, StorageFull) as error:
            return self._failed(order, Name(f"密钥不能更换（{error}）", str(error)))
        return self._rotated(order, new, record.index)

    def _rotated(self, order: Order, key: str, record: int) -> Draft:
        return answer(order, self._clock.now(), detail={"key": key, "record": record})

    def _failed(self, order: Order, why: Name) -> Draft:
        return answer(order, self._clock.now(), failed=why)
