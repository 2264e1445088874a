from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.activity import EvidenceRef
from edge.errors import Refused
from edge.uplink.codec import (
    MAX_PART_BYTES,
    canonical_object,
    decode_part,
    encode_part,
    evidence_refs,
    offline_state,
)
from tests.evidence import split_evidence

HEADER: dict[str, Any] = {
    "sha256": "ab" * 32,
    "media_type": "image/jpeg",
    "size": 3,
    "part": 0,
    "parts": 1,
}


def part(data: bytes = b"abc", **changes: Any) -> bytes:
    return rfc8785.dumps({**HEADER, **changes}) + b"\n" + data


def ref_of(data: bytes) -> EvidenceRef:
    return EvidenceRef(sha256(data).hexdigest(), "image/jpeg", len(data), "clean")


@given(data=st.binary(max_size=400), size=st.integers(1, 100))
def test_a_file_that_was_cut_is_whole_again_after_the_journey(data: bytes, size: int) -> None:
    parts = [decode_part(encode_part(p)) for p in split_evidence(ref_of(data), data, size)]
    assert b"".join(p.data for p in parts) == data
    assert all(len(p.data) <= size for p in parts)
    assert [p.part for p in parts] == list(range(parts[0].parts))
    assert {p.sha256 for p in parts} == {sha256(data).hexdigest()}


def test_a_part_of_the_largest_size_is_taken() -> None:
    data = bytes(MAX_PART_BYTES)
    (whole,) = split_evidence(ref_of(data), data, MAX_PART_BYTES)
    assert decode_part(encode_part(whole)).data == data


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no newline",
        b"\n",
        b"[]\n",
        b"x" * 2000 + b"\nabc",
        json.dumps(HEADER, indent=1).encode().replace(b"\n", b"") + b"\nabc",
        part(extra=1),
        part(sha256="AB" * 32),
        part(sha256=5),
        part(media_type="x" * 101),
        part(media_type=None),
        part(size=True),
        part(part="0"),
        part(part=1),
        part(part=-1),
        part(parts=1001),
        part(size=-1),
        part(size=MAX_PART_BYTES + 1),
        part(bytes(MAX_PART_BYTES + 1)),
    ],
)
def test_a_part_that_is_not_as_it_should_be_is_refused(payload: bytes) -> None:
    with pytest.raises(Refused):
        decode_part(payload)


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_as_a_part_and_nothing_else_happens(payload: bytes) -> None:
    with suppress(Refused):
        decode_part(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1.0}',
        b'{"a":NaN}',
        b'{"a":9007199254740993}',
        b'{"a":"\\ud800"}',
        b"[" * 4_000 + b"]" * 4_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b"[1]",
        b"\xff",
        '{"a":1}'.encode("utf-16"),
        b'{"a":' + b"1" * 5_000 + b"}",
    ],
)
def test_json_that_can_be_spelled_otherwise_is_refused(payload: bytes) -> None:
    with pytest.raises(Refused):
        canonical_object(payload, 10_000, "this")


def test_json_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(Refused, match="larger than 5 bytes"):
        canonical_object(b'{"a":1}', 5, "this")


def test_a_leafs_files_are_found_in_its_data_and_its_reasons_once() -> None:
    one, two = (ref_of(text) for text in (b"1", b"2"))
    refs = [
        {"sha256": r.sha256, "media_type": r.media_type, "size": r.size, "caption": r.caption}
        for r in (one, two)
    ]
    data = {"evidence": refs[:1], "reasons": [{"evidence": refs}, {}]}
    assert evidence_refs(json.dumps({"data": data}).encode()) == [one, two]
    assert evidence_refs(b'{"data":{}}') == []


def test_the_farewell_says_why_and_when() -> None:
    assert json.loads(offline_state("stopped", "2026-01-01T00:00:00.000000Z")) == {
        "online": False,
        "reason": "stopped",
        "stamp": "2026-01-01T00:00:00.000000Z",
    }
