"""Names of logs: a gateway's first log is `eseal/MINE/GATEWAY`, later ones `…/NUMBER-MARK`. Pure.

A log that ended out of order (an old disk image was put back, the file is damaged) is never written
again; the gateway goes on in the next epoch, under a name that no log had before. The number
orders the epochs; the mark, drawn by chance, keeps two boxes that were restored from one image from
taking the same name. The key is named after the gateway and not after the epoch: whoever enrolled
it once need not do so again.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

MAX_NUMBER_DIGITS = 6
_EPOCH = re.compile(rf"[1-9][0-9]{{0,{MAX_NUMBER_DIGITS - 1}}}-[0-9a-f]{{8}}")


@dataclass(frozen=True, slots=True)
class Origin:
    """The name of one log.

    Attributes:
        gateway: `eseal/MINE/GATEWAY`, which is also the name of the gateway's key.
        number: of the epoch; 0 for the first.
        mark: eight hex digits; empty for the first.
    """

    gateway: str
    number: int = 0
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.gateway}/{self.number}-{self.mark}" if self.number else self.gateway

    def after(self, number: int = 0) -> Origin:
        """A new name, later than this one and than epoch `number`."""
        return Origin(self.gateway, max(self.number, number) + 1, secrets.token_hex(4))


def parse_origin(text: str) -> Origin:
    """Take a log's name apart; what is no epoch's name is a first log's."""
    gateway, _, last = text.rpartition("/")
    if gateway.count("/") >= 2 and _EPOCH.fullmatch(last):
        number, _, mark = last.partition("-")
        return Origin(gateway, int(number), mark)
    return Origin(text)


def key_name(origin: str) -> str:
    """Name of the key that signs this log's checkpoints."""
    return parse_origin(origin).gateway
