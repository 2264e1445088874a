"""Logs that broke off: they count in the budget, and go when they are covered and old."""

from __future__ import annotations

import pytest

from edge.domain.mine import MineState
from edge.ledger.damage import mark
from edge.ledger.epoch import open_ledger
from edge.ledger.past import let_go, used
from edge.ledger.policy import DAY_US, Policy
from edge.ledger.schema import FILE_NAME
from edge.ledger.witness import HEAD_NAME
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft, tamper

NOW_S = 1_750_000_000  # of `support.draft`
POLICY = Policy(routine_days=30, alarm_days=60, evidence_days=10)
PICTURE = b"picture" * 1000


def opened(directory, signer, clock):
    return open_ledger(
        directory, gateway=ORIGIN, signer=signer, clock=clock, state=MineState.CLOSED
    )


def receipted(ledger, province):
    note = ledger.seal_head().result(WAIT_S)
    ledger.add_receipt(province.cosign(note, NOW_S), ledger.size).result(WAIT_S)


@pytest.fixture
def epochs(directory, signer, province, clock):
    """Breaks a log off whose records all have a receipt, if wanted; gives the next one."""
    ledgers = []

    def break_off(*, covered: bool = True):
        ledger = opened(directory, signer, clock)
        ref = ledger.put_evidence(PICTURE, "image/jpeg", "").result(WAIT_S)
        ledger.submit([draft(1), alarm(2, evidence=[{"sha256": ref.sha256}])]).result(WAIT_S)
        receipted(ledger, province)
        if not covered:
            ledger.submit([draft(3)]).result(WAIT_S)
        ledger.close()
        mark(directory, "damaged")
        clock.advance(7200)  # not lately
        ledgers.append(opened(directory, signer, clock))
        return ledgers[-1]

    yield break_off
    for ledger in ledgers:
        ledger.close()


def let_go_after(directory, days: int, policy: Policy = POLICY) -> list[str]:
    """What is left of the first past log, after so many days by the province's clock."""
    let_go(directory, policy, (NOW_S + days * 86_400) * 1_000_000, lambda: None)
    past = directory / "epochs" / "1"
    return sorted(path.name for path in past.rglob("*") if path.is_file())


def test_a_past_log_is_in_the_budget(epochs, directory):
    ledger = epochs()
    before = ledger.space(POLICY).used
    swept = ledger.sweep(POLICY).result(WAIT_S).used
    database = (directory / "epochs" / "1" / FILE_NAME).stat().st_size
    assert swept - before >= database + len(PICTURE)
    assert used(directory) >= database + len(PICTURE)


def test_its_evidence_goes_first_then_its_ledger_and_its_number_stays_taken(epochs, directory):
    epochs().close()
    whole = let_go_after(directory, 9)
    assert len(whole) >= 3
    assert FILE_NAME in let_go_after(directory, 11)
    assert not any(len(name) == 64 for name in let_go_after(directory, 11))
    assert FILE_NAME in let_go_after(directory, 59)
    assert let_go_after(directory, 61) == [HEAD_NAME]
    assert let_go_after(directory, 6100) == [HEAD_NAME]
    assert used(directory) < 1000
    epochs()
    assert (directory / "epochs" / "2" / FILE_NAME).exists()


def test_the_longest_of_the_ages_counts_for_the_ledger(epochs, directory):
    epochs()
    policy = Policy(routine_days=1, alarm_days=2, evidence_days=90)
    assert len(let_go_after(directory, 89, policy)) >= 3
    assert let_go_after(directory, 91, policy) == [HEAD_NAME]


def test_one_record_without_a_receipt_keeps_it_all(epochs, directory):
    epochs(covered=False)
    assert any(len(name) == 64 for name in let_go_after(directory, 9999))


def test_what_cannot_be_read_stays(epochs, directory):
    epochs()
    path = directory / "epochs" / "1" / FILE_NAME
    path.chmod(0o600)
    path.write_bytes(b"garbage " * 1000)
    assert any(len(name) == 64 for name in let_go_after(directory, 9999))


def test_a_log_without_a_record_stays(epochs, directory):
    epochs()
    past = directory / "epochs" / "1"
    (past / FILE_NAME).chmod(0o600)
    tamper(past, "DELETE FROM leaf")
    assert any(len(name) == 64 for name in let_go_after(directory, 9999))


def test_a_clock_that_is_set_forward_here_lets_nothing_go(epochs, directory, clock, province):
    ledger = epochs()
    receipted(ledger, province)  # the province's clock stands at `NOW_S`
    clock.advance(9999 * 86_400)
    ledger.sweep(POLICY).result(WAIT_S)
    assert (directory / "epochs" / "1" / FILE_NAME).exists()


def test_a_sweep_lets_go_of_it(epochs, directory, clock, province):
    ledger = epochs()
    clock.advance(61 * DAY_US / 1e6)
    note = ledger.seal_head().result(WAIT_S)
    ledger.add_receipt(province.cosign(note, NOW_S + 61 * 86_400), ledger.size).result(WAIT_S)
    ledger.sweep(POLICY).result(WAIT_S)
    assert not (directory / "epochs" / "1" / FILE_NAME).exists()
    assert (directory / "epochs" / "1" / HEAD_NAME).exists()
