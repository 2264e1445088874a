"""Prepare, train, export, evaluate: `python -m models.train --data D --teacher T --work W`."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

import cv2
import torch
from torch import distributed, multiprocessing

from models.train import fit, prepare
from models.train.feed import Feed, Mix
from models.train.teacher import Teacher

HERE = Path(__file__).parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="models.train", description=__doc__)
    parser.add_argument("--config", type=Path, default=HERE / "config.toml")
    parser.add_argument("--data", type=Path, required=True, help="images.tar, annotations.json.gz")
    parser.add_argument("--teacher", type=Path, required=True, help="yolox_nano_416x416.onnx")
    parser.add_argument("--work", type=Path, required=True, help="views and checkpoints go here")
    parser.add_argument("--stage", help="only this stage, from the one before it")
    parser.add_argument("--start", type=Path, help="checkpoint to begin from instead of chance")
    parser.add_argument("--processes", type=int, default=2, help="one per core")
    return parser.parse_args()


def train(rank: int, args: argparse.Namespace, config: dict) -> None:
    """One of several processes: run the stages, each from the checkpoint before it."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    meeting = f"file://{args.work.resolve()}/meeting"
    distributed.init_process_group("gloo", meeting, rank=rank, world_size=args.processes)
    fit.seed_all(config["seed"])
    photos = prepare.Store(args.work / "photos")
    scenes = args.work / "rendered"
    rendered = prepare.Store(scenes) if (scenes / "boxes.npz").exists() else None
    teacher = Teacher(args.teacher, args.work / f"teacher{rank}.onnx")
    before: Path | None = args.start
    for number, stage in enumerate(config["stage"]):
        goes_to = args.work / f"{stage['name']}.pt"
        if args.stage in (None, stage["name"]):
            if stage["rendered"] and rendered is None:
                raise SystemExit(f"stage {stage['name']} wants rendered pictures: none in {scenes}")
            mix = Mix(
                tuple(stage["size"]),
                stage["batch"] // args.processes,
                stage["mosaic"],
                stage["rendered"],
                stage["asked"],
            )
            plan = fit.Plan(stage["steps"], stage["minutes"], stage["warm"], tuple(stage["lr"]))
            feed = Feed(photos, rendered, teacher, mix, config["seed"] + 100 * number + rank)
            if rank == 0:
                print(f"stage {stage}", flush=True)
            fit.fit(feed, plan, before, goes_to)
        before = goes_to
    distributed.destroy_process_group()


def main() -> None:
    args = arguments()
    config = tomllib.loads(args.config.read_text())
    prepare.prepare(args.data, args.work, config["seed"])
    if not (args.work / "rendered" / "boxes.npz").exists():
        from models.train import rendered  # the simulators are needed for nothing else here

        rendered.prepare(args.work, config["rendered"])
    (args.work / "meeting").unlink(missing_ok=True)
    multiprocessing.spawn(train, (args, config), nprocs=args.processes)
