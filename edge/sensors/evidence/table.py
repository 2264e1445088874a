"""Readings as CSV, in the form that `eseal replay` takes. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

from edge.domain.observation import Reading


def table(readings: Iterable[Reading]) -> bytes:
    """One line a reading: ts (UTC), meter, p_kw, quality, serial, and every other quantity.

    A quantity that a reading did not have is left empty.
    """
    rows = list(readings)
    others = sorted({name for row in rows for name in row.values} - {"power_kw"})
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["ts", "meter", "p_kw", "quality", "serial", *others])
    for row in rows:
        told = [row.stamp.iso(), row.source, row.values.get("power_kw", "")]
        told += [row.quality.value, row.serial]
        writer.writerow([*told, *(row.values.get(name, "") for name in others)])
    return text.getvalue().encode()
