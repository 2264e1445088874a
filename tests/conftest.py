"""Fixtures that more than one part of the tests uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# The same examples each time: a landing does not hang on luck. For others:
# make test ARGS=--hypothesis-profile=explore
# How long an example takes says how busy the machine is, nothing of what is tested.
_ANY_PACE: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
    "print_blob": True,
}
settings.register_profile("repeatable", derandomize=True, **_ANY_PACE)
settings.register_profile("explore", max_examples=500, **_ANY_PACE)
settings.load_profile("repeatable")

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data kept beside the checkout, never in it."""
    path = REPO.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("real data (../shared/data) is not beside this checkout")
    return path
