"""A leaf: the canonical bytes of one record, encoded once and never again. Pure.

RFC 8785 (canonical JSON) of a CloudEvents 1.0 envelope. Receivers deduplicate by
(`source`, `id`), which is (origin of the log, index of the leaf).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import rfc8785

from edge.domain.record import Draft
from edge.errors import Refused

MAX_LEAF_BYTES = 262_144
MAX_INDEX_DIGITS = 16
_SAFE_INTEGER = 2**53 - 1  # RFC 8785 writes larger numbers as a double would be written
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ALWAYS_PLAIN = frozenset({str, bool, type(None)})
_fast = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
).encode


class Unplaced:
    """A draft in its canonical spelling, all but its place: what lies before and after it.

    Spelling is most of an append's work; it is done before the writer has the draft, so that
    nobody can change what was submitted and the writer's thread is free to write.
    """

    __slots__ = ("_head", "_tail", "kind", "lane", "wall_us")

    def __init__(self, draft: Draft, origin: str) -> None:
        """Spell it.

        Raises:
            ValueError: the data is not JSON with finite numbers, or too large; a bug of ours.
        """
        self.kind, self.lane, stamp = draft.type, draft.lane, draft.stamp
        self.wall_us = stamp.wall_us
        self._head = (
            f'{{"bootid":{_word(stamp.boot)},"data":{_spelled(dict(draft.data))},'
            '"datacontenttype":"application/json","id":"'
        ).encode()
        self._tail = (
            f'","lane":"{self.lane.value}","monous":{stamp.mono_us:d},'
            f'"source":{_word(origin)},"specversion":"1.0",'
            f'"time":"{stamp.iso()}","type":"{self.kind.value}"}}'
        ).encode()
        size = len(self._head) + len(self._tail) + MAX_INDEX_DIGITS
        if size > MAX_LEAF_BYTES:
            raise ValueError(f"a {self.kind.value} of {size} bytes is too large for a leaf")

    def at(self, index: int) -> bytes:
        """The leaf's bytes at this place."""
        return b"%b%d%b" % (self._head, index, self._tail)


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
    return number if abs(number) <= _SAFE_INTEGER else float(number)


@lru_cache(64)
def _word(text: str) -> str:
    return rfc8785.dumps(text).decode()


def _spelled(value: Any) -> str:
    """`value` in canonical JSON. Raises ValueError."""
    # rfc8785 is written in Python; json's encoder in C spells most values the same.
    return _fast(value) if _all_plain((value,)) else rfc8785.dumps(value).decode()


def _all_plain(values: Iterable[Any]) -> bool:
    """Whether the standard library's JSON is canonical for these values."""
    for value in values:
        kind = type(value)
        if kind in _ALWAYS_PLAIN:
            continue
        if kind is float:  # Python and ECMAScript agree from 1e-4 to 1e16, but for the ".0"
            plain = 1e-4 <= abs(value) < 1e16 and not value.is_integer()
        elif kind is int:
            plain = -_SAFE_INTEGER <= value <= _SAFE_INTEGER
        elif kind is dict:
            plain = _keys_plain(value) and _all_plain(value.values())
        else:
            plain = (kind is list or kind is tuple) and _all_plain(value)
        if not plain:
            return False
    return True


def _keys_plain(mapping: dict[Any, Any]) -> bool:
    # RFC 8785 sorts by UTF-16 code units; ASCII is in that order.
    try:
        return "".join(mapping).isascii()
    except TypeError:  # a key is no text
        return False
