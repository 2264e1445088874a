"""Challenge lamps: switched at moments of chance, and looked for in the cameras' pictures.

A recording, a photo or a stream from elsewhere cannot answer a lamp that it does not see. The
moments and patterns come from the system's random source: nothing in the records tells them
beforehand.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from edge.clock import Clock, Stamp
from edge.domain.activity import EvidenceRef
from edge.domain.observation import ChallengeRun, Observation, SourceBack, SourceLost
from edge.errors import SourceError, StorageFull
from edge.ledger.store import Ledger
from edge.sensors.port import ModbusPort
from edge.sensors.spec import ChallengeSpec, ViewSpec
from edge.vision.evidence.snapshot import Workbench, encode
from edge.vision.glimpse import Glimpses
from edge.vision.picture import Picture
from edge.vision.tamper.liveness.challenge import draw, judge, level

RUNS = 2  # patterns until a camera has failed: somebody may walk through the box during one
SETTLE_S = 1.5  # a picture received earlier after a switch may have been taken before it
TRIES = 3  # of one switch: one lost frame on a noisy line is no loss
LEAST, MOST = 0.1, 3.0  # of the mean interval: two challenges are never nearer, never further
OFF_S = 0.8  # that putting out the lamp may take when the daemon stops
AGAIN_S = 60.0  # after a lamp that could not be switched, the next try

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Seen:
    """What one camera showed of one pattern."""

    view: ViewSpec
    levels: list[float] = field(default_factory=list)
    dark: Picture | None = None
    lit: Picture | None = None


class Challenges:
    """Runs every challenge for ever, and one at once when it is ordered.

    Args:
        challenges: as configured.
        ports: by the code of their bus; shared with whoever polls it.
        glimpses: gives pictures.
        ledger: keeps some of them.
        workbench: encodes them.
        clock: tells time.
        emit: takes runs, and lamps lost and back.
        chance: unpredictable outside tests.
    """

    def __init__(
        self,
        challenges: Iterable[ChallengeSpec],
        ports: Mapping[str, ModbusPort],
        glimpses: Glimpses,
        ledger: Ledger,
        workbench: Workbench,
        clock: Clock,
        emit: Callable[[Observation], None],
        chance: random.Random | None = None,
    ) -> None:
        self._challenges = {challenge.code: challenge for challenge in challenges}
        self._ports = ports
        self._glimpses = glimpses
        self._ledger = ledger
        self._workbench = workbench
        self._clock = clock
        self._emit = emit
        self._chance = chance or random.SystemRandom()
        self._turns = {code: asyncio.Lock() for code in self._challenges}
        self._lost: dict[str, Stamp] = {}

    @property
    def codes(self) -> frozenset[str]:
        """Codes of the lamps."""
        return frozenset(self._challenges)

    async def run(self) -> None:
        """Work until cancelled; lamps are put out then."""
        async with asyncio.TaskGroup() as group:
            for code in self._challenges:
                group.create_task(self._repeat(code))

    async def _repeat(self, code: str) -> None:
        mean_s = 3600 * self._challenges[code].mean_h
        while True:
            wait_s = min(max(self._chance.expovariate(1 / mean_s), LEAST * mean_s), MOST * mean_s)
            await self._clock.sleep(AGAIN_S if code in self._lost else wait_s)
            try:
                await self.once(code)
            except SourceError as error:
                log.warning("a challenge could not be run", lamp=code, reason=str(error))

    async def once(self, code: str) -> list[ChallengeRun]:
        """Run one challenge; each camera's result is emitted too.

        Raises:
            SourceError: the lamp cannot be switched, or no camera gives pictures.
        """
        async with self._turns[code]:
            challenge = self._challenges[code]
            unseen = {view.camera: view for view in challenge.view}
            done: list[ChallengeRun] = []
            for number in range(1, RUNS + 1):
                runs = await self._pattern(challenge, unseen.values(), number)
                last = number == RUNS
                done += [run for run in runs if run.seen or last]
                for run in runs:
                    if run.seen:
                        del unseen[run.source]
                if not unseen:
                    break
            if not done:
                raise SourceError("no camera gave pictures of the lamp")
        for run in done:
            log.info("challenge", lamp=code, camera=run.source, seen=run.seen, step=run.step)
            self._emit(run)
        return done

    async def _pattern(
        self, challenge: ChallengeSpec, views: Iterable[ViewSpec], number: int
    ) -> list[ChallengeRun]:
        """Show one pattern; a camera that gives no pictures is left out (it is lost anyway)."""
        pattern = draw(self._chance)
        seen = {view.camera: _Seen(view) for view in views}
        try:
            for bit in pattern:
                await self._switch(challenge, bit)
                lost = await asyncio.gather(*(self._look(one, bit) for one in seen.values()))
                for one in lost:
                    if one is not None:
                        del seen[one]
        finally:
            await self._put_out(challenge)
        return [await self._result(challenge, pattern, one, number) for one in seen.values()]

    async def _look(self, seen: _Seen, bit: bool) -> str | None:
        """Take one picture of this bit; gives the camera's code when there is none to be had."""
        switched = self._clock.now()
        try:
            picture = await self._glimpses.ask(seen.view.camera)
            while picture.stamp.since(switched) < SETTLE_S:
                picture = await self._glimpses.ask(seen.view.camera)
        except SourceError as error:
            log.info("no picture for a challenge", camera=seen.view.camera, reason=str(error))
            return seen.view.camera
        seen.levels.append(level(picture.frame, seen.view.box))
        if bit:
            seen.lit = seen.lit or picture
        else:
            seen.dark = seen.dark or picture
        return None

    async def _result(
        self, challenge: ChallengeSpec, pattern: tuple[bool, ...], seen: _Seen, number: int
    ) -> ChallengeRun:
        verdict = judge(pattern, seen.levels)
        evidence: tuple[EvidenceRef, ...] = ()
        if not verdict.seen and number == RUNS:
            evidence = await self._evidence(seen)
        return ChallengeRun(
            seen.view.camera,
            self._clock.now(),
            challenge.code,
            verdict.seen,
            "".join("01"[bit] for bit in pattern),
            tuple(round(value, 1) for value in seen.levels),
            verdict.step,
            number,
            evidence,
        )

    async def _evidence(self, seen: _Seen) -> tuple[EvidenceRef, ...]:
        refs = []
        for picture, caption in ((seen.dark, "lamp off"), (seen.lit, "lamp on")):
            if picture is None:
                continue
            clean, _drawn = await self._workbench.run(encode, picture, None)
            try:
                stored = self._ledger.put_evidence(clean, "image/jpeg", caption)
                refs.append(await asyncio.wrap_future(stored))
            except StorageFull as error:
                log.warning("a challenge goes out without its picture", error=str(error))
        return tuple(refs)

    async def _switch(self, challenge: ChallengeSpec, on: bool) -> None:
        """Switch the lamp, or say that it is lost. Raises SourceError."""
        port = self._ports[challenge.bus]
        for left in reversed(range(TRIES)):
            try:
                await port.write_coil(challenge.unit, challenge.coil, on)
                break
            except SourceError as error:
                if not left:
                    self._gone(challenge.code, str(error))
                    raise
        self._back(challenge.code)

    def _gone(self, code: str, reason: str) -> None:
        if code not in self._lost:
            now = self._lost[code] = self._clock.now()
            self._emit(SourceLost(code, now, reason))

    def _back(self, code: str) -> None:
        since = self._lost.pop(code, None)
        if since is not None:
            now = self._clock.now()
            self._emit(SourceBack(code, now, now.since(since)))

    async def _put_out(self, challenge: ChallengeSpec) -> None:
        """Whatever happened; when it cannot be done, the next run says that the lamp is lost."""
        try:
            async with asyncio.timeout(OFF_S):
                await self._ports[challenge.bus].write_coil(challenge.unit, challenge.coil, False)
        except (SourceError, TimeoutError) as error:
            log.warning("a lamp may be left on", lamp=challenge.code, reason=repr(error))
