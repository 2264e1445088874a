"""A foreign file may end the process that tries it, and no other."""

from __future__ import annotations

import os
import signal
import time

import pytest

from edge.domain.observation import Label
from edge.errors import Refused
from edge.vision.detect import trial as module
from edge.vision.detect.trial import trial
from tests.vision.detect.formats.test_foreign import GRAPHS
from tests.vision.detect.test_detector import ONE
from tests.vision.onnx_file import grid_model


def test_a_sound_file_is_admitted():
    trial(grid_model(ONE), "m.onnx")
    trial(GRAPHS["YOLOv8 of COCO"][1], "m.onnx", {Label.PERSON: (3,)})


def test_what_is_wrong_comes_back_in_words():
    with pytest.raises(Refused, match=r"m\.onnx: onnxruntime cannot load it"):
        trial(b"\x89PNG\r\n" + bytes(100), "m.onnx")


def _crash(*_arguments: object) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang(*_arguments: object) -> None:
    time.sleep(60)


@pytest.mark.parametrize(
    ("fate", "reason"), [(_crash, "crashes onnxruntime"), (_hang, "takes longer than 2 s")]
)
def test_a_crash_and_a_hang_are_refusals(fate, reason, monkeypatch):
    monkeypatch.setattr(module, "_load", fate)
    monkeypatch.setattr(module, "TRIAL_S", 2.0 if fate is _hang else 30.0)
    with pytest.raises(Refused, match=reason):
        trial(grid_model(ONE), "m.onnx")
