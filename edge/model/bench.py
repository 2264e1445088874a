"""How long a detector takes here, for one picture and one thread or all."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge.vision.detect.detector import Detector
from edge.vision.picture import Pixels

ROUNDS = 40
_SIZE = (720, 1280, 3)  # of a picture as a camera's process hands it over


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds a picture: the middle of many, and the best, which others disturb least."""

    threads: int
    whole_ms: float
    whole_best_ms: float
    session_ms: float
    session_best_ms: float


def timings(load: Callable[[int], Detector], rounds: int = ROUNDS) -> list[Timing]:
    """With one thread, and with one a processor.

    Args:
        load: makes the detector for so many threads.
        rounds: pictures each.
    """
    counts = sorted({1, os.cpu_count() or 1})
    return [timing(load(threads), threads, rounds) for threads in counts]


def timing(
    detector: Detector, threads: int, rounds: int = ROUNDS, picture: Pixels | None = None
) -> Timing:
    """Of a detector that is loaded; the whole call is resize, session, decoding, suppression."""
    if picture is None:
        picture = np.random.default_rng(1).integers(0, 256, _SIZE, np.uint8)
    whole, session = [], []
    for _ in range(rounds):
        inside, begun = detector.session_s, time.perf_counter()
        detector.detect([picture])
        whole.append((time.perf_counter() - begun) * 1000)
        session.append((detector.session_s - inside) * 1000)
    return Timing(
        threads, statistics.median(whole), min(whole), statistics.median(session), min(session)
    )
