"""What several tests need."""

from __future__ import annotations

import shutil
import threading

import pytest


def require_program(name: str) -> str:
    """Path of a system program, or skip and say which one is missing."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def our_threads() -> set[threading.Thread]:
    """Threads of the product that run now; another test may have left some to end by themselves."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("eseal")}
