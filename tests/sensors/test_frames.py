"""Answers among whatever else is heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sensors.frames import crc, is_clean, search

noise = st.binary(max_size=40)


def framed(*data: int) -> bytes:
    return bytes(data) + crc(bytes(data))


READ = framed(1, 4, 0, 0, 0, 2)
ANSWER = framed(1, 4, 4, 1, 2, 3, 4)
REFUSAL = framed(1, 0x84, 2)
BITS = framed(1, 2, 0, 0, 0, 9)
WRITE = framed(1, 5, 0, 7, 0xFF, 0)


def test_the_crc_is_that_of_the_standard():
    # Modbus over serial line V1.02, annex B: 02 07 has the CRC 0x1241, low byte first.
    assert crc(bytes([2, 7])) == bytes([0x41, 0x12])


@given(noise, noise)
def test_an_answer_is_found_between_other_bytes(before, after):
    assert search(READ, before + ANSWER + after).answer == ANSWER
    assert search(READ, before + REFUSAL + after).answer == REFUSAL


@given(st.binary(max_size=300))
def test_whatever_is_heard_an_answer_fits_the_request(heard):
    found = search(READ, heard)
    assert found.answer in {b"", found.answer}
    if found.answer:
        assert found.answer in heard
        assert found.answer[:2] in {READ[:2], bytes([1, 0x84])}


@given(st.integers(0, 8), st.integers(0, 7))
def test_an_answer_with_a_flipped_bit_is_none(place, bit):
    broken = bytearray(ANSWER)
    broken[place] ^= 1 << bit
    assert not search(READ, bytes(broken)).answer


@given(st.integers(0, 8))
def test_half_an_answer_is_none_and_the_rest_makes_it_whole(length):
    assert not search(READ, ANSWER[:length]).answer
    assert search(READ, ANSWER[:length] + ANSWER).answer == ANSWER


@pytest.mark.parametrize(
    "other",
    [
        framed(2, 4, 4, 1, 2, 3, 4),
        framed(1, 3, 4, 1, 2, 3, 4),
        framed(1, 4, 2, 1, 2),
        framed(1, 4, 6, 1, 2, 3, 4, 5, 6),
        framed(1, 0x83, 2),
    ],
    ids=["another unit", "another function", "shorter", "longer", "another refusal"],
)
def test_a_frame_that_answers_something_else_is_passed_over(other):
    assert not search(READ, other).answer
    assert search(READ, other + ANSWER).answer == ANSWER


def test_bits_come_eight_a_byte():
    answer = framed(1, 2, 2, 0xFF, 1)
    assert search(BITS, answer).answer == answer
    assert not search(BITS, framed(1, 2, 1, 0xFF)).answer


def test_an_echo_is_no_answer_and_is_told():
    found = search(READ, READ + ANSWER)
    assert (found.answer, found.echoed) == (ANSWER, True)
    assert not search(READ, READ).answer
    assert not search(READ, ANSWER).echoed


def test_a_write_is_confirmed_by_its_echo_only_where_the_line_does_not_echo():
    assert search(WRITE, WRITE).answer == WRITE
    assert not search(WRITE, WRITE, echoes=True).answer
    assert search(WRITE, WRITE + WRITE, echoes=True).answer == WRITE
    assert not search(WRITE, framed(1, 5, 0, 8, 0xFF, 0)).answer


def test_somebody_else_who_asks_the_same_unit_for_as_much_makes_the_answer_doubtful():
    alike = framed(1, 4, 0, 8, 0, 2)
    assert search(READ, alike + ANSWER).foreign
    assert not search(READ, ANSWER + alike).foreign
    for other in (framed(2, 4, 0, 8, 0, 2), framed(1, 4, 0, 8, 0, 3), alike[:-1] + b"\x00"):
        assert not search(READ, other + ANSWER).foreign


def tcp(number: int, pdu: bytes) -> bytes:
    return number.to_bytes(2, "big") + bytes(2) + (len(pdu) + 1).to_bytes(2, "big") + b"\x01" + pdu


PDU = bytes([4, 4, 1, 2, 3, 4])


def test_frames_on_tcp_are_clean_also_before_they_are_whole():
    whole = tcp(6, PDU) + tcp(7, PDU)
    for length in range(len(whole) + 1):
        assert is_clean(whole[:length], 7)


def test_what_follows_the_answer_on_tcp_or_is_no_frame_is_not_clean():
    assert not is_clean(tcp(7, PDU) + b"\x00", 7)
    assert not is_clean(tcp(7, PDU)[:-2] + tcp(6, PDU), 7)
    assert not is_clean(b"HTTP/1.1 400", 7)
    assert not is_clean(bytes.fromhex("000700000001"), 7)
    assert not is_clean(bytes.fromhex("0007000000ff"), 7)


@given(st.binary(max_size=300), st.integers(0, 65535))
def test_whatever_comes_on_tcp_is_judged(heard, number):
    assert is_clean(heard, number) in {True, False}
