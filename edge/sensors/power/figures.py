"""Which figure of a reading counts as its power. Pure."""

from __future__ import annotations

import math

from edge.domain.observation import Quality, Reading

_BAD = Quality.BAD  # looked up once: this is asked for every reading


def power_of(reading: Reading) -> float | None:
    """The reading's power in kW, signed, if it is a figure to be used."""
    kw = reading.values.get("power_kw")
    if kw is None or reading.quality is _BAD or not math.isfinite(kw):
        return None
    return kw
