"""Peers are no dependencies: each is installed on its own into build/peers when it is wanted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "build" / "peers"
TIMEOUT_S = 90
PINNED = {"atheris": "3.0.0", "persist-queue": "1.1.0", "thingsboard-gateway": "3.8.5"}


class PeerMissing(Exception):
    """A peer cannot be measured here; says why."""


def install(name: str) -> None:
    """Make the peer importable, from PyPI if it is not there yet. Raises PeerMissing."""
    target = FOLDER / f"{name}-{PINNED[name]}"
    if not target.is_dir():
        unfinished = target.with_name(target.name + ".part")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        try:
            subprocess.run(
                [*command, str(unfinished), f"{name}=={PINNED[name]}"],
                check=True,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise PeerMissing(f"{name} was not installed within {TIMEOUT_S} s") from error
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip() or "pip failed").splitlines()[-1]
            raise PeerMissing(f"{name} cannot be installed: {last}") from error
        unfinished.rename(target)
    if str(target) not in sys.path:
        sys.path.append(str(target))
