"""Orders obeyed: what each changes, and the record that answers it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from edge.clock import Stamp
from edge.domain.activity import EvidenceRef, evidence_data
from edge.domain.mine import Order, OrderKind
from edge.domain.names import Name
from edge.domain.order import Acknowledge, Dispose, SetPolicy, SetState, args_data, parse_args
from edge.domain.permit import moment_text, moment_us
from edge.domain.record import Draft, RecordType
from edge.errors import Refused
from edge.rules.recall import DONE, FAILED, moment
from edge.rules.state import RulesState

ERRANDS = frozenset(
    {OrderKind.SNAPSHOT, OrderKind.RESEND, OrderKind.ROTATE_KEY, OrderKind.CHALLENGE}
)
"""Orders that take time and the outside world: who carries them out answers them."""


ORDER_TYPES = (RecordType.ORDER_ACCEPTED, RecordType.ORDER_DONE)
"""What `unanswered` wants of the ledger."""


def accepted(order: Order, now: Stamp) -> Draft:
    """The record that comes before an order is obeyed."""
    data = {
        "nonce": order.nonce,
        "kind": order.kind.value,
        "args": args_data(order.args),
        "key": order.key,
        "expires": moment_text(order.expires_us),
    }
    return Draft(RecordType.ORDER_ACCEPTED, now, data)


def answer(
    order: Order,
    now: Stamp,
    *,
    failed: Name | None = None,
    evidence: Iterable[EvidenceRef] = (),
    detail: Mapping[str, str | int] | None = None,
) -> Draft:
    """The record that says what became of an order."""
    data: dict[str, Any] = {
        "nonce": order.nonce,
        "kind": order.kind.value,
        "args": args_data(order.args),
        "result": DONE if failed is None else FAILED,
        "detail": dict(detail or {}),
        "evidence": [evidence_data(ref) for ref in evidence],
    }
    if failed is not None:
        data["reason"] = failed._asdict()
    return Draft(RecordType.ORDER_DONE, now, data)


def obey(state: RulesState, order: Order, now: Stamp) -> tuple[RulesState, list[Draft]]:
    """Obey an order that is none of the `ERRANDS`; its answer comes first."""
    if isinstance(order.args, Acknowledge | Dispose):
        return _speak_of(state, order, order.args, now)
    standing, failed = state.standing.obey(order.args, now)
    since = now if isinstance(order.args, SetState) else state.since
    drafts = [answer(order, now, failed=failed)]
    if isinstance(order.args, SetPolicy):
        drafts.append(Draft(RecordType.POLICY_IN_FORCE, now, standing.policy.data()))
    return replace(state, standing=standing, since=since), drafts


def _speak_of(
    state: RulesState, order: Order, args: Acknowledge | Dispose, now: Stamp
) -> tuple[RulesState, list[Draft]]:
    """What is said of an open incident is told at once. Of a closed one the answer tells it."""
    for key, live in state.live.items():
        if live.incident.id == args.incident:
            told, drafts = replace(live, incident=live.incident.spoken_of(args, now)).told(now)
            return replace(state, live={**state.live, key: told}), [answer(order, now), *drafts]
    if args.incident in state.closed:
        return state, [answer(order, now)]
    unknown = Name("没有这一异常", "no such incident is known here")
    return state, [answer(order, now, failed=unknown)]


def unanswered(leaves: Iterable[Mapping[str, Any]]) -> list[Order]:
    """Orders that were recorded and not answered before a restart, oldest first."""
    waiting: dict[str, Order] = {}
    for leaf in leaves:
        data = leaf["data"]
        if leaf["type"] == RecordType.ORDER_DONE:
            waiting.pop(data["nonce"], None)
        elif leaf["type"] == RecordType.ORDER_ACCEPTED:
            try:
                kind = OrderKind(data["kind"])
                args = parse_args(kind, data["args"])
            except (Refused, ValueError):
                continue  # of a later version, whose ledger was brought to this one
            expires_us = moment_us(data["expires"])
            key = data["key"]
            waiting[data["nonce"]] = Order(data["nonce"], kind, args, moment(leaf), expires_us, key)
    return list(waiting.values())
