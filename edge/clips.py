"""What cameras are asked for when something happens: to look closely, and for a clip.

An alarm never waits for its clip. That is attached by a later record of its incident, together
with a manifest that names the clip and the pictures by their hashes.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

import structlog

from edge.allowance import Hourly
from edge.clock import Clock, Stamp, parse_iso
from edge.domain.activity import Activity, ActivityKind, EvidenceRef, Phase
from edge.domain.record import Draft, RecordType
from edge.errors import Refused, SourceError, StorageFull
from edge.ledger.store import Ledger
from edge.rules.state import Attachment
from edge.vision.camera.channel import ClipMessage
from edge.vision.cameras import Cameras
from edge.vision.evidence.clip import PRE_ROLL_S
from edge.vision.evidence.mp4 import Film, checked
from edge.vision.spec import ClipSpec
from edge.vision.stream.ring import KEEP_S

WAKING = frozenset({ActivityKind.LOAD_RUNNING, ActivityKind.CONTACT_OPEN})
SEEN = frozenset(
    {
        ActivityKind.PERSON_IN_ZONE,
        ActivityKind.VEHICLE_IN_ZONE,
        ActivityKind.UNNAMED_MOTION,
    }
)
SPOILT = frozenset(
    {
        ActivityKind.PICTURE_COVERED,
        ActivityKind.PICTURE_MOVED,
        ActivityKind.PICTURE_BLURRED,
        ActivityKind.PICTURE_OVEREXPOSED,
        ActivityKind.PICTURE_SWAPPED,
    }
)
"""What is done to a camera; the clip shows who did it, if the pictures before are still held."""

log = structlog.get_logger(__name__)


class Clips:
    """Asks the cameras.

    Args:
        spec: how many.
        codes: of the cameras that are configured.
        cameras: those that are connected.
        ledger: keeps the files.
        clock: tells time.
        attach: takes what is to be attached.

    Attributes:
        dropped: clips that were not made, by reason.
    """

    def __init__(
        self,
        spec: ClipSpec,
        codes: Collection[str],
        cameras: Cameras,
        ledger: Ledger,
        clock: Clock,
        attach: Callable[[Attachment], None],
    ) -> None:
        self._spec = spec
        self._codes = codes
        self._cameras = cameras
        self._ledger = ledger
        self._clock = clock
        self._attach = attach
        self._allowance = Hourly(spec.per_hour)
        self._under_way: dict[str, tuple[str, str, str]] = {}  # camera: kind, source, place
        self._group: asyncio.TaskGroup | None = None
        self.dropped: Counter[str] = Counter()

    async def run(self) -> None:
        """Work for ever; before that nothing is asked for."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await asyncio.Event().wait()

    def activity(self, activity: Activity) -> None:
        """Something started, goes on or ended."""
        if activity.phase is Phase.STARTED and activity.kind in WAKING:
            self._cameras.wake()
        key = (activity.kind.value, activity.source, activity.place)
        if activity.phase is Phase.ENDED and self._under_way.get(activity.source) == key:
            self._cameras.clip_ends(activity.source)

    def judged(self, draft: Draft) -> None:
        """A draft is on its way into the ledger; if it opens an incident, it may want a clip."""
        if draft.type is not RecordType.INCIDENT_OPENED or draft.data["source"] not in self._codes:
            return
        reason = draft.data["reasons"][-1]
        kind = ActivityKind(reason["kind"])
        since_s = (self._clock.now().wall_us - parse_iso(reason["started"])) / 1e6
        if kind not in SEEN and (kind not in SPOILT or since_s > KEEP_S):
            return
        camera = draft.data["source"]
        why = self._refused(camera)
        if why:
            self.dropped[f"clips: {why}"] += 1
            return
        assert self._group is not None
        self._allowance.count(camera, self._clock.now())
        self._under_way[camera] = (kind.value, camera, draft.data["place"])
        self._group.create_task(self._make(camera, draft.data, since_s + PRE_ROLL_S))
        if reason["phase"] == Phase.ENDED:  # told once the clip has been asked for
            asyncio.get_running_loop().call_soon(self._cameras.clip_ends, camera)

    def _refused(self, camera: str) -> str:
        """Why there will be no clip; empty when there may be one."""
        if self._allowance.spent(camera, self._clock.now()):
            return "enough in this hour"
        if camera in self._under_way:
            return "one of this camera is under way"
        if len(self._under_way) >= self._spec.at_once or self._group is None:
            return "too many at once"
        return ""

    async def _make(self, camera: str, incident: Mapping[str, Any], age_s: float) -> None:
        try:
            clip = await self._cameras.clip(camera, age_s)
            came = self._clock.now()
            film = checked(clip.data) if clip.pictures else None
            if film is None:
                raise SourceError("no browser plays what it sends, or nothing came")
            refs = await self._stored(camera, incident, clip, film, came)
        except (SourceError, Refused, StorageFull) as error:
            log.warning("no clip", camera=camera, reason=str(error))
            self.dropped[f"clips: {type(error).__name__}"] += 1
            return
        finally:
            del self._under_way[camera]
        self._attach(Attachment(incident["incident"], refs))

    async def _stored(
        self,
        camera: str,
        incident: Mapping[str, Any],
        clip: ClipMessage,
        film: Film,
        came: Stamp,
    ) -> tuple[EvidenceRef, ...]:
        stored = self._ledger.put_evidence(bytes(clip.data), "video/mp4", "clip")
        ref = await asyncio.wrap_future(stored)
        told = self._cameras.facts.get(camera)
        manifest = {
            "incident": incident["incident"],
            "camera": camera,
            "begin": came.moved(-clip.age_s).iso(),
            "end": came.moved(clip.duration_s - clip.age_s).iso(),
            "codec": film.codec,
            "width": film.width,
            "height": film.height,
            "pictures": clip.pictures,
            "clip": {"sha256": ref.sha256, "size": ref.size},
            "snapshots": [
                {"sha256": shown["sha256"], "caption": shown["caption"]}
                for shown in incident["evidence"]
            ],
            "watched": {
                "decoding": told.policy.decoding.value if told else "",
                "reason": told.policy.reason.value if told else "",
                "gop_s": round(told.facts.gop_s, 2) if told else 0,
            },
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
        kept = self._ledger.put_evidence(text, "application/json", "manifest")
        return ref, await asyncio.wrap_future(kept)
