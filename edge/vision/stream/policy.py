"""How much of a camera's stream is decoded while nothing moves, and why. Pure.

Decoding is the cost. A small stream is cheap enough to be decoded wholly. Of a large one the
key pictures alone stand for the scene as long as they come often; where they do not, decoding
goes on from the key once a second, so that nobody is unseen for longer.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import NamedTuple

from edge.domain.names import Name
from edge.vision.stream.ring import Packet

CHEAP_PIXELS_S = 6_500_000.0  # a second: 640 x 360 at 25 pictures, and a little more
KEYS_GROUP_S = 2.1  # groups of pictures up to this long are watched by their keys alone
PROMISED_GROUP_S = 1.05  # an alarm within two seconds needs a key picture every second

MEASURED_S = 5.0  # a stream is measured over its newest groups that fill this time, …
MEASURED_GROUPS = 2  # … at least so many: a server may send the first one all at once
OVERDUE = 1.25  # of the usual group: one that lasts longer is a longer group
TELL_S = 5.0  # between two reports of a stream's facts
CHANGED = 0.2  # share by which a figure must have changed to be told again


class Watch(StrEnum):
    """What is asked for in `[[camera]]`."""

    AUTO = "auto"
    KEYS = "keys"
    FULL = "full"


class Decoding(StrEnum):
    """What is decoded while nothing moves. When something does, it is always everything."""

    KEYS = "keys"  # key pictures
    BETWEEN = "between"  # and once a second everything since the key
    FULL = "full"


class Reason(StrEnum):
    """Why so much is decoded."""

    ASKED_KEYS = "asked-keys"
    ASKED_FULL = "asked-full"
    SMALL = "small"
    SHORT_GROUPS = "short-groups"
    LONG_GROUPS = "long-groups"
    UNMEASURED = "unmeasured"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is measured of a stream; 0 is not known yet.

    Attributes:
        codec: `h264`, `hevc`, `mjpeg`, …
        width, height: pixels.
        fps: pictures a second.
        gop_s: seconds from one key picture to the next.
        kbps: kbit/s.
    """

    codec: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    gop_s: float = 0.0
    kbps: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What is decoded while nothing moves, and why."""

    decoding: Decoding
    reason: Reason


def chosen(watch: Watch, facts: Facts) -> Policy:
    """The policy for a stream with these facts."""
    if watch is Watch.KEYS:
        return Policy(Decoding.KEYS, Reason.ASKED_KEYS)
    if watch is Watch.FULL:
        return Policy(Decoding.FULL, Reason.ASKED_FULL)
    if 0 < facts.width * facts.height * facts.fps <= CHEAP_PIXELS_S:
        return Policy(Decoding.FULL, Reason.SMALL)
    if facts.gop_s <= 0:
        return Policy(Decoding.BETWEEN, Reason.UNMEASURED)
    if facts.gop_s <= KEYS_GROUP_S:
        return Policy(Decoding.KEYS, Reason.SHORT_GROUPS)
    return Policy(Decoding.BETWEEN, Reason.LONG_GROUPS)


class _Group(NamedTuple):
    seconds: float
    packets: int
    size: int


class Meter:
    """Measures one stream by when its packets come, and chooses its policy.

    Attributes:
        codec, shape: name, and (width, height), to be set by whoever knows them.
        policy: what is decoded while nothing moves.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._groups: deque[_Group] = deque()
        self._spanned = 0.0
        self._key_at: float | None = None
        self._opening = True
        self._packets = self._size = 0
        self._checked = 0.0
        self._fresh = False  # measured since it was last asked for news
        self._told: tuple[Facts, Policy] | None = None
        self._told_at = 0.0
        self.codec = ""
        self.shape = (0, 0)
        self.facts = Facts()
        self.policy = chosen(watch, self.facts)

    def step(self, packet: Packet, now: float) -> None:
        """Take a packet that came at `now` seconds, never going back."""
        if packet.is_keyframe:
            self._key(now)
        self._packets += 1
        self._size += packet.size
        if packet.is_keyframe or now - self._checked >= 1.0:
            self._checked = now
            self._measure(now)

    def _key(self, now: float) -> None:
        if self._key_at is not None and self._opening:
            self._opening = False  # what waited while the stream was opened came all at once
        elif self._key_at is not None:
            group = _Group(now - self._key_at, self._packets, self._size)
            self._groups.append(group)
            self._spanned += group.seconds
            while len(self._groups) > MEASURED_GROUPS:
                oldest = self._groups[0]
                if self._spanned - oldest.seconds < MEASURED_S:
                    break
                self._spanned -= self._groups.popleft().seconds
        self._key_at = now
        self._packets = self._size = 0

    def _measure(self, now: float) -> None:
        lasting = now - self._key_at if self._key_at is not None else 0.0
        gop_s = fps = kbps = 0.0
        if len(self._groups) >= MEASURED_GROUPS and self._spanned > 0:
            # The middle one: packets come in bursts, and a change of scene may bring an early key.
            gop_s = median(group.seconds for group in self._groups)
            gop_s = lasting if lasting > OVERDUE * gop_s else gop_s
            fps = sum(group.packets for group in self._groups) / self._spanned
            kbps = sum(group.size for group in self._groups) * 8e-3 / self._spanned
        elif lasting >= KEYS_GROUP_S:  # long enough to say something of the one under way
            gop_s, fps = lasting, self._packets / lasting
            kbps = self._size * 8e-3 / lasting
        self.facts = Facts(self.codec, *self.shape, fps, gop_s, kbps)
        self.policy = chosen(self._watch, self.facts)
        self._fresh = True

    def news(self, now: float) -> tuple[Facts, Policy] | None:
        """Facts and policy, if they are known and others than those last told."""
        if not self._fresh or not self.facts.gop_s or not self.facts.width:
            return None
        self._fresh = False
        if self._told is not None and (now - self._told_at < TELL_S or not self._differs()):
            return None
        self._told, self._told_at = (self.facts, self.policy), now
        return self._told

    def _differs(self) -> bool:
        assert self._told is not None
        old, policy = self._told
        new = self.facts
        if policy != self.policy or (old.codec, old.width, old.height) != (
            new.codec,
            new.width,
            new.height,
        ):
            return True
        figures = ((old.fps, new.fps), (old.gop_s, new.gop_s), (old.kbps, new.kbps))
        return any(abs(a - b) > CHANGED * max(a, b) for a, b in figures)


def in_words(policy: Policy, facts: Facts) -> Name:
    """The policy and its reason, for people on site."""
    size = f"{facts.width}x{facts.height}"
    fps, gop = f"{facts.fps:.0f}", f"{facts.gop_s:.1f}"
    return {
        Reason.ASKED_KEYS: Name(
            f"按配置，无活动时只解码关键帧（每 {gop} 秒一帧）",
            f"as configured, key pictures only while nothing moves (one every {gop} s)",
        ),
        Reason.ASKED_FULL: Name("按配置，始终全部解码", "as configured, everything is decoded"),
        Reason.SMALL: Name(
            f"码流小（{size}，每秒 {fps} 帧），始终全部解码",
            f"the stream is small ({size}, {fps} a second): everything is decoded",
        ),
        Reason.SHORT_GROUPS: Name(
            f"关键帧每 {gop} 秒一帧，无活动时只解码关键帧",
            f"a key picture every {gop} s: key pictures only while nothing moves",
        ),
        Reason.LONG_GROUPS: Name(
            f"关键帧间隔 {gop} 秒，过长，无活动时每秒也解码一次",
            f"a key picture only every {gop} s: decoded once a second also while nothing moves",
        ),
        Reason.UNMEASURED: Name(
            "关键帧间隔尚未测得，暂每秒解码一次",
            "the time between key pictures is not measured yet: decoded once a second",
        ),
    }[policy.reason]


def gop_verdict(gop_s: float) -> Name | None:
    """What is wrong with key pictures that come every `gop_s` seconds; None when nothing is."""
    if gop_s <= PROMISED_GROUP_S:
        return None
    late = f"{gop_s + 1:.1f}"
    return Name(
        f"关键帧间隔 {gop_s:.1f} 秒：无人时进入的人员最迟约 {late} 秒才告警；"
        "请将摄像机 I 帧间隔设为 1 秒",
        f"a key picture only every {gop_s:.1f} s: whoever comes into a quiet picture is told "
        f"up to about {late} s later; set the camera's I-frame interval to 1 s",
    )
