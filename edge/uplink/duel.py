"""Whether somebody else connects with our client id, and how long to keep out of its way. Pure.

Two clients of one id throw each other out for ever. MQTT 5 says so (reason code 0x8E); 3.1.1
only closes the connection, so there several short lives in a row must do as a sign.
"""

from __future__ import annotations

SHORT_S = 10.0  # a connection that the broker closes so early was hardly closed for nothing
SUSPECT_TIMES = 5
HELD_S = 60.0  # a connection that lived so long has won
PAUSE_FIRST_S = 5.0
PAUSE_MOST_S = 120.0


class Duel:
    """Counts how often we were thrown out.

    Attributes:
        times: how often in this duel; 0 while there is none.
    """

    def __init__(self) -> None:
        self.times = 0
        self._short = 0
        self._pause_s = PAUSE_FIRST_S

    def lost(self, lived_s: float, *, said: bool, closed: bool) -> bool:
        """A connection ended; gives whether it was taken over.

        Args:
            lived_s: how long it lived.
            said: the broker says that another client took it over.
            closed: the broker closed it, without a word and without a fault of the line.
        """
        self._short = self._short + 1 if closed and lived_s < SHORT_S else 0
        if not said and self._short < SUSPECT_TIMES:
            return False
        self.times += 1
        return True

    def pause_s(self) -> float:
        """How long to stay away after a loss: longer each time, so that it does not go on."""
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, PAUSE_MOST_S)
        return pause_s

    def held(self) -> bool:
        """A connection has lived for `HELD_S`; gives whether a duel is over by that."""
        over = self.times > 0
        self.times = self._short = 0
        self._pause_s = PAUSE_FIRST_S
        return over
