"""A configured seal for the tests of what is built around it."""

from __future__ import annotations

from typing import Any

from edge.clock import Stamp
from edge.config import SealConfig, parse
from edge.domain.observation import (
    Label,
    Measures,
    PictureQuality,
    Quality,
    Reading,
    SeenObject,
    Sighting,
)


def site(**changes: Any) -> SealConfig:
    """A mine that stands still: hoist and pump, a door contact, a camera at the shaft."""
    bus = {
        "code": "bus-1",
        "transport": "tcp",
        "host": "127.0.0.1",
        "meter": [
            {
                "code": "hoist",
                "profile": "eastron_sdm630",
                "unit": 1,
                "duty": "hoist",
                "running_kw": 10.0,
            },
            {"code": "pump", "profile": "eastron_sdm630", "unit": 2, "duty": "pump"},
        ],
        "contact": [{"code": "door", "unit": 3, "address": 0}],
    }
    corners = [[0.2, 0.2], [0.8, 0.2], [0.8, 0.9], [0.2, 0.9]]
    camera = {
        "code": "shaft-cam",
        "url": "rtsp://127.0.0.1/shaft",
        "zone": [{"code": "mouth", "kind": "shaft-mouth", "polygon": corners}],
        "line": [{"code": "sill", "start": [0.2, 0.5], "end": [0.8, 0.5]}],
    }
    data = {
        "site": {"mine_code": "220182000001", "gateway": "gw1", "state": "suspended"},
        "storage": {"dir": "/nowhere"},
        "bus": [bus],
        "camera": [camera],
        "broker": [{"host": "127.0.0.1"}],
        **changes,
    }
    return parse(data)


def reading(source: str, stamp: Stamp, kw: float) -> Reading:
    return Reading(source, stamp, Quality.GOOD, {"power_kw": kw})


def sighting(stamp: Stamp, *feet: tuple[float, float]) -> Sighting:
    """People whose feet stand at these points of the shaft camera's picture."""
    people = tuple(
        SeenObject(i, Label.PERSON, 0.9, (x - 0.05, y - 0.2, x + 0.05, y))
        for i, (x, y) in enumerate(feet)
    )
    return Sighting("shaft-cam", stamp, Quality.GOOD, people)


def picture_quality(stamp: Stamp, *, covered: bool = False, still_s: float = 0.0) -> PictureQuality:
    figures = (110.0, 1.0, 0.5) if covered else (110.0, 50.0, 200.0)
    return PictureQuality("shaft-cam", stamp, Quality.GOOD, Measures(*figures, still_s))
