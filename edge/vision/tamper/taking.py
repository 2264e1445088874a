"""Taking a camera's reference: many good looks become one view. Pure."""

from __future__ import annotations

from edge.domain.observation import Measures
from edge.vision.tamper.reference import FLAT, View, power
from edge.vision.tamper.signs import blend
from edge.vision.tamper.sketch import Sketch

FIRST_S = 120.0  # good looks that become the reference after a first start …
ASKED_S = 20.0  # … and when somebody stands by and asks for it
_LONGEST_GAP_S = 5.0  # counts for no more, so that a silence is no look
_GLARE, _GLOOM = 0.35, 0.85


def good(measures: Measures, sketch: Sketch) -> bool:
    """Whether a picture is good enough to be a part of a reference."""
    lit = measures.bright < _GLARE and measures.dark < _GLOOM
    return lit and power(sketch.edges) >= 2 * FLAT


class Taking:
    """Collects good looks until there are enough of them."""

    def __init__(self, lasts_s: float) -> None:
        self._lasts_s = lasts_s
        self._mean: Sketch | None = None
        self._looks = 0
        self._had_s = 0.0
        self._size = (0, 0)

    @property
    def view(self) -> View | None:
        """What there is so far."""
        return View(self._mean, *self._size) if self._mean is not None else None

    @property
    def looks(self) -> int:
        """How many looks it rests on."""
        return self._looks

    @property
    def done(self) -> bool:
        return self._had_s >= self._lasts_s

    def take(self, measures: Measures, sketch: Sketch, elapsed: float) -> None:
        """Take one good look; another size of the picture begins anew."""
        size = (round(measures.width), round(measures.height))
        if size != self._size:
            self._mean, self._looks, self._had_s, self._size = None, 0, 0.0, size
        self._looks += 1
        self._mean = sketch if self._mean is None else blend(self._mean, sketch, 1 / self._looks)
        self._had_s += min(elapsed, _LONGEST_GAP_S)
