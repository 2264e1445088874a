"""From somebody before a camera to a film of it in the ledger, with the daemon as installed."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import pytest

from edge.domain.record import RecordType
from edge.ledger.store import LedgerView
from tests.integration.rig import GATEWAY, MINE_CODE, rig

pytestmark = pytest.mark.timeout(150)

WHOLE = [[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]


def _shown(storage: Any) -> list[dict[str, Any]]:
    with closing(LedgerView.open(storage)) as ledger:
        types = {RecordType.INCIDENT_UPDATED, RecordType.INCIDENT_CLOSED}
        return [
            leaf["data"]
            for leaf in ledger.leaves_of(types)
            if any(ref["media_type"] == "video/mp4" for ref in leaf["data"]["evidence"])
        ]


def _part(video: Path, begin_s: float, end_s: float, target: Path) -> Path:
    """The packets between two key pictures of a film."""
    with av.open(str(video)) as film, av.open(str(target), "w") as part:
        stream = film.streams.video[0]
        out = part.add_stream_from_template(stream)
        for packet in film.demux(stream):
            if packet.size and begin_s <= float((packet.pts or 0) * packet.time_base) < end_s:
                packet.stream = out
                part.mux(packet)
    return target


async def test_a_person_at_the_shaft_is_filmed_from_before_and_the_film_plays(
    tmp_path, shared_data
):
    # Somebody comes after four seconds; the clip ends when the film begins anew.
    video = _part(shared_data / "videos" / "one-by-one-person.mp4", 2, 10, tmp_path / "visit.mp4")
    zone = {"code": "mouth", "kind": "shaft-mouth", "polygon": WHOLE}
    camera = {"code": "shaft-cam", "url": video.as_uri(), "zone": [zone]}
    async with rig(tmp_path, camera=[camera]) as r:
        await r.gateway.start()
        r.province.enrol(MINE_CODE, GATEWAY, r.gateway.verifier_key())
        assert await r.alarm("person-at-shaft", "shaft-cam", 60)
        for _ in range(100):
            if _shown(r.storage):
                break
            await asyncio.sleep(0.5)
        data = _shown(r.storage)[0]
        await r.gateway.stop()
    clip, manifest = data["evidence"][-2:]
    files = r.storage / "evidence"
    film = files / clip["sha256"][:2] / clip["sha256"]
    assert sha256(film.read_bytes()).hexdigest() == clip["sha256"]
    said = json.loads((files / manifest["sha256"][:2] / manifest["sha256"]).read_text())
    assert said["begin"] < data["opened"] < said["end"]
    assert said["clip"]["sha256"] == clip["sha256"]
    assert len(said["snapshots"]) == 2
    with av.open(str(film)) as container:
        frames = [(float(frame.time or 0), frame.key_frame) for frame in container.decode(video=0)]
    assert frames[0][1]
    assert len(frames) == said["pictures"]
