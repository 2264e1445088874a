"""What the network is punished for: labels (varifocal, GIoU) and the teacher's soft opinion."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.train.assign import assign, inside
from models.train.net import STRIDES, grid

BOX_WEIGHT = 2.0
TEACHER_WEIGHT = 1.0


def cells(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centres [A,2] and strides [A] of all grid cells of a picture."""
    centres = [grid(height // s, width // s, s).numpy() for s in STRIDES]
    strides = [np.full(len(c), s, np.float32) for c, s in zip(centres, STRIDES, strict=True)]
    return np.concatenate(centres), np.concatenate(strides)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised IoU of matching rows (Rezatofighi et al., CVPR 2019)."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    both = (high - low).clamp(min=0).prod(-1)
    area = (a[:, 2:] - a[:, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1) - both
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(-1)
    return both / (area + 1e-6) - (hull - area) / (hull + 1e-6)


def targets(
    scores: NDArray[np.float32],
    boxes: NDArray[np.float32],
    truth: list[NDArray[np.float32]],
    size: tuple[int, int],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Per cell: score target and weight [N,A,2], box target [N,A,4], labelled area [N,A,2].

    Cells in an ignore region of a class, and answering for nothing, weigh nothing there.
    """
    centres, strides = cells(*size)
    want, weigh = np.zeros_like(scores), np.ones_like(scores)
    area, sides = np.zeros_like(scores), np.zeros_like(boxes)
    for n, labels in enumerate(truth):
        real = labels[labels[:, 5] == 0]
        ignored = labels[labels[:, 5] > 0]
        for c in range(scores.shape[2]):
            own = ignored[ignored[:, 4] == c]
            if len(own):
                weigh[n, inside(centres, own).any(0), c] = 0
            both = labels[labels[:, 4] == c]
            if len(both):
                area[n, inside(centres, both).any(0), c] = 1
        found, owner, target = assign(scores[n], boxes[n], centres, strides, real[:, :5])
        kinds = real[owner, 4].astype(int)
        want[n, found, kinds] = target
        weigh[n, found, kinds] = 1
        sides[n, found] = real[owner, :4]
    return want, weigh, sides, area


def total(
    logits: Tensor,
    boxes: Tensor,
    truth: list[NDArray[np.float32]],
    size: tuple[int, int],
    soft: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch.

    Args:
        logits: [N,A,2]. boxes: [N,A,4]. size: (width, height) of the pictures.
        truth: per picture [G,6] rows as in `views`.
        soft: the teacher's scores [N,A,2], boxes [N,A,4] and trust per picture [N].
    """
    chance = logits.detach().sigmoid()
    want_a, weigh_a, sides_a, area = targets(
        chance.numpy(),
        boxes.detach().numpy(),
        truth,
        size,
    )
    want, weigh, sides = (torch.from_numpy(a) for a in (want_a, weigh_a, sides_a))
    positive = want > 0
    focus = torch.where(positive, want, 0.75 * chance.square()) * weigh
    bce = nn.functional.binary_cross_entropy_with_logits
    mass = want.sum().clamp(min=len(truth) / 2)
    by_label = (bce(logits, want, reduction="none") * focus).sum() / mass
    which = positive.any(-1)
    strength = want.sum(-1)[which]
    by_box = ((1 - giou(boxes[which], sides[which])) * strength).sum() / mass
    opinion_a = soft[0] * area * soft[2][:, None, None]
    opinion = torch.from_numpy(opinion_a)
    trust = torch.from_numpy(soft[2])[:, None, None]
    gap = (opinion - chance).square() * trust
    soft_mass = opinion.sum().clamp(min=len(truth) / 2)
    by_soft = (bce(logits, opinion, reduction="none") * gap).sum() / soft_mass
    sure = opinion.amax(-1) > 0.15
    share = opinion.amax(-1)[sure]
    by_soft_box = ((1 - giou(boxes[sure], torch.from_numpy(soft[1])[sure])) * share).sum()
    by_soft_box = by_soft_box / soft_mass
    loss = by_label + BOX_WEIGHT * by_box + TEACHER_WEIGHT * (2 * by_soft + by_soft_box)
    parts = {"cls": by_label, "box": by_box, "tcls": by_soft, "tbox": by_soft_box}
    return loss, {k: float(v.detach()) for k, v in parts.items()}
