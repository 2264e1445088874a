"""A small world to try the rules in: time, activities, and a ledger that is a list."""

from __future__ import annotations

from typing import Any

from edge.clock import ManualClock, Stamp
from edge.domain.activity import Activity, ActivityKind, EvidenceRef, Phase
from edge.domain.mine import MineState, Order, OrderKind
from edge.domain.record import Draft, RecordType
from edge.ledger.leaf import decode_leaf, encode_leaf
from edge.rules.engine import RulesState, Tick, initial, restore, step
from edge.rules.orders import accepted
from tests.orders import an_order

PERSON = (ActivityKind.PERSON_IN_ZONE, "shaft-cam", "mouth", "shaft-mouth")
VEHICLE = (ActivityKind.VEHICLE_IN_ZONE, "gate-cam", "road", "gate")
HOIST = (ActivityKind.LOAD_RUNNING, "hoist", "", "hoist")
PUMP = (ActivityKind.LOAD_RUNNING, "pump", "", "pump")
CAMERA_LOST = (ActivityKind.CAMERA_LOST, "shaft-cam", "", "")
COVERED = (ActivityKind.PICTURE_COVERED, "shaft-cam", "", "")
STEPPED = (ActivityKind.CLOCK_STEPPED, "host", "", "")
CROSSED = (ActivityKind.LINE_CROSSED, "shaft-cam", "sill", "in")

Thing = tuple[ActivityKind, str, str, str]


def leaf_of(draft: Draft, index: int) -> dict[str, Any]:
    """The draft as it comes back from a ledger."""
    return decode_leaf(encode_leaf(draft, "eseal/220182000001/gw1", index))


class World:
    """Drives the rules and keeps what they record."""

    def __init__(self, mine: MineState = MineState.SUSPENDED) -> None:
        self.configured = mine
        self.clock = ManualClock()
        self.state: RulesState = initial(mine)
        self.leaves: list[dict[str, Any]] = []
        self.started: dict[Thing, Stamp] = {}

    @property
    def told(self) -> list[str]:
        """Incident records so far: what happened to which incident."""
        return [
            f"{leaf['type'].rpartition('.')[2]} {leaf['data']['code']}"
            for leaf in self.leaves
            if "incident" in leaf["type"]
        ]

    @property
    def newest(self) -> dict[str, Any]:
        """Data of the newest incident record."""
        data: dict[str, Any] = self.leaves[-1]["data"]
        return data

    def _take(self, given: Activity | Order | Tick) -> None:
        self.state, drafts = step(self.state, given, self.clock.now())
        self._keep(drafts)

    def _keep(self, drafts: list[Draft]) -> None:
        self.leaves += [leaf_of(draft, len(self.leaves) + i) for i, draft in enumerate(drafts)]

    def activity(
        self, thing: Thing, phase: Phase, *evidence: EvidenceRef, **detail: float
    ) -> Activity:
        """A report about `thing` now."""
        now = self.clock.now()
        if phase is Phase.STARTED:
            self.started[thing] = now
        kind, source, place, aspect = thing
        began = self.started.get(thing, now)
        return Activity(kind, source, place, aspect, phase, began, now, detail, evidence)

    def start(self, thing: Thing, *evidence: EvidenceRef, **detail: float) -> None:
        self._take(self.activity(thing, Phase.STARTED, *evidence, **detail))

    def goes_on(self, thing: Thing, **detail: float) -> None:
        self._take(self.activity(thing, Phase.GOES_ON, **detail))

    def end(self, thing: Thing, **detail: float) -> None:
        self._take(self.activity(thing, Phase.ENDED, **detail))
        self.started.pop(thing, None)

    def wait(self, seconds: float, tick_s: float = 0.25) -> None:
        """Let time pass, telling it every `tick_s`."""
        for _ in range(round(seconds / tick_s)):
            self.clock.advance(tick_s)
            self._take(Tick())

    def order(self, kind: OrderKind, **args: Any) -> None:
        """Record an order and obey it, as the recorder does."""
        now = self.clock.now()
        order = an_order(kind, args, now)
        self._keep([accepted(order, now)])
        self._take(order)

    @property
    def answers(self) -> list[str]:
        """Results of the orders so far, with the reason of a failure."""
        return [
            leaf["data"].get("reason", {"en": leaf["data"]["result"]})["en"]
            for leaf in self.leaves
            if leaf["type"] == RecordType.ORDER_DONE
        ]

    def set_state(self, mine: MineState) -> None:
        self.order(OrderKind.SET_STATE, state=mine.value)

    def restart(self) -> None:
        """Forget everything but the leaves."""
        self.state = restore(initial(self.configured), self.leaves)
        self.started.clear()
