"""What the daemon tells a camera's process: two bytes, a letter and a number. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

from edge.errors import Refused

_COMMAND = struct.Struct("<BB")
COMMANDS_READ = 64 * _COMMAND.size


class Command(IntEnum):
    """What the process is told; its number is 0 where none is named."""

    LEAVE = ord("n")  # send the next picture when the gate is open
    LEAVE_AND_LOOK = ord("a")  # send one at every look: something that may stand still is in view
    WAKE = ord("w")  # decode everything for so many seconds
    CLIP = ord("c")  # begin a clip with what came since so many tenths of a second ago
    CLIP_ENDS = ord("e")  # what it is about is over


def command(what: Command, number: float = 0) -> bytes:
    """A command as bytes; its number is rounded and bounded."""
    return _COMMAND.pack(what, min(255, max(0, round(number))))


def parse_commands(data: bytes) -> Iterator[tuple[Command, int]]:
    """Commands that were read together. Raises Refused for anything else."""
    try:
        for letter, number in _COMMAND.iter_unpack(data):
            yield Command(letter), number
    except (struct.error, ValueError) as error:
        raise Refused(f"no command for a camera's process ({error})") from error
