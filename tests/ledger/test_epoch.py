"""A log ends and the next begins; whatever happens in between, neither loses anything."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from edge.clock import ManualClock
from edge.domain.activity import evidence_data
from edge.domain.mine import MineState
from edge.domain.record import Draft, Lane, RecordType
from edge.errors import ConfigError
from edge.ledger import epoch
from edge.ledger.checkpoint import Signer, parse_note
from edge.ledger.epoch import INTENT, begin, open_ledger
from edge.ledger.export import export
from edge.ledger.past import FOLDER
from edge.ledger.reader import LedgerView
from edge.ledger.schema import FILE_NAME
from edge.ledger.store import Ledger
from edge.ledger.succession import Break, Reason
from edge.ledger.verify import verify
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft

BROKEN = Break(Reason.ROLLED_BACK, "why")
STATE = MineState.SUSPENDED


class Box:
    """A gateway's storage."""

    def __init__(self, directory: Path, signer: Signer) -> None:
        self.directory = directory
        self.signer = signer
        self.clock = ManualClock()

    def open(self) -> Ledger:
        return open_ledger(
            self.directory, gateway=ORIGIN, signer=self.signer, clock=self.clock, state=STATE
        )

    def begin(self, broken: Break = BROKEN) -> Ledger:
        return begin(
            self.directory,
            broken,
            gateway=ORIGIN,
            signer=self.signer,
            clock=self.clock,
            state=STATE,
        )

    def past(self, number: int = 1) -> Path:
        return self.directory / FOLDER / str(number)


@pytest.fixture
def box(directory: Path, signer: Signer) -> Box:
    return Box(directory, signer)


def fill(ledger: Ledger, count: int = 5) -> None:
    ledger.submit([draft(i) for i in range(count)]).result(WAIT_S)
    ledger.seal_head().result(WAIT_S)


def kinds(ledger: Ledger | LedgerView) -> list[RecordType]:
    return [RecordType(leaf["type"]) for leaf in ledger.leaves_of(set(RecordType))]


def test_a_first_log_has_the_gateways_name_and_is_found_again(box: Box) -> None:
    with closing(box.open()) as ledger:
        fill(ledger)
    with closing(box.open()) as ledger:
        assert (ledger.origin, ledger.size) == (ORIGIN, 5)


def test_the_next_log_says_what_it_follows_and_is_found_again(box: Box) -> None:
    with closing(box.open()) as ledger:
        fill(ledger)
        root = ledger.root_at(5)
    with closing(box.begin()) as ledger:
        origin = ledger.origin
        assert origin.startswith(f"{ORIGIN}/1-")
        assert kinds(ledger)[0] is RecordType.EPOCH_BEGUN
        (first,) = ledger.leaves_of({RecordType.EPOCH_BEGUN})
        assert first["id"] == "0"
        assert first["source"] == origin
        assert first["data"]["previous"] == {"origin": ORIGIN, "size": 5, "root": root.hex()}
        assert ledger.newest(Lane.ALARM) == 2  # the incident
        note = ledger.checkpoint()
        assert note is not None
        assert parse_note(note).checkpoint.origin == origin
    with closing(box.open()) as ledger:
        assert (ledger.origin, ledger.size) == (origin, 3)
    with closing(box.begin()) as ledger:
        assert ledger.origin.startswith(f"{ORIGIN}/2-")


def test_the_log_that_ended_is_kept_read_only_and_proves_as_before(
    box: Box, tmp_path: Path
) -> None:
    with closing(box.open()) as ledger:
        fill(ledger)
    with closing(box.begin()) as ledger:
        ledger.submit([draft()]).result(WAIT_S)
    assert (box.past() / FILE_NAME).stat().st_mode & 0o777 == 0o444
    with closing(LedgerView.open(box.past())) as view:
        assert (view.origin, view.size) == (ORIGIN, 5)
    for directory in (box.directory, box.past()):
        export(directory, tmp_path / "bundle.tar")
        report = verify(tmp_path / "bundle.tar", [str(box.signer.verifier)])
        assert report.sound, report.text()
    assert "broke off" not in report.text()
    export(box.directory, tmp_path / "bundle.tar")
    assert f"goes on from {ORIGIN}" in verify(tmp_path / "bundle.tar", []).text()


def test_orders_and_open_incidents_with_their_evidence_are_handed_on(box: Box) -> None:
    with closing(box.open()) as ledger:
        ref = ledger.put_evidence(b"picture", "image/jpeg", "clean").result(WAIT_S)
        gone = ledger.put_evidence(b"deleted", "image/jpeg", "clean").result(WAIT_S)
        evidence = [evidence_data(ref), evidence_data(gone)]
        opened = alarm(1, incident="a", evidence=evidence, closed="not yet")
        order = {"nonce": "n", "kind": "acknowledge", "args": {"incident": "x", "by": "y"}}
        ledger.submit([draft(), opened, Draft(RecordType.ORDER_ACCEPTED, opened.stamp, order)])
        ledger.evidence_path(gone.sha256).unlink()
    heritage = epoch._heritage(box.directory, 0)
    assert [one.type for one in heritage] == [
        RecordType.INCIDENT_OPENED,
        RecordType.ORDER_ACCEPTED,
    ]
    (box.directory / "new" / "evidence").mkdir(parents=True)
    for _ in range(2):  # again, as after a crash
        epoch._link_evidence(box.directory, box.directory / "new", heritage)
    linked = [path for path in (box.directory / "new").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in linked] == [b"picture"]


def test_of_another_gateways_disk_nothing_is_handed_on_but_it_is_kept(
    box: Box, directory: Path
) -> None:
    other = "eseal/220000000009/gw-9"
    foreign = Ledger.open(
        directory, origin=other, signer=Signer.generate(other), clock=ManualClock()
    )
    order = {"nonce": "n", "kind": "set-state", "args": {"state": "producing"}}
    stamp = draft().stamp
    foreign.submit([Draft(RecordType.ORDER_ACCEPTED, stamp, order)]).result(WAIT_S)
    foreign.close()
    with closing(box.open()) as ledger:
        assert ledger.origin.startswith(f"{ORIGIN}/1-")
        (first,) = ledger.leaves_of({RecordType.EPOCH_BEGUN})
        assert first["data"]["reason"] == "foreign"
        assert first["data"]["previous"]["origin"] == other
        assert RecordType.ORDER_ACCEPTED not in kinds(ledger)
    with closing(LedgerView.open(box.past())) as view:
        assert view.origin == other


def test_what_is_no_database_at_all_is_set_aside_too(box: Box) -> None:
    box.directory.mkdir()
    (box.directory / FILE_NAME).write_bytes(b"no database " * 1000)
    with closing(box.begin(Break(Reason.DAMAGED))) as ledger:
        (first,) = ledger.leaves_of({RecordType.EPOCH_BEGUN})
    assert first["data"]["previous"] == {"origin": "", "size": None, "root": None}
    assert (box.past() / FILE_NAME).read_bytes().startswith(b"no database")


def test_where_nothing_was_there_is_nothing_to_keep(box: Box) -> None:
    box.directory.mkdir()
    with closing(box.begin()) as ledger:
        assert ledger.size == 3
    assert list(box.past().iterdir()) == []


class Killed(BaseException):
    """The power failed here."""


@pytest.mark.parametrize("instant", range(1, 12))
def test_a_crash_at_any_instant_loses_nothing_of_either_log(
    box: Box, monkeypatch: pytest.MonkeyPatch, instant: int
) -> None:
    with closing(box.open()) as ledger:
        fill(ledger)
    steps = 0

    def step(name: str) -> None:
        real = getattr(epoch, name)

        def maybe(*args, **kwargs):
            nonlocal steps
            steps += 1
            if steps == instant:
                raise Killed
            return real(*args, **kwargs)

        monkeypatch.setattr(epoch, name, maybe)

    for name in ("fsync_directory", "_link_evidence", "first_leaves", "_set_aside", "_write"):
        step(name)
    try:
        box.begin().close()
    except Killed:
        monkeypatch.undo()
        if not (box.directory / INTENT).exists() and not box.past().exists():
            return  # nothing had been begun
    else:
        assert instant > 8
    with closing(box.open()) as ledger:
        assert ledger.origin.startswith(f"{ORIGIN}/1-")
        assert kinds(ledger).count(RecordType.EPOCH_BEGUN) == 1
        assert ledger.size == 3
    assert not (box.directory / INTENT).exists()
    with closing(LedgerView.open(box.past())) as view:
        assert (view.origin, view.size) == (ORIGIN, 5)
    assert [path.name for path in (box.directory / FOLDER).iterdir()] == ["1"]


def test_a_crash_between_the_moves_is_finished_and_after_the_first_commit_nothing_comes_twice(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(box.open()) as ledger:
        fill(ledger)
    monkeypatch.setattr(epoch, "_set_aside", lambda *_paths: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        box.begin()
    monkeypatch.undo()
    moving = box.directory / FOLDER / "moving"
    moving.mkdir(parents=True)
    (box.directory / FILE_NAME).replace(moving / FILE_NAME)
    intent = (box.directory / INTENT).read_bytes()
    with closing(box.open()) as ledger:
        origin = ledger.origin
    (box.directory / INTENT).write_bytes(intent)
    with closing(box.open()) as ledger:
        assert (ledger.origin, ledger.size) == (origin, 3)


def test_another_key_is_still_a_fault_of_the_configuration(box: Box) -> None:
    box.open().close()
    box.signer = Signer.generate(ORIGIN)
    with pytest.raises(ConfigError, match="not the key"):
        box.open()
