"""A ledger to test with, and a bundle of its records."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.clock import ManualClock
from edge.ledger.bundle import BundleReader
from edge.ledger.checkpoint import Signer
from edge.ledger.export import export
from edge.ledger.report import Report
from edge.ledger.store import Ledger
from edge.ledger.verify import verify
from tests.ledger.bundles import DIGEST, GONE, PICTURE, START, Members, packed
from tests.ledger.support import ORIGIN, WAIT_S, alarm, draft

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


@pytest.fixture(scope="session")
def pristine(tmp_path_factory, signer, province):
    """A bundle of records 3 to 12 with two receipts, a picture, and one picture gone."""
    directory = tmp_path_factory.mktemp("ledger")
    ledger = Ledger.open(directory, origin=ORIGIN, signer=signer, clock=ManualClock())
    ledger.put_evidence(PICTURE, "image/jpeg", "clean").result(WAIT_S)
    ledger.submit([draft(i) for i in range(5)]).result(WAIT_S)
    note = ledger.seal_head().result(WAIT_S)
    ledger.add_receipt(province.cosign(note, 1_750_000_000), 5).result(WAIT_S)
    named = [{"sha256": DIGEST}, {"sha256": GONE}]
    ledger.submit([alarm(i, evidence=named) for i in range(5, 13)]).result(WAIT_S)
    receipt = province.cosign(ledger.checkpoint(), 1_750_000_060)
    ledger.add_receipt(receipt, 13).result(WAIT_S)
    ledger.close()
    bundle = directory / "b.tar"
    export(directory, bundle, START)
    return bundle.read_bytes()


@pytest.fixture
def members(pristine) -> Members:
    reader = BundleReader(io.BytesIO(pristine))
    found = {}
    while name := reader.name:
        found[name] = reader.read(10**7)
    return found


@pytest.fixture
def check(tmp_path, signer, province):
    """Verify bytes, or members packed again by a forger who mends the manifest."""

    def verified(content: bytes | Members, keys=None) -> Report:
        data = content if isinstance(content, bytes) else packed(content)
        (tmp_path / "b.tar").write_bytes(data)
        trusted = [str(signer.verifier), str(province.verifier)] if keys is None else keys
        return verify(tmp_path / "b.tar", trusted)

    return verified
