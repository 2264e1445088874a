"""The detector's network: a small CSP backbone, a PAN neck and a light anchor-free head.

Plain 3x3 convolutions with ReLU: they train and run faster on a CPU than depthwise ones of the
same accuracy, and onnxruntime fuses convolution, folded batch norm and ReLU into one kernel.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

STRIDES = (8, 16, 32)


class Conv(nn.Sequential):
    """Convolution, batch norm, ReLU."""

    def __init__(self, cin: int, cout: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(cout, eps=1e-3, momentum=0.03),
            nn.ReLU(inplace=True),
        )


class Block(nn.Module):
    """Residual pair of 3x3 convolutions."""

    def __init__(self, width: int, *, residual: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(Conv(width, width, 3), Conv(width, width, 3))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        return x + y if self.residual else y


class Stage(nn.Module):
    """CSP stage: one half passes, the other goes through `depth` blocks; all are kept."""

    def __init__(self, cin: int, cout: int, depth: int, *, residual: bool = True) -> None:
        super().__init__()
        self.half = cout // 2
        self.enter = Conv(cin, 2 * self.half)
        self.blocks = nn.ModuleList(Block(self.half, residual=residual) for _ in range(depth))
        self.leave = Conv((2 + depth) * self.half, cout)

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.enter(x).split(self.half, 1))
        for block in self.blocks:
            parts.append(block(parts[-1]))
        return self.leave(torch.cat(parts, 1))


class Pool(nn.Module):
    """Spatial pyramid pooling (three 5x5 maxima in a row): the deepest level sees the scene."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = Conv(width, width // 2)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.leave = Conv(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        a = self.enter(x)
        b = self.pool(a)
        c = self.pool(b)
        return self.leave(torch.cat((a, b, c, self.pool(c)), 1))


class Head(nn.Module):
    """One level's head: a shared 3x3, then a 1x1 pair each for scores and for box sides."""

    def __init__(self, cin: int, width: int, classes: int, prior: float) -> None:
        super().__init__()
        self.stem = Conv(cin, width, 3)
        self.cls = nn.Sequential(Conv(width, width), nn.Conv2d(width, classes, 1))
        self.reg = nn.Sequential(Conv(width, width), nn.Conv2d(width, 4, 1))
        nn.init.constant_(self.cls[1].bias, math.log(prior / (1 - prior)))
        nn.init.constant_(self.reg[1].bias, 1.0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(x)
        a, b = self.cls[0](x), self.reg[0](x)
        with torch.autocast("cpu", enabled=False):  # eight bits of bfloat16 are a pixel of a box
            return self.cls[1](a.float()), self.reg[1](b.float())


class Detector(nn.Module):
    """Pictures [N,3,H,W] (BGR, 0-255) to logits [N,A,classes] and boxes [N,A,4] (x1,y1,x2,y2)."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([103.0, 110.0, 113.0]).view(1, 3, 1, 1))
        self.stem = Conv(3, 16, 3, 2)
        self.s4 = nn.Sequential(Conv(16, 24, 3, 2), Stage(24, 24, 1))
        self.s8 = nn.Sequential(Conv(24, 48, 3, 2), Stage(48, 48, 2))
        self.s16 = nn.Sequential(Conv(48, 96, 3, 2), Stage(96, 96, 2))
        self.s32 = nn.Sequential(Conv(96, 192, 3, 2), Stage(192, 192, 1), Pool(192))
        self.lateral = Conv(192, 64)
        self.down4 = Stage(64 + 96, 80, 1, residual=False)
        self.down3 = Stage(80 + 48, 48, 1, residual=False)
        self.up3 = Conv(48, 48, 3, 2)
        self.up4 = Stage(48 + 80, 80, 1, residual=False)
        self.up4s = Conv(80, 80, 3, 2)
        self.up5 = Stage(80 + 64, 96, 1, residual=False)
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")
        self.heads = nn.ModuleList(Head(c, 48, classes, 0.01) for c in (48, 80, 96))

    def levels(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Per stride: score logits [N,classes,h,w] and raw box sides [N,4,h,w]."""
        x = (x - self.mean) * (1 / 58.0)
        c2 = self.s4(self.stem(x))
        c3 = self.s8(c2)
        c4 = self.s16(c3)
        c5 = self.lateral(self.s32(c4))
        p4 = self.down4(torch.cat((self.grow(c5), c4), 1))
        p3 = self.down3(torch.cat((self.grow(p4), c3), 1))
        n4 = self.up4(torch.cat((self.up3(p3), p4), 1))
        n5 = self.up5(torch.cat((self.up4s(n4), c5), 1))
        return [head(p) for head, p in zip(self.heads, (p3, n4, n5), strict=True)]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        logits, boxes = [], []
        for stride, (cls, reg) in zip(STRIDES, self.levels(x), strict=True):
            height, width = cls.shape[-2:]
            centres = grid(height, width, stride).to(cls.device)
            sides = nn.functional.softplus(reg.flatten(2).transpose(1, 2).float()) * stride
            boxes.append(
                torch.cat((centres - sides[..., :2], centres + sides[..., 2:]), -1),
            )
            logits.append(cls.flatten(2).transpose(1, 2).float())
        return torch.cat(logits, 1), torch.cat(boxes, 1)


def grid(height: int, width: int, stride: int) -> Tensor:
    """Give cell centres [height*width, 2] (x, y) in input pixels, row by row."""
    ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (torch.stack((xs, ys), -1).reshape(-1, 2).float() + 0.5) * stride


def parameters(net: nn.Module) -> int:
    """How many trained numbers the network has."""
    return sum(p.numel() for p in net.parameters())
