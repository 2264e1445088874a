"""Where a camera's low-resolution stream probably is, by the paths that makers use. Pure.

The paths are public conventions of the makers' manuals; whether one is there is found by asking.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

# What the main stream's path and query look like, and what the sub-stream's do.
_CONVENTIONS: tuple[tuple[str, str], ...] = (
    (r"(?i)(/streaming/channels/\d{1,3})01\b", r"\g<1>02"),  # Hikvision
    (r"(?i)(/h26[45]/ch\d+)/main/(av_stream)", r"\1/sub/\2"),  # Hikvision, older
    (r"(?i)(/cam/realmonitor\?.*\bsubtype=)0\b", r"\g<1>1"),  # Dahua
    (r"(?i)(/unicast/c\d+)/s0/(live)", r"\1/s1/\2"),  # Uniview
    (r"(?i)(/media/video)1\b", r"\g<1>2"),  # Uniview
    (r"(?i)(/stream)1\b", r"\g<1>2"),  # TP-Link
    (r"(?i)(preview_\d+_)main\b", r"\1sub"),  # Reolink
    (r"(?i)(\bstream=)0(\.sdp)", r"\g<1>1\2"),  # Xiongmai
    (r"(?i)(/live/ch\d+)_0\b", r"\1_1"),
    (r"(?i)(/profile)1\b", r"\g<1>2"),  # Hanwha
    (r"(?i)(/ch\d+)/0\b", r"\1/1"),  # Tiandy and others
    (r"(?i)/main\b", "/sub"),
)


def candidates(url: str) -> list[str]:
    """URLs where the sub-stream of the main stream at `url` may be; likely ones first."""
    parts = urlsplit(url)
    if parts.scheme not in {"rtsp", "rtsps"}:
        return []
    tail = urlunsplit(("", "", parts.path, parts.query, ""))
    found: dict[str, None] = {}
    for main, sub in _CONVENTIONS:
        other = re.sub(main, sub, tail, count=1)
        if other != tail:
            found.setdefault(f"{parts.scheme}://{parts.netloc}{other}")
    return list(found)
