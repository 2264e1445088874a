"""Orders that speak of incidents and set the policy, and their answers."""

from __future__ import annotations

import pytest

from edge.domain.disposition import DISPOSITION_NAMES, Disposition
from edge.domain.mine import MineState, OrderKind
from edge.rules.incidents import fold
from edge.rules.orders import unanswered
from edge.rules.recall import obeyed
from edge.rules.standing import Policy
from edge.rules.state import CLOSED_KEPT
from tests.rules.world import COVERED, HOIST, PERSON, World

CHECK = "2025-06-15T15:06:40Z"


def opened(world: World) -> str:
    """An open incident's id."""
    world.start(PERSON)
    world.wait(1)
    return world.state.open[0].id


@pytest.mark.parametrize("disposition", list(Disposition))
def test_a_disposition_is_told_at_once_and_is_not_the_alarms_name(disposition: Disposition) -> None:
    world = World()
    incident = opened(world)
    world.order(
        OrderKind.DISPOSE,
        incident=incident,
        disposition=disposition.value,
        by="王主任",
        site_check=CHECK,
        note="现场核查",
    )
    at = world.clock.now().iso()
    assert world.newest["code"] == "person-at-shaft"
    assert world.newest["disposed"] == {
        "disposition": disposition.value,
        "name": DISPOSITION_NAMES[disposition]._asdict(),
        "by": "王主任",
        "at": at,
        "site_check": "2025-06-15T15:06:40.000000Z",
        "note": "现场核查",
    }
    assert world.answers == ["done"]
    world.restart()
    world.start(PERSON)
    world.wait(120)
    world.end(PERSON)
    assert world.newest["disposed"]["by"] == "王主任"


def test_a_closed_incident_can_be_disposed_of_also_after_a_restart() -> None:
    world = World()
    incident = opened(world)
    world.end(PERSON)
    world.restart()
    world.order(OrderKind.DISPOSE, incident=incident, disposition="false-alarm", by="王")
    disposed = fold(world.leaves)[incident].disposed
    assert disposed is not None
    assert (disposed.disposition, disposed.site_check) == (Disposition.FALSE_ALARM, "")
    assert world.answers == ["done"]


@pytest.mark.parametrize("kind", [OrderKind.DISPOSE, OrderKind.ACKNOWLEDGE])
def test_an_incident_that_nobody_knows_is_answered_with_a_failure(kind: OrderKind) -> None:
    world = World()
    extra = {"disposition": "test"} if kind is OrderKind.DISPOSE else {}
    world.order(kind, incident="a/b/-/1", by="王", **extra)
    assert world.answers == ["no such incident is known here"]


def test_the_memory_of_closed_incidents_is_bounded() -> None:
    world = World()
    ids = []
    for _ in range(CLOSED_KEPT + 5):
        ids.append(opened(world))
        world.end(PERSON)
    assert world.state.closed == tuple(ids[5:])
    world.restart()
    assert world.state.closed == tuple(ids[5:])


def test_a_policy_moves_levels_and_durations_and_is_a_record_with_its_hash() -> None:
    world = World()
    world.order(
        OrderKind.POLICY,
        levels={"person-at-shaft": 3},
        rules={"person-at-shaft": {"min_s": 10}, "production-load": {"hold_s": 0}},
    )
    [in_force] = [leaf["data"] for leaf in world.leaves if "policy.in-force" in leaf["type"]]
    assert in_force["policy"]["person-at-shaft"] == {"level": 3, "min_s": 10, "hold_s": 0}
    assert in_force == world.state.standing.policy.data()
    assert in_force["sha256"] != Policy().data()["sha256"]
    world.start(PERSON)
    world.wait(9)
    assert world.told == []
    world.wait(2)
    assert world.newest["level"] == 3
    world.end(PERSON)
    world.start(HOIST)
    world.wait(5)
    world.end(HOIST)
    assert world.told[-1] == "closed production-load"


def test_a_policy_holds_after_a_restart_and_the_next_one_replaces_it_whole() -> None:
    world = World()
    world.order(OrderKind.POLICY, levels={"camera-covered": 4}, rules={})
    world.restart()
    world.start(COVERED)
    world.wait(2)
    assert world.newest["level"] == 4
    world.order(OrderKind.POLICY, levels={}, rules={})
    world.restart()
    assert world.state.standing.policy == Policy()


def test_orders_without_an_answer_are_found_after_a_restart() -> None:
    world = World()
    world.set_state(MineState.CLOSED)
    kept = [leaf for leaf in world.leaves if leaf["type"] != "eseal.order.done"]
    [order] = unanswered(kept)
    assert (order.kind, order.args.model_dump()) == (OrderKind.SET_STATE, {"state": "closed"})
    assert order.nonce == "n" * 22
    opened(world)
    assert unanswered(world.leaves) == []


def test_an_order_of_a_later_version_in_our_ledger_says_nothing_here() -> None:
    world = World()
    world.set_state(MineState.CLOSED)
    for leaf in world.leaves:
        leaf["data"]["kind"] = "teleport"
    assert unanswered(world.leaves[:1]) == []
    assert obeyed(world.leaves[1]) is None
    for leaf in world.leaves:
        leaf["data"] |= {"kind": "set-state", "args": {"state": "asleep"}}
    assert unanswered(world.leaves[:1]) == []
    assert obeyed(world.leaves[1]) is None
