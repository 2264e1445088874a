"""`eseal enroll`, `eseal rotate-key` and the export of a log that broke off."""

from __future__ import annotations

from pathlib import Path

from edge.ledger.checkpoint import Signer
from tests.configs import MINIMAL


def written(tmp_path: Path) -> tuple[Path, Path]:
    storage = tmp_path / "storage"
    path = tmp_path / "seal.toml"
    lines = MINIMAL.splitlines()
    text = "\n".join(f'dir = "{storage}"' if line.startswith("dir") else line for line in lines)
    path.write_text(text)
    return path, storage


def test_a_box_is_enrolled_its_key_changed_and_its_record_verified(eseal, tmp_path):
    config, storage = written(tmp_path)
    province = str(Signer.generate("province.example").verifier)
    said = eseal("enroll", "-c", config, "--province", province)
    assert said.code == 0
    old = (storage / "gateway.vkey").read_text().strip()
    assert old in said.out
    assert f'keys = ["{province}"]' in said.out
    assert str(storage / "tls.csr") in said.out
    assert eseal("enroll", "-c", config).out.count("[province]") == 0
    said = eseal("rotate-key", "-c", config)
    assert said.code == 0
    new = (storage / "gateway.vkey").read_text().strip()
    assert old != new
    assert old in said.out
    assert new in said.out
    assert eseal("export", tmp_path / "bundle.tar", "-c", config).code == 0
    for key in (old, new):
        assert eseal("verify", tmp_path / "bundle.tar", "--key", key).code == 0
    said = eseal("export", tmp_path / "bundle.tar", "-c", config, "--past", "1")
    assert said.code == 78
    assert "epochs/1" in said.err
