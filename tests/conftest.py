"""Fixtures that more than one part of the tests uses."""

from __future__ import annotations

from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data kept beside the checkout, never in it."""
    path = REPO.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("real data (../shared/data) is not beside this checkout")
    return path
