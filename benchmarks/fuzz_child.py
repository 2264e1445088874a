"""The process that atheris fuzzes in: imports nothing of ours before it can be watched.

Run by benchmarks/fuzz.py as `python -m benchmarks.fuzz_child CORPUS OPTION…`.
"""

from __future__ import annotations

import importlib
import sys

from benchmarks.peers.install import install


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    install("atheris")
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["edge", "simulators"]):
        targets = importlib.import_module("benchmarks.fuzz_targets").Targets()
    atheris.Setup(sys.argv, targets.feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
