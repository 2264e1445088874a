"""Every reason has its Chinese; what is not ours is shown as it came."""

from __future__ import annotations

import pytest

from edge.domain.loss import Loss, name_of, said


@pytest.mark.parametrize("loss", Loss)
def test_every_reason_has_words_in_both_languages(loss):
    name = name_of(loss.value)
    assert name.en == loss.value
    assert any("\u4e00" <= letter <= "\u9fff" for letter in name.zh)
    assert " (" not in loss.value  # a detail begins with it


def test_a_detail_stays_behind_the_words():
    assert said(Loss.CRASHED, "exit code -11") == "its decoder crashed (exit code -11)"
    assert name_of("its decoder crashed (exit code -11)").zh == "解码进程崩溃（exit code -11）"
    assert said(Loss.HANGS) == "its decoder hangs"


@pytest.mark.parametrize("reason", ["Modbus says no", "", "odd (very)"])
def test_what_is_not_in_the_table_is_shown_as_it_is(reason):
    assert name_of(reason) == (reason, reason)
