"""Topic names, both ways. Pure. docs/asyncapi.yaml describes what each carries."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge.domain.record import Lane
from edge.errors import Refused

ROOT = "eseal/v1"
KINDS = frozenset({"alarm", "record", "checkpoint", "evidence", "state", "order", "receipt"})
_MAX_CHARS = 200
_SHAPE = re.compile(
    rf"{ROOT}/(?P<mine>[0-9]{{12}})/(?P<gateway>[a-z0-9][a-z0-9-]{{0,31}})"
    r"/(?P<kind>[a-z]+)(?:/(?P<sha256>[0-9a-f]{64})/(?P<part>0|[1-9][0-9]{0,5}))?"
)


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one gateway."""

    mine_code: str
    gateway: str

    @property
    def prefix(self) -> str:
        """What all of them begin with, without a closing slash."""
        return f"{ROOT}/{self.mine_code}/{self.gateway}"

    @property
    def checkpoint(self) -> str:
        """Signed heads of the ledger, retained."""
        return f"{self.prefix}/checkpoint"

    @property
    def state(self) -> str:
        """How the gateway is, retained; the last will speaks here too."""
        return f"{self.prefix}/state"

    @property
    def order(self) -> str:
        """Signed orders, down."""
        return f"{self.prefix}/order"

    @property
    def receipt(self) -> str:
        """Cosigned checkpoints, down."""
        return f"{self.prefix}/receipt"

    def lane(self, lane: Lane) -> str:
        """Where the records of a lane go: `alarm` or `record`."""
        return f"{self.prefix}/{'alarm' if lane is Lane.ALARM else 'record'}"

    def evidence(self, sha256: str, part: int) -> str:
        """Where one part of an evidence file goes."""
        return f"{self.prefix}/evidence/{sha256}/{part}"


@dataclass(frozen=True, slots=True)
class Address:
    """A topic, taken apart. `sha256` and `part` only with kind `evidence`."""

    mine_code: str
    gateway: str
    kind: str
    sha256: str = ""
    part: int = 0


def parse_topic(topic: str) -> Address:
    """Take a topic apart. Raises Refused when it is none of ours."""
    found = _SHAPE.fullmatch(topic) if len(topic) <= _MAX_CHARS else None
    if found is None or found["kind"] not in KINDS:
        raise Refused("a topic that is none of ours")
    if (found["kind"] == "evidence") != (found["sha256"] is not None):
        raise Refused("an evidence topic names a hash and a part, the others do not")
    return Address(
        found["mine"],
        found["gateway"],
        found["kind"],
        found["sha256"] or "",
        int(found["part"] or 0),
    )
