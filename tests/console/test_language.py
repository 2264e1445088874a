"""Which language a browser gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.console.language import LANGUAGES, choose


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9", "en"),
        ("en;q=0.4, zh-Hans;q=0.7", "zh"),
        ("fr, en;q=0.2", "en"),
        ("de", "zh"),
        ("EN", "en"),
        ("en;q=0", "zh"),
        ("en;q=much, zh;q=0.1", "zh"),
        ("en;level=1", "zh"),
        ("*", "zh"),
    ],
)
def test_the_language_that_is_liked_best_is_chosen(accept, language):
    assert choose("", accept) == language


def test_what_is_asked_for_wins_and_an_unknown_wish_does_not():
    assert choose("en", "zh") == "en"
    assert choose("tlh", "en") == "en"


@given(st.text(), st.text())
def test_whatever_a_browser_sends_it_gets_one_of_the_two(wanted, accept):
    assert choose(wanted, accept) in LANGUAGES
