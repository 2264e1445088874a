"""Answers found among whatever else a line or a connection carries. Pure.

A line may echo what is sent on it, another master may ask on it, a serial server may pass on
what it heard for somebody else, an answer may come late or cut. So an answer is looked for at
every place of what was heard: unit, function code, length and CRC must all fit the request.
Modbus TCP has no CRC; there at least every frame must be whole, and nothing may follow the answer.
Sources: Modbus over serial line V1.02, 2.5.1 and annex B (CRC); Modbus messaging on TCP/IP V1.0b.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.sensors.plan import DISCRETE_INPUTS

MAX_HEARD = 1024
"""Bytes that are searched for one answer; a line that babbles more has none."""

WRITE_COIL = 5
_REQUEST_BYTES = 8
_EXCEPTION_BYTES = 5
_HEADER_BYTES, _MIN_LENGTH, _MAX_LENGTH = 6, 3, 254  # of a frame on TCP: unit and PDU behind


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return tuple(table)


_CRC = _crc_table()


def crc(data: bytes) -> bytes:
    """The two CRC bytes that follow `data` in a frame."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _CRC[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class Heard:
    """What was found so far.

    Attributes:
        answer: the answer's frame, an exception's too; empty while there is none.
        echoed: the request itself was heard: the line echoes.
        foreign: somebody else asked the same unit for as much: no answer can be told from his.
    """

    answer: bytes = b""
    echoed: bool = False
    foreign: bool = False


def search(request: bytes, heard: bytes, *, echoes: bool = False) -> Heard:
    """Look for the answer to `request`.

    Args:
        request: the frame that was sent: a read, or the writing of one coil.
        heard: everything since.
        echoes: the line is known to echo; the answer to a write looks like its echo.
    """
    unit, function = request[0], request[1]
    writes = function == WRITE_COIL
    length = _REQUEST_BYTES if writes else 5 + _data_bytes(request)
    echoed = foreign = False
    start = heard.find(unit)
    while start >= 0:
        known = _REQUEST_BYTES  # how far to go on
        eight = heard[start : start + _REQUEST_BYTES]
        if eight == request and (not writes or (echoes and not echoed)):
            echoed = True
        elif not writes and _asks_alike(request, eight):
            foreign = True
        else:
            frame = heard[start : start + length]
            if _answers(request, frame, length):
                return Heard(frame, echoed, foreign)
            frame = heard[start : start + _EXCEPTION_BYTES]
            if frame[1:2] == bytes([function | 0x80]) and _is_whole(frame, _EXCEPTION_BYTES):
                return Heard(frame, echoed, foreign)
            known = 1
        start = heard.find(unit, start + known)
    return Heard(b"", echoed, foreign)


def _data_bytes(request: bytes) -> int:
    count = int.from_bytes(request[4:6], "big")
    return (count + 7) // 8 if request[1] <= DISCRETE_INPUTS else 2 * count


def _asks_alike(request: bytes, other: bytes) -> bool:
    """Whether it is a request whose answer would look like ours."""
    return (
        other[:2] == request[:2]
        and _is_whole(other, _REQUEST_BYTES)
        and other != request
        and _data_bytes(other) == _data_bytes(request)
    )


def _answers(request: bytes, frame: bytes, length: int) -> bool:
    if request[1] == WRITE_COIL:
        return frame == request
    return (
        frame[:2] == request[:2] and frame[2:3] == bytes([length - 5]) and _is_whole(frame, length)
    )


def _is_whole(frame: bytes, length: int) -> bool:
    return len(frame) == length and crc(frame[:-2]) == frame[-2:]


def is_clean(heard: bytes, transaction: int) -> bool:
    """Whether what came on TCP is frames, the last perhaps not whole yet, and the answer the last.

    Half a frame that other bytes fill up would pass for an answer otherwise.
    """
    place = 0
    while len(heard) - place >= _HEADER_BYTES:
        header = heard[place : place + _HEADER_BYTES]
        number, protocol, length = (int.from_bytes(header[i : i + 2], "big") for i in (0, 2, 4))
        place += _HEADER_BYTES + length
        if protocol or not _MIN_LENGTH <= length <= _MAX_LENGTH:
            return False
        if number == transaction and place < len(heard):
            return False
    return True
