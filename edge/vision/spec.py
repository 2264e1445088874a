"""How cameras are wired and what they watch: the shape of `[[camera]]` in seal.toml.

Points are fractions of the picture, (0, 0) top left, (1, 1) bottom right.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from edge.domain.activity import ZoneKind

Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Fraction, Fraction]


class Spec(BaseModel):
    """Wiring is exact: an unknown key is a fault, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ZoneSpec(Spec):
    """A polygon; a thing is in it when the middle of its box's lower edge is."""

    code: Code
    kind: ZoneKind
    polygon: tuple[Point, ...] = Field(min_length=3, max_length=32)


class LineSpec(Spec):
    """A directed line from `start` to `end`; crossing it from left to right counts as in.

    Left is the left hand of somebody who walks from start to end over the ground as the
    picture shows it.
    """

    code: Code
    start: Point
    end: Point


class CameraSpec(Spec):
    """One camera."""

    code: Code
    url: str = Field(pattern=r"^(rtsp|rtsps|file)://.+", description="main stream")
    sub_url: str = Field(
        default="", pattern=r"^((rtsp|rtsps)://.+)?$", description="low-resolution stream, if any"
    )
    zone: tuple[ZoneSpec, ...] = ()
    line: tuple[LineSpec, ...] = ()
    camera_code: str = Field(
        default="", pattern=r"^(\d{20})?$", description="20-digit camera code of the platform"
    )

    @property
    def watch_url(self) -> str:
        """The stream to decode: the cheaper one where there is a choice."""
        return self.sub_url or self.url
