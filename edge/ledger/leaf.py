"""A leaf: the canonical bytes of one record, encoded once and never again. Pure.

RFC 8785 (canonical JSON) of a CloudEvents 1.0 envelope. Receivers deduplicate by
(`source`, `id`), which is (origin of the log, index of the leaf).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import rfc8785

from edge.domain.record import Draft
from edge.errors import Refused

MAX_LEAF_BYTES = 262_144
_SAFE_INTEGER = 2**53 - 1  # RFC 8785 writes larger numbers as a double would be written
_DIGEST = re.compile(r"[0-9a-f]{64}")


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


def parse_leaf(leaf: bytes, origin: str, index: int) -> dict[str, Any]:
    """A leaf that claims to be number `index` of `origin`, not trusted.

    Raises:
        Refused: too large, not canonical JSON, or of another log or place.
    """
    if len(leaf) > MAX_LEAF_BYTES:
        raise Refused(f"record {index} of {len(leaf)} bytes is larger than {MAX_LEAF_BYTES}")
    try:
        envelope = json.loads(leaf, parse_int=_number)
        if rfc8785.dumps(envelope) != leaf:
            raise ValueError("another spelling is canonical")
    except (ValueError, OverflowError, RecursionError) as error:
        raise Refused(f"record {index} is not canonical JSON ({error})"[:300]) from error
    if not isinstance(envelope, dict):
        raise Refused(f"record {index} is not an object")
    if (envelope.get("source"), envelope.get("id")) != (origin, str(index)):
        raise Refused(f"record {index} says that it is another record or of another log")
    return envelope


def evidence_of(envelope: dict[str, Any]) -> Iterator[str]:
    """SHA-256 (hex) of every file that a record names in a list called `evidence`."""
    waiting: list[Any] = [envelope]
    while waiting:
        match waiting.pop():
            case dict() as mapping:
                for item in _items(mapping.get("evidence")):
                    digest = item.get("sha256") if isinstance(item, dict) else None
                    if isinstance(digest, str) and _DIGEST.fullmatch(digest):
                        yield digest
                waiting.extend(mapping.values())
            case list() as items:
                waiting.extend(items)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(text: str) -> int | float:
    number = int(text)
    return number if abs(number) <= _SAFE_INTEGER else float(number)
