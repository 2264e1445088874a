"""How the seal is, computed from function: what each part last did, and how long ago."""

from __future__ import annotations

from edge.status.live import RESTORED_TYPES, Status
from edge.status.offline import read_offline

__all__ = ["RESTORED_TYPES", "Status", "read_offline"]
