"""What orders have put in force: the mine's state, permits, levels and durations. Pure.

It is a fold over the records of obeyed orders, so a restart finds it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import rfc8785

from edge.clock import Stamp
from edge.domain.activity import Activity
from edge.domain.alarm import AlarmCode
from edge.domain.catalogue import CATALOGUE
from edge.domain.mine import MineState
from edge.domain.names import Name
from edge.domain.order import (
    Durations,
    GrantPermit,
    RevokePermit,
    SetPolicy,
    SetState,
)
from edge.domain.permit import Permit
from edge.rules.policy import RULES, Rule
from edge.wiring import Spec

MAX_PERMITS = 64


@dataclass(frozen=True, slots=True)
class Policy:
    """Levels and rules in force.

    Attributes:
        ordered: what the newest policy order says.
        rules: the rule table with its durations.
    """

    ordered: SetPolicy = field(default_factory=SetPolicy)
    rules: Mapping[AlarmCode, Rule] = field(
        default_factory=lambda: {rule.code: rule for rule in RULES}
    )

    @classmethod
    def of(cls, ordered: SetPolicy) -> Policy:
        """The table with what was ordered; everything else as it is shipped."""
        rules = {rule.code: _adjusted(rule, ordered.rules.get(rule.code)) for rule in RULES}
        return cls(ordered, rules)

    def level(self, code: AlarmCode) -> int:
        """1 red … 4 blue."""
        return self.ordered.levels.get(code, CATALOGUE[code].level)

    def data(self) -> dict[str, Any]:
        """Every level and duration in force and their hash, as the data of a record."""
        table = {
            code.value: {"level": self.level(code), "min_s": rule.min_s, "hold_s": rule.hold_s}
            for code, rule in self.rules.items()
        }
        return {"sha256": hashlib.sha256(rfc8785.dumps(table)).hexdigest(), "policy": table}


def _adjusted(rule: Rule, ordered: Durations | None) -> Rule:
    if ordered is None:
        return rule
    changes = {
        name: value
        for name, value in (("min_s", ordered.min_s), ("hold_s", ordered.hold_s))
        if value is not None
    }
    return replace(rule, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in force.

    Attributes:
        mine: the mine's state.
        permits: by id.
        policy: levels and rules.
    """

    mine: MineState
    permits: Mapping[str, Permit] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)

    def obey(self, args: Spec, now: Stamp) -> tuple[Standing, Name | None]:
        """What is in force once the order is obeyed, or why it cannot be.

        Orders that put nothing in force change nothing.
        """
        match args:
            case SetState():
                return replace(self, mine=args.state), None
            case SetPolicy():
                return replace(self, policy=Policy.of(args)), None
            case GrantPermit():
                return self._grant(args.permit, now)
            case RevokePermit():
                if args.permit not in self.permits:
                    return self, Name(
                        f"没有许可 {args.permit}", f"no permit is called {args.permit}"
                    )
                kept = {name: one for name, one in self.permits.items() if name != args.permit}
                return replace(self, permits=kept), None
        return self, None

    def _grant(self, permit: Permit, now: Stamp) -> tuple[Standing, Name | None]:
        if permit.ends <= now.wall_us:
            return self, Name("许可的时间窗已过", "the permit's window is over")
        kept = {
            name: one
            for name, one in self.permits.items()
            if one.ends > now.wall_us and name != permit.id
        }
        if len(kept) >= MAX_PERMITS:
            return self, Name(
                f"已有 {MAX_PERMITS} 个许可", f"{MAX_PERMITS} permits are in force already"
            )
        return replace(self, permits={**kept, permit.id: permit}), None

    def permits_now(self, activity: Activity, now: Stamp) -> bool:
        """Whether a permit covers this activity."""
        return any(permit.covers(activity, now) for permit in self.permits.values())
