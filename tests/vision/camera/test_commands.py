"""What goes down to a camera's process."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Refused
from edge.vision.camera.commands import Command, command, parse_commands


@given(st.lists(st.tuples(st.sampled_from(Command), st.integers(0, 255)), max_size=9))
def test_commands_arrive_in_their_order(commands):
    said = b"".join(command(what, number) for what, number in commands)
    assert list(parse_commands(said)) == commands


def test_a_command_s_number_is_bounded():
    (told,) = parse_commands(command(Command.WAKE, 1e6))
    assert told == (Command.WAKE, 255)


@pytest.mark.parametrize("said", [b"n", b"x\0", b"n\0w"])
def test_anything_else_is_no_command(said):
    with pytest.raises(Refused):
        list(parse_commands(said))
