"""`eseal probe camera`: what a camera sends, and what watching it would cost this machine.

The camera is watched by the same process as in service, so what is measured is what it will
take. Nothing of it is shown but figures, and its password nowhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge.clock import SystemClock
from edge.config.words import hide_passwords
from edge.domain.loss import name_of
from edge.domain.names import Name
from edge.domain.observation import Measures
from edge.errors import Refused, SourceError
from edge.vision.camera.channel import FactsMessage, PictureMessage, QualityMessage
from edge.vision.camera.gate import GateState
from edge.vision.camera.process import CameraProcess
from edge.vision.detect.inference import Inference
from edge.vision.evidence import snapshot
from edge.vision.picture import Picture
from edge.vision.stream import reach
from edge.vision.stream.access import Access
from edge.vision.stream.policy import Decoding, Facts, Policy, Watch, gop_verdict, in_words
from edge.vision.stream.substreams import candidates

DAY_S = 86_400
SETTLE_S = 6.0  # the gate calibrates and everything is decoded; this is not what a day costs
SUB_S = 8.0  # to find out what a sub-stream is
_TICKS = os.sysconf("SC_CLK_TCK")
_WATCHES = {Decoding.KEYS: Watch.KEYS, Decoding.FULL: Watch.FULL}


@dataclass(slots=True)
class Sample:
    """What one watch of a stream showed.

    Attributes:
        cpu_share: of one core, once settled; None when it was too short for that.
        moving: share of the measures at which the gate was open.
        frame: a picture, at most 1280 pixels wide.
    """

    facts: Facts = field(default_factory=Facts)
    policy: Policy | None = None
    measures: Measures | None = None
    cpu_share: float | None = None
    moving: float = 0.0
    frame: Picture | None = None


async def sample(access: Access, watch: Watch, seconds: float, inference: Inference) -> Sample:
    """Watch a stream as the daemon would, for `seconds` after it settled.

    Raises:
        SourceError, Refused: it cannot be watched.
    """
    process = await CameraProcess.start(access, watch, inference)
    seen, meter = Sample(), _Meter(process.pid or 0)
    gates: list[GateState] = []
    try:
        process.allow(attentive=True)
        begun = time.monotonic()
        limit = begun + 3 * SETTLE_S + seconds  # opening may take long
        while time.monotonic() < limit and meter.seconds < seconds:
            message = await process.receive()
            match message:
                case FactsMessage(facts, policy):
                    seen.facts, seen.policy = facts, policy
                case PictureMessage() if seen.frame is None:
                    seen.frame = Picture(message.frame, SystemClock().now())
                case QualityMessage(measures, gate):
                    seen.measures = measures
                    gates.append(gate)
                    if gate is not GateState.CALIBRATING and len(gates) > SETTLE_S / 2:
                        meter.start()
        seen.cpu_share = meter.share()
    finally:
        process.end()
    seen.moving = gates.count(GateState.OPEN) / len(gates) if gates else 0.0
    return seen


class _Meter:
    """Processor time of one process from `start` on."""

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._begun: tuple[float, float] | None = None

    def start(self) -> None:
        self._begun = self._begun or (time.monotonic(), self._spent())

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun[0] if self._begun else 0.0

    def share(self) -> float | None:
        if self._begun is None or self.seconds < 1:
            return None
        return (self._spent() - self._begun[1]) / self.seconds

    def _spent(self) -> float:
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


async def survey(access: Access, seconds: float) -> tuple[dict[str, Any], Picture | None]:
    """Everything that `eseal probe camera` tells, as JSON values, and a picture.

    Raises:
        SourceError, Refused: the main stream cannot be watched.
    """
    inference = Inference(None)
    try:
        main = await sample(access, Watch.AUTO, seconds, inference)
        shares = {main.policy.decoding: main.cpu_share} if main.policy else {}
        for decoding, watch in _WATCHES.items():
            if decoding not in shares:
                shares[decoding] = (await sample(access, watch, seconds, inference)).cpu_share
        subs = await _sub_streams(access, inference)
    finally:
        inference.close()
    facts, measures = main.facts, main.measures
    verdict = gop_verdict(facts.gop_s) if facts.gop_s else None
    found: dict[str, Any] = {
        "url": hide_passwords(access.url),
        "facts": {name: _rounded(value) for name, value in asdict(facts).items()},
        "auto": {
            "decoding": main.policy.decoding.value,
            "reason": main.policy.reason.value,
            **in_words(main.policy, facts)._asdict(),
        }
        if main.policy
        else None,
        "gop_verdict": verdict._asdict() if verdict else None,
        "mb_per_day": round(facts.kbps * DAY_S / 8000) if facts.kbps else None,
        "cpu_s_per_day": {
            decoding.value: None if share is None else round(share * DAY_S)
            for decoding, share in shares.items()
        },
        "moving_share": round(main.moving, 2),
        "picture": {
            name: round(getattr(measures, name), 1)
            for name in ("brightness", "contrast", "sharpness")
        }
        if measures
        else None,
        "sub_streams": subs,
        "tls_pin": access.tls_pin or None,
    }
    return found, main.frame


async def _sub_streams(access: Access, inference: Inference) -> list[dict[str, Any]]:
    """Sub-streams that are there, of those that makers' conventions suggest."""
    found = []
    for url in candidates(access.url):
        other = Access(url, access.transport, access.ca_file, access.tls_pin)
        try:
            async with asyncio.timeout(SUB_S + SETTLE_S):
                facts = await _facts(other, inference)
        except (SourceError, Refused, TimeoutError):
            continue
        told = {name: _rounded(value) for name, value in asdict(facts).items()}
        found.append({"url": hide_passwords(url), **told})
    return found


async def _facts(access: Access, inference: Inference) -> Facts:
    process = await CameraProcess.start(access, Watch.AUTO, inference)
    try:
        while True:
            message = await process.receive()
            if isinstance(message, FactsMessage) and message.facts.width:
                return message.facts
    finally:
        process.end()


def _rounded(value: str | float) -> str | float:
    return value if isinstance(value, str) else round(value, 2)


def trusting(access: Access) -> Access:
    """The same, with the pin of whatever certificate is shown, if nobody is trusted yet.

    Raises:
        SourceError: no certificate is shown.
    """
    if not access.tls or access.ca_file or access.tls_pin:
        return access
    pin = reach.fingerprint(reach.certificate(access))
    return Access(access.url, access.transport, access.ca_file, pin)


def probe(access: Access, seconds: float, picture: Path | None, *, as_json: bool) -> str:
    """Probe a camera; what is to be printed.

    Raises:
        SourceError: why it cannot be watched, in both languages.
    """
    try:
        access = trusting(access)
        found, frame = asyncio.run(survey(access, seconds))
    except (SourceError, Refused) as error:
        name = name_of(str(error))
        raise SourceError(f"{hide_passwords(access.url)}: {name.zh} · {name.en}") from None
    if picture is not None:
        if frame is None:
            raise SourceError("没有得到画面 · no picture came, so none was written")
        picture.write_bytes(snapshot.encode(frame, None)[0])
    if as_json:
        return json.dumps(found, ensure_ascii=False)
    return "\n".join(f"{name.zh} · {name.en}: {text}" for name, text in rows(found))


def rows(found: dict[str, Any]) -> list[tuple[Name, str]]:
    """The findings for people: names in both languages, and texts."""
    facts, auto, verdict = found["facts"], found["auto"], found["gop_verdict"]
    unknown = "未知 · unknown"
    told = [
        (Name("地址", "URL"), found["url"]),
        (Name("编码", "codec"), facts["codec"] or unknown),
        (Name("分辨率", "size"), f"{facts['width']}x{facts['height']}"),
        (Name("帧率", "pictures a second"), f"{facts['fps']:g}" if facts["fps"] else unknown),
        (
            Name("关键帧间隔", "key pictures"),
            f"{facts['gop_s']:g} s" if facts["gop_s"] else unknown,
        ),
        (Name("码率", "bit rate"), f"{facts['kbps']:g} kbit/s" if facts["kbps"] else unknown),
    ]
    if verdict:
        told.append((Name("注意", "note"), f"{verdict['zh']} · {verdict['en']}"))
    if found["tls_pin"]:
        told.append((Name("证书指纹", "tls_pin"), found["tls_pin"]))
    if picture := found["picture"]:
        text = ", ".join(f"{name} {figure:g}" for name, figure in picture.items())
        told.append((Name("画面", "picture"), text))
    if auto:
        told.append((Name("自动选择", "auto chooses"), f"{auto['zh']} · {auto['en']}"))
    for decoding, spent in found["cpu_s_per_day"].items():
        text = unknown if spent is None else f"{spent} CPU s"
        told.append((Name(f"每日开销（{decoding}）", f"cost a day ({decoding})"), text))
    if found["moving_share"]:
        moving = f"{found['moving_share']:.0%}"
        told.append((Name("测量时画面有活动", "of the time something moved"), moving))
    if found["mb_per_day"] is not None:
        told.append((Name("每日流量", "traffic a day"), f"{found['mb_per_day']} MB"))
    subs = found["sub_streams"]
    told += [
        (
            Name("子码流", "sub-stream"),
            f"{sub['url']} {sub['codec']} {sub['width']}x{sub['height']}",
        )
        for sub in subs
    ] or [(Name("子码流", "sub-stream"), "未找到 · none found where makers put it")]
    return told
