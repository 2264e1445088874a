"""A leaf: the canonical bytes of one record, encoded once and never again. Pure.

RFC 8785 (canonical JSON) of a CloudEvents 1.0 envelope. Receivers deduplicate by
(`source`, `id`), which is (origin of the log, index of the leaf).
"""

from __future__ import annotations

import json
from typing import Any

import rfc8785

from edge.domain.record import Draft

MAX_LEAF_BYTES = 262_144


def encode_leaf(draft: Draft, origin: str, index: int) -> bytes:
    """The bytes of `draft` as leaf `index` of the log `origin`.

    Raises:
        ValueError: the data is not JSON with finite numbers, or too large; a bug of ours.
    """
    envelope = {
        "specversion": "1.0",
        "id": str(index),
        "source": origin,
        "type": draft.type.value,
        "time": draft.stamp.iso(),
        "datacontenttype": "application/json",
        "lane": draft.lane.value,
        "bootid": draft.stamp.boot,
        "monous": draft.stamp.mono_us,
        "data": dict(draft.data),
    }
    leaf = rfc8785.dumps(envelope)
    if len(leaf) > MAX_LEAF_BYTES:
        raise ValueError(f"a {draft.type.value} of {len(leaf)} bytes is too large for a leaf")
    return leaf


def decode_leaf(leaf: bytes) -> dict[str, Any]:
    """A leaf of our own ledger as a mapping."""
    envelope: dict[str, Any] = json.loads(leaf)
    return envelope
