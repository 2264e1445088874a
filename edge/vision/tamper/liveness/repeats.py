"""Was this very picture seen before? A recording that is played again repeats its noise. Pure.

The noise of a sensor never repeats; what an encoder leaves of it, coded again or not, is a
fingerprint of the moment. A look's signature is the signs of what 512 small patches differ by
from what is usual there. A repeat agrees with one look of before far better than all the
others do: light, flicker, a shaking mast or swaying trees have few ways to change a picture, so
they agree a little with many looks, and something that blinks agrees in one corner only.
Snow and rain leave their mark on what is usual for a while, so that looks agree the better the
nearer they are: a repeat agrees far better than the nearest does, which weather never makes.
Pictures equal to the last bit count as well: cartoons and heavy noise reduction leave no noise.
"""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.vision.picture import Pixels, inner

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float32]

BANDS, PAIRS = 16, 32  # of patches over the picture: rows of them, pairs in each
PATCH = 4  # pixels; noise of this grain survives coding
REGIONS = 8
KEPT = 4096  # signatures of 64 bytes: an hour at one a second, 13 minutes at five
GAP_S = 0.18  # between two signatures
LEAST_LAG_S = 4.0  # looks nearer than this are neighbours, not repeats …
GROUP_S = 2.1  # … and those nearer than this may be of one group of pictures, noise and all
FARTHER = 0.15  # by how much a repeat agrees better than the nearest looks that are neither
USUAL_S = 20.0  # time constant of what is usual of a patch
FLAT = 6.0  # grey levels between the patches of a pair; on an edge light and sway count more
FEW_BITS = 160  # a picture with fewer flat pairs is not judged
WARM = 30  # looks until there is something to compare with
AGREE = 0.63  # share of equal signs that a repeat has at least …
STANDS_OUT = 8.0  # … and by how many deviations it stands out among all other looks
SAMPLE = 512  # of the other looks: enough for their middle and spread
REGION_AGREE = 0.55  # in each region
REGIONS_AGREE = 6  # of those that have enough bits
REGION_BITS = 16
REPEATED = 8  # looks of a window that came before, all the same time before: a recording …
REPEATED_NO_MORE = 2  # … until there are only so many
WINDOW_S = 300.0  # repeats are counted over this long
SAME_S = 0.3  # two lags nearer than this are one
OUTLYING = 3.0  # medians by which a look moves what is usual at most: a flake is no news
LIVELY = 0.3  # grey levels; where half of the patches differ by less the encoder makes the noise
CHANGING = 5  # different pictures among the last ten: below that equal ones mean a still one


@dataclass(frozen=True, slots=True)
class Repetition:
    """What of the last five minutes was seen before.

    Attributes:
        looks: how many of them, all the same time before; a recording keeps its length.
        lag_s: how long before; 0 without any.
    """

    looks: int
    lag_s: float


class Signer:
    """Makes the signatures of one connection's pictures."""

    def __init__(self) -> None:
        self._usual: Floats | None = None
        self._t = 0.0
        self._taken = 0

    def step(self, luma: Pixels, t: float) -> tuple[Words, Words] | None:
        """Signs of this picture's noise and which of them count; None where there is too little."""
        values = _pairs(inner(luma))
        if values is None:
            return None
        if self._usual is None:
            self._usual, self._t = values.copy(), t
        residual = values - self._usual
        self._taken += 1
        share = max(1 / self._taken, 1 - float(np.exp(-max(0.0, t - self._t) / USUAL_S)))
        middle = float(np.median(np.abs(residual)))
        most = np.float32(OUTLYING * max(middle, LIVELY))
        self._usual += np.clip(residual, -most, most) * np.float32(share)
        self._t = t
        if middle < LIVELY:
            return None
        return _words(residual > 0), _words(np.abs(self._usual) < FLAT)


class Repeats:
    """The looks of one connection, and which of them came before."""

    def __init__(self) -> None:
        self._signer = Signer()
        self._kept = np.zeros((BANDS * PAIRS // 64, KEPT), np.uint64)
        self._times = np.full(KEPT, np.inf)
        self._count = 0
        self._newest = -np.inf
        self._hits: deque[tuple[float, float]] = deque()
        self._prints: dict[int, float] = {}
        self._last: deque[int] = deque(maxlen=10)

    def step(self, luma: Pixels, t: float, since_key: int) -> Repetition:
        """Take the luma of a picture that is looked at; those that come too fast are left out."""
        lag_s = None
        if since_key == 0:
            lag_s = self._equal(luma, t)
        if t - self._newest >= GAP_S:
            self._newest = t
            lag_s = self._alike(luma, t) or lag_s
        if lag_s is not None:
            self._hits.append((t, lag_s))
        while self._hits and t - self._hits[0][0] > WINDOW_S:
            self._hits.popleft()
        return _commonest([lag for _, lag in self._hits])

    def _equal(self, luma: Pixels, t: float) -> float | None:
        """How long ago this very picture, without the strips of the clock, was a key picture."""
        rows = np.ascontiguousarray(inner(luma)[::16])
        now = zlib.crc32(rows.data, rows.shape[0] << 16 | rows.shape[1])
        self._last.append(now)
        before = self._prints.pop(now, None)
        self._prints[now] = t
        while len(self._prints) > KEPT:
            del self._prints[next(iter(self._prints))]
        if before is None or t - before < LEAST_LAG_S or len(set(self._last)) < CHANGING:
            return None
        return t - before

    def _alike(self, luma: Pixels, t: float) -> float | None:
        """How long ago a look had the same noise."""
        signed = self._signer.step(luma, t)
        if signed is None:
            return None
        signs, counts = signed
        slot, filled = self._count % KEPT, min(self._count, KEPT)
        self._count += 1
        kept, times = self._kept[:, :filled], self._times[:filled]
        ago = t - times
        past = ago >= GROUP_S
        near = past & ((ago < LEAST_LAG_S) | (ago == ago[past].min(initial=np.inf)))
        found = _standing_out(signs, counts, kept, past & ~near, near)
        lag_s = None if found is None else float(t - times[found])
        self._kept[:, slot], self._times[slot] = signs, t
        return lag_s


def _commonest(lags: list[float]) -> Repetition:
    """The lag that most of them share."""
    if not lags:
        return Repetition(0, 0.0)
    ordered = np.sort(np.array(lags))
    ends = np.searchsorted(ordered, ordered + SAME_S, side="right")
    many = ends - np.arange(len(ordered))
    first = int(np.argmax(many))
    looks = int(many[first])
    return Repetition(looks, float(ordered[first + looks // 2]))


def _pairs(part: Pixels) -> Floats | None:
    """Differences of neighbouring patches' means, BANDS x PAIRS; None where they do not fit."""
    height, width = part.shape
    columns = width // (2 * PATCH)
    if height < BANDS * PATCH or columns < PAIRS:
        return None
    tops = np.linspace(0, height - PATCH, BANDS).astype(int)
    rows = tops[:, None] + np.arange(PATCH)[None, :]
    wide = columns * 2 * PATCH
    bands = part[rows.ravel(), :wide].reshape(BANDS, PATCH, wide).sum(axis=1, dtype=np.uint16)
    lefts = np.linspace(0, columns - 1, PAIRS).astype(int) * 2 * PATCH
    steps = lefts[:, None] + np.arange(2 * PATCH)[None, :]
    patches = bands[:, steps.ravel()].reshape(BANDS, PAIRS, 2, PATCH).sum(axis=3, dtype=np.int32)
    return np.asarray((patches[:, :, 0] - patches[:, :, 1]) / (PATCH * PATCH), np.float32)


def _words(bits: npt.NDArray[np.bool_]) -> Words:
    """BANDS x PAIRS bits as words, one for each region: two bands."""
    return np.packbits(bits.ravel()).view(np.uint64)


def _standing_out(
    signs: Words,
    counts: Words,
    kept: Words,
    old: npt.NDArray[np.bool_],
    near: npt.NDArray[np.bool_],
) -> int | None:
    """Which of the old looks agrees with these signs as only the same picture does.

    What a near one agrees with nearly as well is no noise but something new in the view that
    stays (a cover, a lorry, another light), or what weather left.
    """
    bits = int(np.bitwise_count(counts).sum())
    if int(old.sum()) < WARM or bits < FEW_BITS:
        return None
    equal = np.bitwise_count(~(kept ^ signs[:, None]) & counts[:, None])
    share = equal.sum(axis=0, dtype=np.uint16) / np.float32(bits)
    best = int(np.argmax(np.where(old, share, -1.0)))
    others = share[old]
    others = others[:: -(-len(others) // SAMPLE)]
    middle = float(np.median(others))
    spread = 1.4826 * float(np.median(np.abs(others - middle)))
    spread = max(spread, 0.5 / bits**0.5)
    top = float(share[best])
    farther = top - float(share[near].max(initial=0.0)) < FARTHER
    if top < AGREE or farther or (top - middle) / spread < STANDS_OUT:
        return None
    of_region = np.bitwise_count(counts)
    enough = of_region >= REGION_BITS
    agreed = equal[enough, best] / of_region[enough]
    wanted = REGIONS_AGREE / REGIONS * int(enough.sum())
    return best if int((agreed >= REGION_AGREE).sum()) >= wanted else None
