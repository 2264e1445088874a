"""A leaf: the canonical bytes of one record, encoded once and never again. Pure.

RFC 8785 (canonical JSON) of a CloudEvents 1.0 envelope. Receivers deduplicate by
(`source`, `id`), which is (origin of the log, index of the leaf).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import rfc8785

from edge.domain.record import Draft, Lane, RecordType, lane_of
from edge.errors import Refused
from edge.ledger.spelling import SAFE_INTEGER, canonical

MAX_LEAF_BYTES = 262_144
MAX_INDEX_DIGITS = 16
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Unplaced:
    """A draft in its canonical spelling, all but its place: what lies before and after it.

    Spelling is most of an append's work; it is done before the writer has the draft, so that
    nobody can change what was submitted and the writer's thread is free to write.
    """

    __slots__ = ("_head", "_tail", "kind", "lane", "wall_us", "words")

    def __init__(self, draft: Draft, origin: str) -> None:
        """Spell it.

        Raises:
            ValueError: the data is not JSON with finite numbers, or too large; a bug of ours.
        """
        stamp = draft.stamp
        self.kind, self.wall_us = draft.type, stamp.wall_us
        self.lane, self.words, source, end = _frame(draft.type, origin)
        self._head = (
            f'{{"bootid":{_word(stamp.boot)},"data":{canonical(draft.data)},'
            '"datacontenttype":"application/json","id":"'
        ).encode()
        self._tail = (
            f'","lane":"{self.words[0]}","monous":{stamp.mono_us:d},{source}{stamp.iso()}{end}'
        ).encode()
        size = len(self._head) + len(self._tail) + MAX_INDEX_DIGITS
        if size > MAX_LEAF_BYTES:
            raise ValueError(f"a {self.kind.value} of {size} bytes is too large for a leaf")

    def at(self, index: int) -> bytes:
        """The leaf's bytes at this place."""
        return b"%b%d%b" % (self._head, index, self._tail)


@lru_cache(64)
def _frame(kind: RecordType, origin: str) -> tuple[Lane, tuple[str, str], str, str]:
    """What all leaves of a type share: lane, lane and type as words, and text around the time."""
    lane = lane_of(kind)
    source = f'"source":{_word(origin)},"specversion":"1.0","time":"'
    return lane, (lane.value, kind.value), source, f'","type":"{kind.value}"}}'


def encode_leaf(draft: Draft, origin: str, index: int) -> bytes:
    """The bytes of `draft` as leaf `index` of the log `origin`. Raises ValueError."""
    return Unplaced(draft, origin).at(index)


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
    return number if abs(number) <= SAFE_INTEGER else float(number)


@lru_cache(64)
def _word(text: str) -> str:
    return rfc8785.dumps(text).decode()
