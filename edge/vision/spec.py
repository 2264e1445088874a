"""How cameras are wired and what they watch: the shape of `[[camera]]` in seal.toml.

Points are fractions of the picture, (0, 0) top left, (1, 1) bottom right.
"""

from __future__ import annotations

import math
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from edge.domain.activity import ZoneKind
from edge.errors import Unfit
from edge.vision.outline import area, crossing
from edge.vision.stream.access import Access, Transport
from edge.vision.stream.policy import Watch
from edge.wiring import Code, FilePath, Many, Spec, form, platform_code

MIN_AREA = 0.0005  # of the picture: a person far away fills more
MIN_LENGTH = 0.01
_REMOTE = ("rtsp", "rtsps", "http", "https")
_LOCAL = ("file", "v4l2")
_DEVICE = re.compile(r"/dev/(video\d{1,3}|v4l/by-(id|path)/[\w.:+-]{1,200})", re.ASCII)
_ENCODE = "write @ : / # ? of a password as %40 %3A %2F %23 %3F"

_PIN = form(r"([0-9a-f]{64})?", "write the 64 small hex digits that `eseal probe camera` prints")

Fraction = Annotated[float, Field(ge=0, le=1)]
Point = Annotated[tuple[Fraction, Fraction], Field(strict=False)]


def _url(text: str, schemes: tuple[str, ...]) -> str:
    remedy = f"write {schemes[0]}://user:password@address:554/path"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in schemes and (parts.hostname or parts.scheme in _LOCAL)
        _ = parts.port  # urlsplit looks at it only now
    except ValueError:  # whose text may hold a part of the password
        raise Unfit("has a host or a port that cannot be read", f"{remedy}; {_ENCODE}") from None
    strange = "%00" in text or any(char.isspace() or not char.isprintable() for char in text)
    if not usable or strange:
        raise Unfit(f"is not a URL of {', '.join(schemes[:-1])} or {schemes[-1]}", remedy)
    if "@" in text.partition("://")[2].partition("/")[2]:
        raise Unfit("has an @ behind the host", _ENCODE)
    if parts.scheme == "file" and not parts.path.strip("/"):
        raise Unfit("names no file", "write file:///path/of/video.mp4")
    if parts.scheme == "v4l2" and not _DEVICE.fullmatch(parts.path):
        raise Unfit("names no video device", "write v4l2:///dev/video0")
    return text


def main_url(text: str) -> str:
    """A URL that a camera may have. Raises Unfit for any other."""
    return _url(text, (*_REMOTE, *_LOCAL))


def _sub_url(text: str) -> str:
    return _url(text, _REMOTE) if text else text


def _simple(polygon: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """Refuse a polygon that crosses itself or has no inside."""
    crossed = crossing(polygon)
    if crossed:
        first, second = crossed
        raise Unfit(
            f"crosses itself: the side from corner {first} meets the side from corner {second}",
            "list the corners in order around the zone, each once",
        )
    if area(polygon) < MIN_AREA:
        raise Unfit("has next to no area", "give three corners or more that enclose the zone")
    return polygon


class ZoneSpec(Spec):
    """A polygon; a thing is in it when the middle of its box's lower edge is."""

    code: Code = Field(
        description="name of the place in every record", examples=["main-shaft-mouth"]
    )
    kind: ZoneKind = Field(
        strict=False, description="what is watched; rules judge by it", examples=["shaft-mouth"]
    )
    polygon: Annotated[Many[Point], Field(min_length=3, max_length=32), AfterValidator(_simple)] = (
        Field(
            description="corners in order, [x, y] in fractions of the picture",
            examples=[[[0.3, 0.4], [0.7, 0.4], [0.7, 0.9], [0.3, 0.9]]],
        )
    )


class LineSpec(Spec):
    """A directed line from `start` to `end`; crossing it from left to right counts as in.

    Left is the left hand of somebody who walks from start to end over the ground as the
    picture shows it.
    """

    code: Code = Field(description="name of the place in every record", examples=["mouth-line"])
    start: Point = Field(description="[x, y] where it begins", examples=[[0.3, 0.7]])
    end: Point = Field(description="[x, y] where it ends", examples=[[0.7, 0.7]])

    @field_validator("end")
    @classmethod
    def _has_length(cls, end: tuple[float, float], info: ValidationInfo) -> tuple[float, float]:
        start = info.data.get("start")
        if start is not None and math.dist(start, end) < MIN_LENGTH:
            raise Unfit("is where the line starts", "move it: a line needs a length to be crossed")
        return end


class ClockSpec(Spec):
    """The time that the camera writes into its picture; found and read by itself."""

    utc_offset_h: float = Field(
        default=8.0,
        ge=-12,
        le=14,
        description="hours by which its time zone is ahead of UTC",
        examples=[8.0],
    )
    most_off_s: float = Field(
        default=120.0,
        ge=5,
        le=3600,
        description="seconds by which it may differ from the gateway's clock",
        examples=[120.0],
    )


class MaskSpec(Spec):
    """A polygon in which nothing counts as moving; the detector looks there all the same."""

    polygon: Annotated[Many[Point], Field(min_length=3, max_length=32), AfterValidator(_simple)] = (
        Field(
            description="corners in order, [x, y] in fractions of the picture",
            examples=[[[0.0, 0.1], [0.2, 0.1], [0.2, 0.5], [0.0, 0.5]]],
        )
    )


class CameraSpec(Spec):
    """One camera."""

    code: Code = Field(description="name of the source in every record", examples=["shaft-cam"])
    url: Annotated[str, Field(max_length=1000), AfterValidator(main_url)] = Field(
        description="main stream", examples=["rtsp://seal:secret@10.0.0.31:554/main"]
    )
    sub_url: Annotated[str, Field(max_length=1000), AfterValidator(_sub_url)] = Field(
        default="",
        description="low-resolution stream, if the camera has one: it is cheaper to decode",
        examples=["rtsp://seal:secret@10.0.0.31:554/sub"],
    )
    transport: Transport = Field(
        strict=False,
        default=Transport.AUTO,
        description="what carries an RTSP stream; auto is TCP, and UDP with cameras that refuse it",
        examples=["udp"],
    )
    ca_file: FilePath | None = Field(
        default=None,
        description="of rtsps and https: PEM of the authority that signed the camera's "
        "certificate, which names the camera as the URL does",
        examples=["/etc/eseal/cameras.crt"],
    )
    tls_pin: Annotated[str, _PIN] = Field(
        default="",
        validate_default=True,
        description="instead of ca_file: SHA-256 of the camera's own certificate, as "
        "`eseal probe camera` prints it",
        examples=["5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"],
    )
    watch: Watch = Field(
        strict=False,
        default=Watch.AUTO,
        description="what is decoded while nothing moves: `keys` pictures alone, `full` for "
        "everything, `auto` for what the measured stream allows; the page says which and why",
        examples=["keys"],
    )
    zone: Many[ZoneSpec] = Field(default=(), max_length=32, description="what it watches")
    line: Many[LineSpec] = Field(default=(), max_length=32, description="where it counts")
    mask: Many[MaskSpec] = Field(
        default=(), max_length=32, description="where motion means nothing: trees, flags, a road"
    )
    clock: ClockSpec = Field(default=ClockSpec(), description="the time in its picture")
    camera_code: Annotated[str, platform_code(20)] = Field(
        default="",
        description="20-digit camera code of the platform",
        examples=["22010000000101000001"],
    )

    @field_validator("transport")
    @classmethod
    def _stays_within_tls(cls, transport: Transport, info: ValidationInfo) -> Transport:
        urls = (str(info.data.get(name, "")) for name in ("url", "sub_url"))
        if transport is Transport.UDP and any(Access(url).tls for url in urls):
            raise Unfit("is 'udp', on which pictures travel outside of TLS", "leave it out")
        return transport

    @field_validator("tls_pin")
    @classmethod
    def _trusts_somebody(cls, pin: str, info: ValidationInfo) -> str:
        urls = [str(info.data.get(name, "")) for name in ("url", "sub_url")]
        known = "ca_file" in info.data
        ca_file = info.data.get("ca_file")
        if pin and ca_file:
            raise Unfit("is given beside ca_file", "give one of the two")
        if known and not pin and not ca_file and any(Access(url).tls for url in urls):
            raise Unfit(
                "is missing: nobody says whose certificate this camera may show",
                "give tls_pin, which `eseal probe camera` prints, or ca_file",
            )
        return pin

    @property
    def masks(self) -> tuple[tuple[tuple[float, float], ...], ...]:
        """The polygons of all masks."""
        return tuple(mask.polygon for mask in self.mask)

    @property
    def access(self) -> Access:
        """The stream to decode, the cheaper one where there is a choice, and how to reach it."""
        return Access(
            self.sub_url or self.url, self.transport, str(self.ca_file or ""), self.tls_pin
        )


class ClipSpec(Spec):
    """`[clip]`: films of what opened an incident, from 5 s before it to its end."""

    per_hour: int = Field(
        default=12,
        ge=0,
        le=120,
        description="clips of one camera in an hour at most; 0 makes none",
        examples=[12],
    )
    at_once: int = Field(
        default=4,
        ge=1,
        le=16,
        description="clips under way at once, all cameras together; each takes up to 12 MB "
        "of memory here and in its camera's process",
        examples=[4],
    )
