"""Feeds hostile streams to real camera processes: only that process may suffer, and not for long.

The parent of each worker plays the daemon: it must neither grow nor end. Seeds that were done
before are read from `--log` and not done again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from benchmarks.rig import report
from benchmarks.streams_cases import Case, Kind, case
from edge.errors import Refused, SourceError
from edge.vision.camera.channel import PictureMessage
from edge.vision.camera.process import CameraProcess
from edge.vision.camera.stream import MAX_MEMORY
from edge.vision.detect.inference import Inference
from edge.vision.stream.access import Access, Transport
from edge.vision.stream.policy import Watch
from edge.vision.stream.reach import open_files

REPO = Path(__file__).resolve().parents[1]
LIMIT_S = 45.0  # no connection lasts longer than opening, silence and end together
GROWTH_MB = 32.0  # of a parent from its first quarter on
ABREAST = 8
_NICE = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one stream did.

    Attributes:
        ended: what the parent was told, without its details.
        peak_mb: of the camera's process, resident.
        pictures: that were handed over.
    """

    seed: int
    kind: str
    ended: str
    seconds: float
    peak_mb: float
    pictures: int


@asynccontextmanager
async def server_process(module: str, call: str) -> AsyncIterator[tuple[int, asyncio.StreamReader]]:
    """A server in a process of its own: its port, which it prints first, and what it prints next.

    So that what it grows by is not taken for the daemon's.
    """
    program = f"import {module} as module; module.{call}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=REPO, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield int(await process.stdout.readline()), process.stdout
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def hostile_server() -> AsyncIterator[int]:
    """Answers every connection with the stream whose seed its path names; `next` names the next.

    Gives its port.
    """
    async with server_process("benchmarks.streams", "serve()") as (port, _):
        yield port


def serve() -> None:
    """Run the hostile server until killed; print its port."""
    for seed in range(len(Kind) * 4):  # encode what all streams are made of
        case(seed)

    async def listen() -> None:
        server = await asyncio.start_server(_connected, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(listen())


def _rtsp_seeds() -> Iterator[int]:
    kinds = list(Kind)
    return (seed for seed in count() if kinds[seed % len(kinds)] is not Kind.JPEG)


_turns = _rtsp_seeds()


def access_to(seed: int, port: int) -> Access:
    """Where the stream of this seed is."""
    scheme = "http" if list(Kind)[seed % len(Kind)] is Kind.JPEG else "rtsp"
    return Access(f"{scheme}://127.0.0.1:{port}/{seed}", Transport.TCP)


async def _connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, EOFError, TimeoutError, ValueError):
        async with asyncio.timeout(LIMIT_S):
            await _converse(reader, writer)
    writer.close()


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    stream: Case | None = None
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        method, url, *_ = head.split(b" ", 2)
        if stream is None:
            name = url.rstrip(b"/").rpartition(b"/")[2]
            stream = case(next(_turns) if name == b"next" else int(name))
        if method == b"GET":
            kind = b"multipart/x-mixed-replace; boundary=frame"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n\r\n" + stream.wire)
            break
        writer.write(stream.answers(answer(method, url, head, stream)))
        if method == b"PLAY":
            writer.write(stream.wire)
            break
    await writer.drain()


def answer(method: bytes, url: bytes, head: bytes, stream: Case) -> bytes:
    """What a camera answers to one request."""
    lines = head.split(b"\r\n")
    cseq = next((line for line in lines if line.lower().startswith(b"cseq")), b"CSeq: 0")
    ok = b"RTSP/1.0 200 OK\r\n" + cseq + b"\r\n"
    match method:
        case b"OPTIONS":
            return ok + b"Public: DESCRIBE, SETUP, PLAY\r\n\r\n"
        case b"DESCRIBE":
            body = stream.description
            kind = b"Content-Type: application/sdp\r\nContent-Base: " + url + b"/\r\n"
            return ok + kind + b"Content-Length: %d\r\n\r\n" % len(body) + body
        case b"SETUP":
            way = b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
            return ok + way + b"Session: 1\r\n\r\n"
        case _:
            return ok + b"Session: 1\r\n\r\n"


async def judge(seed: int, port: int, inference: Inference) -> Outcome:
    """Show one stream to a camera's process, as the daemon does."""
    begun = time.monotonic()
    watch = Watch.FULL if seed % 2 else Watch.AUTO
    process = await CameraProcess.start(access_to(seed, port), watch, inference)
    peak, pictures, ended = [0.0], 0, "over the time limit"
    sampler = asyncio.create_task(_sample(process.pid, peak))
    try:
        process.allow(attentive=True)
        async with asyncio.timeout(LIMIT_S):
            while True:
                if isinstance(await process.receive(), PictureMessage):
                    pictures += 1
                    process.allow(attentive=True)
    except (SourceError, Refused) as error:
        ended = str(error)
    except TimeoutError:
        pass
    finally:
        sampler.cancel()
        process.end()
    kind = list(Kind)[seed % len(Kind)].value
    seconds = round(time.monotonic() - begun, 2)
    return Outcome(seed, kind, ended, seconds, round(peak[0], 1), pictures)


async def _sample(pid: int | None, peak: list[float]) -> None:
    while True:
        with contextlib.suppress(OSError):
            peak[0] = max(peak[0], memory_mb(f"/proc/{pid}/status", "VmHWM"))
        await asyncio.sleep(0.05)


def memory_mb(path: str, field: str) -> float:
    """MB that a status file says."""
    for line in Path(path).read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


async def run(
    seeds: list[int], log: TextIO | None = None, abreast: int = ABREAST
) -> dict[str, Any]:
    """Judge all `seeds`, some abreast.

    Returns:
        Figures of this process, the daemon's part: how it grew from the first quarter to the end.
    """
    waiting = iter(seeds)
    done = 0
    figures: dict[str, Any] = {}

    async def work(port: int, inference: Inference) -> None:
        nonlocal done
        for seed in waiting:
            outcome = await judge(seed, port, inference)
            if log is not None:
                log.write(json.dumps(asdict(outcome)) + "\n")
                log.flush()
            outcomes.append(outcome)
            done += 1
            if done == max(1, len(seeds) // 4):
                figures["quarter"] = _own()

    outcomes: list[Outcome] = []
    inference = Inference(None)
    try:
        async with hostile_server() as port, asyncio.TaskGroup() as group:
            for _ in range(abreast):
                group.create_task(work(port, inference))
        figures["end"] = _own()
    finally:
        inference.close()
    return {"own": figures, "outcomes": outcomes}


def _own() -> dict[str, float]:
    """This process: MB resident, open files, threads."""
    return {
        "mb": round(memory_mb("/proc/self/status", "VmRSS"), 1),
        "files": len(open_files()),
        "threads": threading.active_count(),
    }


def summary(outcomes: list[dict[str, Any]], owns: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures of all workers."""
    ends = Counter(one["ended"].partition(" (")[0] for one in outcomes)
    crashed = [one for one in outcomes if "crashed" in one["ended"]]
    late = [one["seed"] for one in outcomes if one["ended"] == "over the time limit"]
    growth = [own["end"]["mb"] - own["quarter"]["mb"] for own in owns]
    return {
        "cases": len(outcomes),
        "by_kind": dict(Counter(one["kind"] for one in outcomes)),
        "ended": dict(ends.most_common()),
        "crashes": len(crashed),
        "crash_seeds": [one["seed"] for one in crashed][:20],
        "hangs": ends["its decoder hangs"],
        "over_limit": late[:20],
        "with_pictures": sum(one["pictures"] > 0 for one in outcomes),
        "seconds_max": max((one["seconds"] for one in outcomes), default=0),
        "camera_peak_mb": max((one["peak_mb"] for one in outcomes), default=0),
        "camera_limit_mb": MAX_MEMORY >> 20,
        "parent_growth_mb": round(max(growth, default=0.0), 1),
        "parent_files": max((own["end"]["files"] for own in owns), default=0),
        "parent_threads": max((own["end"]["threads"] for own in owns), default=0),
    }


def _read(log: Path) -> Iterator[dict[str, Any]]:
    if log.exists():
        for line in log.read_text().splitlines():
            with contextlib.suppress(ValueError):  # cut off by an interruption
                yield json.loads(line)


def worker(seeds: range, log: str) -> None:
    """Judge those of `seeds` that the log does not hold; print figures of this process."""
    os.nice(_NICE)
    done = {one["seed"] for one in _read(Path(log))}
    left = [seed for seed in seeds if seed not in done]
    with Path(log).open("a") as file:
        figures = asyncio.run(run(left, file))["own"]
    print(json.dumps(figures))


def main() -> None:
    """Run workers and report; exit 1 when a parent grew or a stream outlived its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--log", type=Path, default=REPO / "build" / "streams")
    parser.add_argument("--quick", action="store_true", help="140 streams")
    args = parser.parse_args()
    cases = 140 if args.quick else args.cases
    shares = [range(args.seed + n, args.seed + cases, args.workers) for n in range(args.workers)]
    args.log.mkdir(parents=True, exist_ok=True)
    logs = [args.log / f"{n}-of-{args.workers}.jsonl" for n in range(args.workers)]
    # By -c: a camera's process imports the main module of its parent, and this one is heavy.
    program = "from benchmarks.streams import worker; worker({!r}, {!r})"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program.format(share, str(log))],
            cwd=REPO,
            stdout=subprocess.PIPE,
            text=True,
        )
        for share, log in zip(shares, logs, strict=True)
    ]
    said = [worker.communicate()[0] for worker in workers]
    alive = all(worker.returncode == 0 for worker in workers)
    owns = [own for text in said if text for own in [json.loads(text.splitlines()[-1])] if own]
    wanted = {seed for share in shares for seed in share}
    outcomes = [one for log in logs for one in _read(log) if one["seed"] in wanted]
    figures = summary(outcomes, [own for own in owns if "quarter" in own])
    good = alive and not figures["over_limit"] and figures["parent_growth_mb"] <= GROWTH_MB
    report({**figures, "parents_alive": alive, "clean": good and len(outcomes) == cases})
    sys.exit(not good)


if __name__ == "__main__":
    main()
