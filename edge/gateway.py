"""One gateway: assembles its parts, runs them in one event loop, and stops them in order."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Coroutine

import structlog

import edge
from edge import systemd
from edge.challenges import Challenges
from edge.clips import Clips
from edge.clock import Clock
from edge.commission import watch_asked
from edge.config import SealConfig
from edge.console.app import build_app
from edge.console.server import serve
from edge.domain.observation import Observation, SessionTaken, SourceLost
from edge.domain.record import Draft, Lane, Record, RecordType
from edge.errands import Errands
from edge.errors import ConfigError, Refused, StorageFull, UplinkUnavailable
from edge.host import newest_record, tell_health, watch_clock
from edge.ledger.epoch import open_ledger
from edge.ledger.keys import gateway_signer
from edge.ledger.spare import Spare
from edge.ledger.succession import Break
from edge.recorder import Recorder, evidence_lost, order_refused
from edge.rules.engine import initial
from edge.rules.orders import ORDER_TYPES, unanswered
from edge.rules.recall import moment
from edge.rules.state import Attachment
from edge.seal import DETECTOR, HOST, REMEMBERED_TYPES, Seal
from edge.sensors.modbus import open_port
from edge.sensors.poller import poll_bus
from edge.status import Status
from edge.traces import Traces
from edge.upkeep import keep_storage
from edge.uplink.service import Uplink
from edge.vision.cameras import Cameras
from edge.vision.detect.detector import Detector
from edge.vision.detect.inference import Inference
from edge.vision.detect.loading import load_detector
from edge.vision.glimpse import Glimpses
from edge.vision.watch import watch

EPOCH_LASTS_S = 600.0  # two boxes under one name must not end each other's epochs for ever
STOP_UPLINK_S = 1.5  # of the 3 s that a stop may take

log = structlog.get_logger(__name__)


class Gateway:
    """One gateway at work, in one epoch of its ledger."""

    def __init__(self, config: SealConfig, clock: Clock) -> None:
        """Open everything that must be there before READY.

        Raises:
            StorageFull, LedgerCorrupt, ConfigError: each says what to do.
        """
        site = config.site
        origin = f"eseal/{site.mine_code}/{site.gateway}"
        self._config = config
        self._clock = clock
        config.storage.dir.mkdir(parents=True, exist_ok=True)
        signer = gateway_signer(config.storage.dir, origin)
        self._ledger = open_ledger(
            config.storage.dir, gateway=origin, signer=signer, clock=clock, state=site.state
        )
        self._broken: Break | None = None
        self._ended = asyncio.Event()
        self._detector_fault = ""
        self._inference = Inference(self._detector())
        self._seal = Seal(config, initial(site.state))
        self._seal.restore(self._ledger.leaves_of(REMEMBERED_TYPES))
        self._glimpses, self._cameras = Glimpses(), Cameras()
        codes = frozenset(camera.code for camera in config.camera)
        self._errands = Errands(
            codes,
            self._glimpses,
            self._ledger,
            config.storage.dir,
            self._inference,
            clock,
            self._note,
        )
        self._clips = Clips(config.clip, codes, self._cameras, self._ledger, clock, self._attach)
        meters = [meter.code for bus in config.bus for meter in bus.meter]
        self._traces = Traces(meters, site.utc_offset_h, self._ledger, clock, self._attach)
        self._recorder = Recorder(
            self._seal,
            self._ledger,
            self._inference,
            clock,
            self._durable,
            self._errands.take,
            self._clips.activity,
            self._judged,
        )
        dropped = self._recorder.dropped
        self._clips.dropped = self._traces.dropped = dropped
        self._inference.totals = self._ledger.head.dropped = dropped
        self._errands.sender = self._uplink = self._joined()
        self._status = Status(
            config, clock, self._ledger, self._seal, self._recorder, self._uplink, self._cameras
        )
        self._ports = {bus.code: open_port(bus, clock) for bus in config.bus}
        self._errands.challenger = self._challenges = Challenges(
            config.challenge,
            self._ports,
            self._glimpses,
            self._ledger,
            self._inference,
            clock,
            self._status.observe,
        )

    def _joined(self) -> Uplink:
        """The uplink, joined with ledger and recorder."""
        config, clock = self._config, self._clock
        return Uplink(
            config.broker,
            config.province,
            mine_code=config.site.mine_code,
            gateway=config.site.gateway,
            ledger=self._ledger,
            clock=clock,
            on_order=self._recorder.order,
            on_refused=lambda reason, digest: self._note(order_refused(reason, digest, clock)),
            on_break=self._break,
            on_compared=self._recorder.observe,
            on_taken=self._taken,
            on_lost=lambda ref, why: self._note(evidence_lost(ref, why, clock)),
            spec=config.uplink,
            progress=Spare(config.storage.dir / "upload.json", self._recorder.dropped),
        )

    def _detector(self) -> Detector | None:
        """The detector, or None: a seal that cannot see must still watch the power."""
        if not self._config.camera:
            return None
        wanted = self._config.detector
        try:
            return load_detector(wanted.model, wanted.threads, wanted.models)
        except (ConfigError, Refused) as error:
            log.error("no detector: cameras are watched for tampering only", error=str(error))
            self._detector_fault = str(error)
            return None

    def _note(self, draft: Draft) -> None:
        self._recorder.note(draft)

    def _attach(self, given: Attachment) -> None:
        self._recorder.attach(given)

    def _read(self, observation: Observation) -> None:
        """What comes from a bus."""
        self._traces.observe(observation)
        self._status.observe(observation)

    def _judged(self, draft: Draft) -> None:
        self._clips.judged(draft)
        self._traces.judged(draft)

    def _durable(self, records: list[Record]) -> None:
        self._status.durable(records)
        self._uplink.wake(alarm=any(record.lane is Lane.ALARM for record in records))

    def _shed(self, wanted: bool) -> None:
        self._recorder.outgoing.shedding = wanted

    def _taken(self, broker: str, times: int) -> None:
        self._status.observe(SessionTaken(HOST, self._clock.now(), broker, times))

    def _break(self, broken: Break) -> bool:
        """The province holds what this ledger lacks: end here, and go on in a new epoch."""
        begun = next(self._ledger.leaves_of({RecordType.EPOCH_BEGUN}), None)
        if begun and abs(self._clock.now().since(moment(begun))) < EPOCH_LASTS_S:
            return False
        self._broken = broken
        self._ended.set()
        return True

    async def run(self, stop: asyncio.Event) -> Break | None:
        """Work until `stop` is set; then hand over within three seconds.

        Returns:
            Why another epoch must begin, if that is why it ended.
        """
        self._note_start()
        for order in unanswered(self._ledger.leaves_of(ORDER_TYPES)):
            self._recorder.resume(order)
        try:
            async with asyncio.TaskGroup() as group:
                rim = [group.create_task(work) for work in self._sources()]
                lamps = [group.create_task(self._challenges.run())]
                core = [group.create_task(work) for work in self._lasting()]
                systemd.notify("READY=1")
                log.info(
                    "sealed",
                    site=self._config.site.mine_code,
                    buses=len(self._config.bus),
                    cameras=len(self._config.camera),
                )
                await _either(stop, self._ended)
                systemd.notify("STOPPING=1")
                await _cancel(lamps)  # they are put out while their buses are open
                await _cancel(rim)
                await self._hand_over()
                await _cancel(core)
        finally:
            self._inference.close()
            self._ledger.close()
        return self._broken

    def _sources(self) -> list[Coroutine[None, None, None]]:
        """Whatever observes: it stops first."""
        config, clock, observe = self._config, self._clock, self._status.observe
        codes = [camera.code for camera in config.camera]
        return [
            watch_clock(clock, observe, newest_record(self._ledger)),
            tell_health(clock, self._status.health, self._note),
            keep_storage(self._ledger, config.storage.policy, clock, observe, self._shed),
            watch_asked(config.storage.dir, codes, clock, self._recorder.observe),
            *(
                poll_bus(
                    bus,
                    clock=clock,
                    emit=self._read,
                    port=self._ports[bus.code],
                    since=newest_record(self._ledger),
                    utc_offset_h=config.site.utc_offset_h,
                )
                for bus in config.bus
            ),
            *(
                watch(
                    camera,
                    inference=self._inference,
                    clock=clock,
                    emit=observe,
                    glimpses=self._glimpses,
                    cameras=self._cameras,
                )
                for camera in config.camera
            ),
        ]

    def _lasting(self) -> list[Coroutine[None, None, None]]:
        """What works until all is handed over."""
        work = [self._recorder.run(), self._uplink.run(), self._errands.run(), self._clips.run()]
        work += [self._traces.run(), self._beat()]
        page = self._config.page
        if page.enabled:
            app = build_app(self._status.snapshot, self._status.incidents)
            work.append(serve(app, page.host, page.port))
        return work

    async def _hand_over(self) -> None:
        reason = "a new epoch begins" if self._broken else "stopped on request"
        stopped = {"reason": reason}
        await self._recorder.finish(Draft(RecordType.GATEWAY_STOPPED, self._clock.now(), stopped))
        try:
            await self._uplink.stop(STOP_UPLINK_S)
        except UplinkUnavailable as error:
            log.info("stopped with records waiting for the province", reason=str(error))
        except StorageFull as error:
            log.error("stopped without a last checkpoint", reason=str(error))

    def _note_start(self) -> None:
        now = self._clock.now()
        box = {
            "version": edge.__version__,
            "boot": now.boot,
            "python": platform.python_version(),
            "host": platform.node(),
        }
        config = {
            "sha256": self._config.sha256(),
            "config": self._config.redacted(),
            "profiles": self._config.profiles(),
        }
        self._note(Draft(RecordType.GATEWAY_STARTED, now, box))
        self._note(Draft(RecordType.CONFIG_IN_FORCE, now, config))
        if self._detector_fault:
            self._status.observe(SourceLost(DETECTOR, now, self._detector_fault))

    async def _beat(self) -> None:
        """WATCHDOG=1 only after the loop, the ledger and the inference each did some work."""
        period = int(os.environ.get("WATCHDOG_USEC", "30000000")) / 3e6
        while True:
            await asyncio.wrap_future(self._ledger.submit([]))
            await self._inference.run(int)
            systemd.notify("WATCHDOG=1")
            await asyncio.sleep(period)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    # Again and again: `asyncio.wait_for` of Python 3.11 loses a cancellation that comes at the
    # very moment its awaitable is done.
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=1.0)


async def _either(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
