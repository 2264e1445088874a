from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.ledger.origin import Origin, key_name, parse_origin
from tests.ledger.support import ORIGIN

NUMBERS = st.integers(1, 999_999)


@given(number=NUMBERS, mark=st.text("0123456789abcdef", min_size=8, max_size=8))
def test_a_name_is_read_as_it_was_written(number: int, mark: str) -> None:
    name = Origin(ORIGIN, number, mark)
    assert parse_origin(str(name)) == name
    assert key_name(str(name)) == ORIGIN


@pytest.mark.parametrize(
    "text",
    [
        ORIGIN,
        f"{ORIGIN}/0-00000000",
        f"{ORIGIN}/01-00000000",
        f"{ORIGIN}/1-0000000",
        f"{ORIGIN}/1-0000000G",
        f"{ORIGIN}/1234567-00000000",
        "eseal/220000000001/1-00000000",  # a gateway may be called like this
        "",
        "example.org/log",
    ],
)
def test_what_is_no_epochs_name_is_a_first_logs(text: str) -> None:
    assert parse_origin(text) == Origin(text)


@given(number=NUMBERS, other=NUMBERS)
def test_the_next_name_is_later_than_every_known_one_and_is_no_ones(
    number: int, other: int
) -> None:
    name = Origin(ORIGIN, number, "00000000")
    following = name.after(other)
    assert following.number > max(number, other)
    assert following.gateway == ORIGIN
    assert following != name.after(other)  # the mark is drawn by chance
