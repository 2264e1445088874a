"""The training loop: one stage at a time, each going on from the last one's checkpoint."""

from __future__ import annotations

import copy
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, distributed, nn

from models.train.feed import Batch, Feed
from models.train.loss import total
from models.train.net import Detector


class Average:
    """Exponential moving average of the weights: what is evaluated and exported."""

    def __init__(self, net: nn.Module, decay: float = 0.9985) -> None:
        self.net = copy.deepcopy(net).eval()
        self.decay, self.steps = decay, 0

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        self.steps += 1
        keep = min(self.decay, self.steps / (self.steps + 100))
        for mine, other in zip(
            self.net.state_dict().values(),
            net.state_dict().values(),
            strict=True,
        ):
            if mine.dtype.is_floating_point:
                mine.lerp_(other, 1 - keep)


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


def optimiser(net: nn.Module, lr: float) -> torch.optim.Optimizer:
    """AdamW; no decay on biases and norms."""
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.03}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.99))


def save(path: Path, net: nn.Module, average: Average, opt: torch.optim.Optimizer) -> None:
    """Write a checkpoint in one step (rename), so that a cut run leaves the last one whole."""
    state = {
        "net": net.state_dict(),
        "average": average.net.state_dict(),
        "steps": average.steps,
        "opt": opt.state_dict(),
    }
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def restore(path: Path, net: nn.Module, average: Average, opt: torch.optim.Optimizer) -> None:
    state = torch.load(path, weights_only=True)
    net.load_state_dict(state["net"])
    average.net.load_state_dict(state["average"])
    average.steps = state["steps"]
    opt.load_state_dict(state["opt"])


@dataclass(frozen=True)
class Plan:
    """How long a stage trains and how fast it learns.

    A machine shared with others has no known speed: with `minutes` the stage takes that long
    and does at most `steps`; the learning rate follows whichever is further.
    """

    steps: int
    minutes: float
    warm: int
    lr: tuple[float, float]

    def progress(self, step: int, seconds: float) -> float:
        """Share of the stage that is done, 0 to 1."""
        by_time = seconds / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(step / self.steps, by_time))

    def rate(self, step: int, progress: float) -> float:
        """Learning rate: linear warm-up over `warm` steps, linear from the first to the last."""
        first, last = self.lr
        return (first + (last - first) * progress) * min(1.0, (step + 1) / max(1, self.warm))


def share_gradients(net: nn.Module, progress: float) -> float:
    """Average the gradients of all processes; all learn the lead's progress on the way."""
    grads = [p.grad for p in net.parameters() if p.grad is not None]
    told = torch.tensor([progress if distributed.get_rank() == 0 else 0.0])
    flat = torch.cat([*(g.reshape(-1) for g in grads), told])
    distributed.all_reduce(flat)
    told = flat[-1:].clone()
    flat /= distributed.get_world_size()
    sizes = [*(g.numel() for g in grads), 1]
    for grad, piece in zip(grads, flat.split(sizes)[:-1], strict=True):
        grad.copy_(piece.view(grad.shape))
    return float(told)


def batch_loss(net: Detector, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    """Forward in bfloat16 (half the time on a CPU that has it), heads and loss in float32."""
    x = torch.from_numpy(batch.pictures).permute(0, 3, 1, 2).float()
    with torch.autocast("cpu", torch.bfloat16):
        logits, boxes = net(x)
    return total(logits, boxes, batch.truth, (x.shape[3], x.shape[2]), batch.soft)


class Log:
    """Mean loss parts and speed, every `EVERY` steps."""

    EVERY = 50

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.began = time.monotonic()

    def add(self, step: int, parts: dict[str, float], pictures: int, progress: float) -> None:
        for name, value in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        if step % self.EVERY == 0:
            speed = self.EVERY * pictures / (time.monotonic() - self.began)
            text = " ".join(f"{k} {v / self.EVERY:.3f}" for k, v in self.sums.items())
            print(f"step {step} ({progress:.1%}) {text} {speed:.1f} pictures/s", flush=True)
            self.sums, self.began = {}, time.monotonic()


def fit(feed: Feed, plan: Plan, came_from: Path | None, goes_to: Path) -> None:
    """Train one stage and leave a checkpoint at `goes_to`.

    Runs in each process of the group: one thread each beats threads inside the operators,
    because reading, the teacher and the assignment are then parallel too.
    """
    lead = distributed.get_rank() == 0
    net = Detector().to(memory_format=torch.channels_last)
    average = Average(net)
    opt = optimiser(net, plan.lr[0])
    if came_from is not None:
        restore(came_from, net, average, opt)
    net.train()
    log, began, step, progress = Log(), time.monotonic(), 0, 0.0
    while progress < 1:
        for group in opt.param_groups:
            group["lr"] = plan.rate(step, progress)
        batch = next(feed)
        loss, parts = batch_loss(net, batch)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        step += 1
        progress = share_gradients(net, plan.progress(step, time.monotonic() - began))
        nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        opt.step()
        if not np.isfinite(float(loss.detach())):
            raise FloatingPointError(f"loss is {float(loss.detach())} at step {step}")
        if lead:
            average.update(net)
            log.add(step, parts, len(batch.truth) * distributed.get_world_size(), progress)
            if step % 250 == 0 or progress >= 1:
                save(goes_to, net, average, opt)
    distributed.barrier()
