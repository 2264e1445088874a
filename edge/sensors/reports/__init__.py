"""What a regulator reads of power without any alarm: quarter hours, days, weeks. Pure.

Each is a fold over the one before it, and all begin with the minutes of `PowerSummary`, which are
records as well: whoever doubts a report adds it up again.
"""

from __future__ import annotations

from edge.sensors.reports.reports import REMEMBERED, Reports

__all__ = ["REMEMBERED", "Reports"]
