"""Fixtures of the sensors' tests."""

from __future__ import annotations

import pytest

from edge.sensors import health, poller


@pytest.fixture
def short_backoff(monkeypatch):
    """Lost units and buses are asked again soon, for tests that measure no pace."""
    monkeypatch.setattr(poller, "_MAX_BUS_BACKOFF_S", 0.3)
    monkeypatch.setattr(health, "FIRST_BACKOFF_S", 0.3)
    monkeypatch.setattr(health, "MAX_BACKOFF_S", 1.0)
