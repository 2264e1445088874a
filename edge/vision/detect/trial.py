"""The first run of a foreign model, in a process of its own: it may crash or eat that one only.

onnxruntime is native code and a foreign file is hostile until it has been read; files that the
manifest names by their hash need no trial.
"""

from __future__ import annotations

import multiprocessing
import resource
from multiprocessing.connection import Connection

from edge.errors import Refused
from edge.vision.detect.detector import Detector
from edge.vision.detect.formats.classes import Classes

TRIAL_S = 60.0  # wall time for loading it and running it once, …
MAX_CPU_S = 40  # … and processor time
MAX_MEMORY = 3 << 30  # bytes of address space, of which Python and onnxruntime take about one
_MAX_REASON = 4000
_ADMITTED = "admitted"


def trial(data: bytes, where: str, classes: Classes | None = None) -> None:
    """Load a file and run it once on a grey picture.

    Args:
        data: the ONNX file.
        where: its name for messages.
        classes: which classes are what, when the graph does not tell.

    Raises:
        Refused: it is no detector, crashes, or needs more time or memory than it may.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_load, args=(data, where, classes, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(TRIAL_S):
            raise Refused(f"{where}: takes longer than {TRIAL_S:.0f} s to load and run once")
        said = ours.recv_bytes(_MAX_REASON).decode("utf-8", "replace")
    except (EOFError, OSError):
        process.join(1)
        raise Refused(
            f"{where}: crashes onnxruntime, or needs more than {MAX_MEMORY >> 30} GB "
            f"or {MAX_CPU_S} s (exit code {process.exitcode})"
        ) from None
    finally:
        ours.close()
        process.kill()
        process.join()
    if said != _ADMITTED:
        raise Refused("".join(char if char.isprintable() else "?" for char in said))


def _load(data: bytes, where: str, classes: Classes | None, line: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        Detector(data, None, 1, where, classes)
        said = _ADMITTED
    except Refused as error:
        said = str(error)
    except MemoryError:
        said = f"{where}: needs more than {MAX_MEMORY >> 30} GB"
    line.send_bytes(said.encode()[:_MAX_REASON])
