"""What several tests need."""

from __future__ import annotations

import shutil

import pytest


def require_program(name: str) -> str:
    """Path of a system program, or skip and say which one is missing."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path
