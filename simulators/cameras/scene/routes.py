"""Ways over the ground: beside another one, there and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

Spot = tuple[float, float]  # x, z on the ground, metres


def beside(route: Sequence[Spot], aside: float) -> list[Spot]:
    """The route moved `aside` metres to the right of who goes along it.

    Each corner moves along the mean of the rights of its two legs, so legs stay nearly parallel.
    """
    rights = [
        (dz / length, -dx / length) if (length := math.hypot(dx, dz)) > 1e-9 else (0.0, 0.0)
        for (ax, az), (bx, bz) in pairwise(route)
        for dx, dz in [(bx - ax, bz - az)]
    ]
    moved: list[Spot] = []
    for (x, z), before, after in zip(
        route, [rights[0], *rights], [*rights, rights[-1]], strict=True
    ):
        right = (before[0] + after[0], before[1] + after[1])
        length = math.hypot(*right) or 1.0
        moved.append((x + aside * right[0] / length, z + aside * right[1] / length))
    return moved


def there_and_back(route: Sequence[Spot], share: float) -> list[Spot]:
    """Along the route up to `share` of its length, 0..1, and back to its beginning."""
    left = min(max(share, 0.0), 1.0) * sum(math.dist(a, b) for a, b in pairwise(route))
    out = [route[0]]
    for one, two in pairwise(route):
        length = math.dist(one, two)
        if left <= length:
            part = left / length if length > 0 else 0.0
            out.append((one[0] + part * (two[0] - one[0]), one[1] + part * (two[1] - one[1])))
            break
        out.append(two)
        left -= length
    return [*out, *out[-2::-1]]
