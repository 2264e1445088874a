"""Payloads: evidence parts, the state message, and canonical JSON from abroad. Pure.

An evidence part is one line of canonical JSON (the header), a newline, and the raw bytes:
it needs no properties, so it is the same in MQTT 3.1.1 and 5, and base64 costs nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import rfc8785

from edge.domain.activity import EvidenceRef
from edge.errors import Refused

PART_BYTES = 65_536  # an alarm on a 1 Mbit/s line waits half a second for one at most
MAX_PART_BYTES = 262_144
MAX_HEADER_BYTES = 1_024
MAX_EVIDENCE_PARTS = 1_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


def canonical_object(payload: bytes, limit: int, what: str) -> dict[str, Any]:
    """Read foreign canonical JSON (RFC 8785).

    Insisting on the canonical form leaves one spelling only: no twin keys, no odd numbers.

    Raises:
        Refused: larger than `limit` bytes, not JSON, not canonical, or not an object.
    """
    if len(payload) > limit:
        raise Refused(f"{what} is larger than {limit} bytes")
    try:
        value = json.loads(payload)
        canonical = rfc8785.dumps(value)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{what} is not JSON") from error
    if canonical != payload or not isinstance(value, dict):
        raise Refused(f"{what} is not an object in canonical JSON")
    return value


@dataclass(frozen=True, slots=True)
class EvidencePart:
    """One part of an evidence file: what it belongs to, and its bytes."""

    sha256: str
    media_type: str
    size: int
    part: int
    parts: int
    data: bytes


def encode_part(part: EvidencePart) -> bytes:
    """The payload of one part."""
    header = asdict(part)
    data: bytes = header.pop("data")
    return rfc8785.dumps(header) + b"\n" + data


def decode_part(payload: bytes) -> EvidencePart:
    """Read one part. Raises Refused."""
    head, newline, data = payload[: MAX_HEADER_BYTES + 1].partition(b"\n")
    if not newline:
        raise Refused("an evidence part has no header")
    data = payload[len(head) + 1 :]
    header = canonical_object(head, MAX_HEADER_BYTES, "an evidence header")
    if set(header) != {"sha256", "media_type", "size", "part", "parts"}:
        raise Refused("an evidence header has other keys than it should")
    sha256, media_type = header["sha256"], header["media_type"]
    size, part, parts = header["size"], header["part"], header["parts"]
    if not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        raise Refused("an evidence header names no SHA-256")
    if not isinstance(media_type, str) or len(media_type) > 100:
        raise Refused("an evidence header names no media type")
    if not all(type(number) is int for number in (size, part, parts)):
        raise Refused("an evidence header's numbers are not whole")
    if not (0 <= part < parts <= MAX_EVIDENCE_PARTS and len(data) <= MAX_PART_BYTES):
        raise Refused("an evidence part is out of bounds")
    if not 0 <= size <= parts * MAX_PART_BYTES:
        raise Refused("an evidence header's size does not fit its parts")
    return EvidencePart(sha256, media_type, size, part, parts, data)


def evidence_refs(leaf: bytes) -> list[EvidenceRef]:
    """Every file that a leaf of our own refers to, in `data.evidence` or its reasons, once."""
    data = json.loads(leaf)["data"]
    found: dict[str, EvidenceRef] = {}
    for item in _refs(data):
        ref = EvidenceRef(item["sha256"], item["media_type"], item["size"], item.get("caption", ""))
        found.setdefault(ref.sha256, ref)
    return list(found.values())


def _refs(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from data.get("evidence", ())
    for reason in data.get("reasons", ()):
        yield from reason.get("evidence", ())


def offline_state(reason: str, stamp: str) -> bytes:
    """The state message of a gateway that is not connected: the last will, and the farewell."""
    return rfc8785.dumps({"online": False, "reason": reason, "stamp": stamp})
