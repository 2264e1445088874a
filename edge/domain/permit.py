"""Permits: signed, time-bounded leave for what the mine's state forbids. Pure."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from edge.clock import Stamp, parse_iso
from edge.domain.activity import Activity, ActivityKind
from edge.domain.observation import Label
from edge.wiring import Code, Many, Spec

MAX_DAYS = 366
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_CLASSES = {
    ActivityKind.PERSON_IN_ZONE: Label.PERSON,
    ActivityKind.VEHICLE_IN_ZONE: Label.VEHICLE,
}
_OF_FEEDERS = frozenset(
    {
        ActivityKind.LOAD_RUNNING,
        ActivityKind.PUMP_UNLIKE,
        ActivityKind.RESIDUAL_LOAD,
        ActivityKind.UNEXPLAINED_LOAD,
        ActivityKind.SHARE_RISEN,
        ActivityKind.DAY_LIKE_PRODUCTION,
    }
)


def moment_us(text: object) -> int:
    """Microseconds since 1970 of an RFC 3339 time in UTC. Raises ValueError."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError("is not a time in RFC 3339 UTC")
    return parse_iso(text)


def moment_text(us: int) -> str:
    """The same as text."""
    return Stamp(us, 0, "").iso()


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("has characters that cannot be printed, or blanks around it")
    return text


Moment = Annotated[int, BeforeValidator(moment_us), PlainSerializer(moment_text)]
"""A time in µs; RFC 3339 text in JSON."""
Words = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
PermitId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Permit(Spec):
    """Leave for some activities within a window.

    Inside it the same activity is recorded and raises no alarm.
    """

    id: PermitId = Field(description="names it; a grant with the same id replaces it")
    begins: Moment = Field(description="from when")
    ends: Moment = Field(description="until when, at most 366 days later")
    zones: Many[Code] = Field(default=(), max_length=32, description="where: codes of zones")
    classes: Many[Label] = Field(
        default=(), max_length=2, description="who may be in those zones: person, vehicle"
    )
    heads: int = Field(
        default=0, ge=0, le=10_000, description="people that may be in one zone at once"
    )
    feeders: Many[Code] = Field(default=(), max_length=32, description="meters that may run")
    responsible: Words = Field(description="who answers for it")
    plan: Words = Field(description="the approved plan that it rests on")

    @model_validator(mode="after")
    def _window(self) -> Permit:
        if not 0 < self.ends - self.begins <= MAX_DAYS * 86_400_000_000:
            raise ValueError(f"a window ends after it begins, within {MAX_DAYS} days")
        if not self.feeders and not (self.zones and self.classes):
            raise ValueError("a permit names feeders, or zones and classes")
        return self

    def covers(self, activity: Activity, now: Stamp) -> bool:
        """Whether it allows this activity at `now` (wall clock).

        People beyond `heads` are not covered, so that one too many is noticed.
        """
        if not self.begins <= now.wall_us < self.ends:
            return False
        if activity.kind in _OF_FEEDERS:
            return activity.source in self.feeders
        label = _CLASSES.get(activity.kind)
        if label not in self.classes or activity.place not in self.zones:
            return False
        count = activity.detail.get("count", 1)
        return label is Label.VEHICLE or (isinstance(count, int) and count <= self.heads)
