"""How much of a camera's stream is decoded while nothing moves, and why. Pure.

Decoding is the cost. A small stream is cheap enough to be decoded wholly. Of a large one the
key pictures alone stand for the scene as long as they come often; where they do not, decoding
goes on from the key once a second, so that nobody is unseen for longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.domain.names import Name

CHEAP_PIXELS_S = 6_500_000.0  # a second: 640 x 360 at 25 pictures, and a little more
KEYS_GROUP_S = 2.1  # groups of pictures up to this long are watched by their keys alone
PROMISED_GROUP_S = 1.05  # an alarm within two seconds needs a key picture every second


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
