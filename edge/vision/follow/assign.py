"""Pairs rows with columns at the least total cost. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

MAX_OPTIMAL = 12  # rows or columns of one cluster; beyond, the cheapest pair goes first
Pairs = Mapping[tuple[int, int], float]


def assign(costs: Pairs, unpaired: float = 1.0) -> dict[int, int]:
    """Rows to columns so that the sum of costs is least.

    Pairs that are not in `costs` are impossible. Clusters that share no possible pair are solved
    apart; one of more than `MAX_OPTIMAL` rows or columns, which only a flood of detections
    makes, is paired greedily, so that time stays bounded.

    Args:
        costs: (row, column) to cost, 0..`unpaired`.
        unpaired: what it costs to leave a row without a column.
    """
    paired: dict[int, int] = {}
    for rows, columns in _clusters(costs):
        if len(rows) == len(columns) == 1:
            paired[rows[0]] = columns[0]
        elif max(len(rows), len(columns)) > MAX_OPTIMAL:
            paired |= _greedy(costs, set(rows))
        else:
            paired |= _least(costs, rows, columns, unpaired)
    return paired


def _clusters(costs: Iterable[tuple[int, int]]) -> list[tuple[list[int], list[int]]]:
    """Rows and columns that are joined by possible pairs, directly or over others."""
    columns_of: dict[int, set[int]] = {}
    rows_of: dict[int, set[int]] = {}
    for row, column in costs:
        columns_of.setdefault(row, set()).add(column)
        rows_of.setdefault(column, set()).add(row)
    clusters, left = [], set(columns_of)
    while left:
        rows: set[int] = set()
        columns: set[int] = set()
        todo = [min(left)]
        while todo:
            row = todo.pop()
            if row in rows:
                continue
            rows.add(row)
            fresh = columns_of[row] - columns
            columns |= fresh
            todo += [other for column in fresh for other in rows_of[column]]
        left -= rows
        clusters.append((sorted(rows), sorted(columns)))
    return clusters


def _greedy(costs: Pairs, rows: set[int]) -> dict[int, int]:
    paired: dict[int, int] = {}
    taken: set[int] = set()
    for row, column in sorted(costs, key=lambda pair: (costs[pair], pair)):
        if row in rows and row not in paired and column not in taken:
            paired[row] = column
            taken.add(column)
    return paired


def _least(costs: Pairs, rows: list[int], columns: list[int], unpaired: float) -> dict[int, int]:
    """Every row gets a column of its own that stands for staying unpaired."""
    impossible = unpaired * (len(rows) + 1) + 1.0
    table = [
        [costs.get((row, column), impossible) for column in columns]
        + [unpaired if other == row else impossible for other in rows]
        for row in rows
    ]
    return {
        rows[i]: columns[j]
        for j, i in enumerate(_solve(table)[: len(columns)])
        if i is not None and (rows[i], columns[j]) in costs
    }


def _solve(table: list[list[float]]) -> list[int | None]:
    """The row of each column, or None, at the least sum; no fewer columns than rows.

    Shortest augmenting paths with potentials (Kuhn 1955; Jonker and Volgenant 1987).
    """
    width = len(table[0])
    row_price, column_price = [0.0] * len(table), [0.0] * width
    holder: list[int | None] = [None] * width
    for first in range(len(table)):
        distance, before, done = [math.inf] * width, [-1] * width, [False] * width
        i: int | None = first
        column, reached = -1, 0.0
        while i is not None:
            for j in range(width):
                there = reached + table[i][j] - row_price[i] - column_price[j]
                if not done[j] and there < distance[j]:
                    distance[j], before[j] = there, column
            column = min((j for j in range(width) if not done[j]), key=distance.__getitem__)
            done[column], reached = True, distance[column]
            i = holder[column]
        row_price[first] += reached
        for j in (j for j in range(width) if done[j] and j != column):
            held = holder[j]
            assert held is not None
            row_price[held] += reached - distance[j]
            column_price[j] -= reached - distance[j]
        while column >= 0:
            previous = before[column]
            holder[column] = first if previous < 0 else holder[previous]
            column = previous
    return holder
