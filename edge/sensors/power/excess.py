"""Whether what is unexplained lasts, and is not a kettle, a heater or a blip. Pure.

What is larger than a guard house switches on counts after three minutes, with some below the
limit between them. What is smaller must stand for 25 minutes on end: a heater's thermostat
cuts it sooner. Less than a minute is nothing.
"""

from __future__ import annotations

from edge.clock import Stamp

_STRONG_S, _STRONG = 180.0, 3.0  # minutes above, and how many of them
_FAR_S = 600.0  # two readings so far apart confirm each other
_STEADY_S = 1500.0
_CALM_S = 600.0  # so long under the limit, and it is over
_RELEASE = 0.6


class Excess:
    """One load's excess over what is explained."""

    __slots__ = ("_above", "_calm", "_fell", "_steady", "_strong", "_was", "since")

    def __init__(self) -> None:
        self.since: Stamp | None = None
        """Since when it has lasted; None while it does not."""
        self._strong: Stamp | None = None
        self._above = 0.0
        self._steady: Stamp | None = None
        self._calm: Stamp | None = None
        self._fell: Stamp | None = None
        self._was = 0.0

    @property
    def doubtful(self) -> bool:
        """Whether something stands above its limit, or did until now."""
        return bool(self.since or self._strong or self._steady)

    def step(
        self, kw: float, limit_kw: float, strong_kw: float, wait_s: float, stamp: Stamp
    ) -> None:
        """Take a minute's excess.

        Args:
            kw: it.
            limit_kw: what stands above it may be work.
            strong_kw: what stands above it is more than a heater; at least the limit.
            wait_s: how long it may be a machine that is started by and by, or twice as long one
                that is stopped so.
            stamp: of the minute.
        """
        if self.since is not None:
            self._go_on(kw >= _RELEASE * limit_kw, stamp)
            return
        if kw >= (_RELEASE * limit_kw if self._steady else limit_kw):
            self._steady = self._steady or stamp
        else:
            self._steady = None
        if kw >= strong_kw:
            self._strong = self._strong or stamp
            self._above += 1.0
        else:
            self._above = max(0.0, self._above - 1.0)
            if not self._above:
                self._strong = None
        wait_s = self._patience(kw, limit_kw, wait_s, stamp)
        strong_s, steady_s = _lasted(self._strong, stamp), _lasted(self._steady, stamp)
        enough = _STRONG if strong_s < _FAR_S else 2.0
        if strong_s >= max(_STRONG_S, wait_s) and self._above >= enough and kw >= strong_kw:
            self.since = self._strong
        elif steady_s >= max(_STEADY_S, wait_s) and kw >= limit_kw:
            self.since = self._steady

    def _patience(self, kw: float, limit_kw: float, wait_s: float, stamp: Stamp) -> float:
        if self._was - kw > limit_kw:
            self._fell = stamp
        self._was = max(kw, 0.0)
        falls = self._fell is not None and stamp.since(self._fell) < wait_s
        return 2 * wait_s if falls else wait_s

    def _go_on(self, above: bool, stamp: Stamp) -> None:
        if above:
            self._calm = None
            return
        self._calm = self._calm or stamp
        if stamp.since(self._calm) >= _CALM_S:
            self.__init__()  # type: ignore[misc]  # as at first


def _lasted(since: Stamp | None, stamp: Stamp) -> float:
    return -1.0 if since is None else stamp.since(since)
