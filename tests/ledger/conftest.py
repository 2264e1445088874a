"""A ledger to test with, and drafts to fill it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.clock import ManualClock
from edge.ledger.checkpoint import Signer
from edge.ledger.store import Ledger
from tests.ledger.support import ORIGIN

Opener = Callable[[], Ledger]


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer.generate(ORIGIN)


@pytest.fixture(scope="session")
def province() -> Signer:
    return Signer.generate("province.example")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def opener(directory: Path, signer: Signer, clock: ManualClock) -> Iterator[Opener]:
    """Opens the test's ledger as often as asked; all are closed in the end."""
    opened: list[Ledger] = []

    def open_one() -> Ledger:
        opened.append(Ledger.open(directory, origin=ORIGIN, signer=signer, clock=clock))
        return opened[-1]

    yield open_one
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(opener: Opener) -> Ledger:
    return opener()
