"""The gateway's key is changed, and whoever knew the old one can follow."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from edge.clock import ManualClock
from edge.domain.mine import MineState
from edge.domain.record import Lane, RecordType
from edge.errors import ConfigError, EsealError
from edge.ledger.checkpoint import Signer, Verifier, verify_checkpoint
from edge.ledger.epoch import open_ledger
from edge.ledger.export import export
from edge.ledger.fsck import fsck
from edge.ledger.keys import gateway_signer
from edge.ledger.rotate import rotate_key
from edge.ledger.store import Ledger
from edge.ledger.verify import verify
from tests.docs import independent
from tests.docs.contract import validate_leaf
from tests.ledger.support import ORIGIN, WAIT_S, draft


def opened(directory: Path) -> Ledger:
    return open_ledger(
        directory,
        gateway=ORIGIN,
        signer=gateway_signer(directory, ORIGIN),
        clock=ManualClock(),
        state=MineState.SUSPENDED,
    )


def rotate(directory: Path) -> tuple[str, str, int]:
    return rotate_key(directory, gateway=ORIGIN, clock=ManualClock(), state=MineState.SUSPENDED)


@pytest.fixture
def twice(directory: Path) -> tuple[str, str, str]:
    """A ledger whose key was changed twice, with records between; the three keys."""
    directory.mkdir()
    keys = []
    for round_ in range(2):
        with closing(opened(directory)) as ledger:
            ledger.submit([draft(i) for i in range(3)]).result(WAIT_S)
            ledger.seal_head().result(WAIT_S)
        old, new, index = rotate(directory)
        assert index == 3 + 4 * round_
        keys.append(old)
    with closing(opened(directory)) as ledger:
        ledger.submit([draft()]).result(WAIT_S)
    return keys[0], keys[1], new


def test_the_leaf_is_an_alarm_and_the_head_over_it_is_signed_by_the_new_key(
    directory: Path, twice: tuple[str, str, str]
) -> None:
    with closing(opened(directory)) as ledger:
        assert ledger.newest(Lane.ALARM) == 7
        for record in ledger.pending(Lane.ALARM, 0, 10):
            assert record.type is RecordType.KEY_ROTATED
            validate_leaf(record.leaf)
        note = ledger.checkpoint()
        assert note is not None
        assert verify_checkpoint(note, Verifier.parse(twice[2])).size == 9
        assert ledger.vkey == twice[2]


@pytest.mark.parametrize("which", range(3))
def test_a_bundle_is_sound_for_whoever_trusts_any_of_the_keys(
    directory: Path, twice: tuple[str, str, str], tmp_path: Path, which: int
) -> None:
    export(directory, tmp_path / "bundle.tar")
    report = verify(tmp_path / "bundle.tar", [twice[which]])
    assert report.sound, report.text()
    assert report.rotated == [3, 7]
    assert "Record 3 changes the gateway's key" in report.text()
    assert independent.check(tmp_path / "bundle.tar", twice[which], "").size == report.size


def test_a_later_part_alone_needs_the_later_key(
    directory: Path, twice: tuple[str, str, str], tmp_path: Path
) -> None:
    export(directory, tmp_path / "bundle.tar", start=5)
    assert not verify(tmp_path / "bundle.tar", [twice[0]]).sound
    for key in twice[1:]:
        assert verify(tmp_path / "bundle.tar", [key]).sound


def test_a_stranger_who_changes_the_key_to_his_own_is_not_followed(
    directory: Path, tmp_path: Path
) -> None:
    """He has the disk, and no key: his own ledger, handed over from a key that he calls ours."""
    directory.mkdir()
    ours = Signer.generate(ORIGIN)
    with closing(opened(directory)) as ledger:
        ledger.submit([draft()]).result(WAIT_S)
    rotate(directory)
    export(directory, tmp_path / "bundle.tar")
    report = verify(tmp_path / "bundle.tar", [str(ours.verifier)])
    assert not report.sound
    assert "not signed by the key given" in report.text()


def test_the_whole_ledger_is_still_found_right(
    directory: Path, twice: tuple[str, str, str]
) -> None:
    found = fsck(directory, [], lambda _stage, _done, _all: None)
    assert found.sound, found
    assert twice


def test_a_key_that_systemd_hands_us_is_not_changed_here(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.mkdir()
    gateway_signer(tmp_path, ORIGIN)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(ConfigError, match="cannot be changed here"):
        rotate(directory)


def test_while_the_daemon_runs_the_key_is_not_changed(directory: Path) -> None:
    directory.mkdir()
    with closing(opened(directory)), pytest.raises(EsealError, match="in use"):
        rotate(directory)
    assert [path.name for path in directory.glob("gateway.*")] != []
    assert not (directory / "gateway.key.next").exists()


def test_the_same_key_again_is_a_bug(directory: Path) -> None:
    directory.mkdir()
    with closing(opened(directory)) as ledger:
        same = gateway_signer(directory, ORIGIN)
        with pytest.raises(ValueError, match="another one"):
            ledger.rotate(same).result(WAIT_S)
        ledger.submit([draft()]).result(WAIT_S)
