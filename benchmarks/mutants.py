"""Changes one thing at a time in the pure cores and asks the tests whether they notice.

A mutant that no test notices is a survivor: either the tests miss something or the change means
nothing. Each runs in a fork of a process that has imported everything but the house itself: first
with the module's own tests, then, if it lives, with those of its neighbours.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TARGETS = {
    "edge.ledger.merkle": (
        ["tests/ledger/test_merkle.py"],
        ["tests/ledger/test_store.py", "tests/ledger/test_verify_forged.py"],
    ),
    "edge.ledger.checkpoint": (
        ["tests/ledger/test_checkpoint.py"],
        ["tests/ledger/test_verify_forged.py", "tests/uplink/test_receipts.py"],
    ),
    "edge.uplink.outbox": (
        ["tests/uplink/test_outbox.py"],
        [
            "tests/uplink/test_delivery.py",
            "tests/uplink/test_service_scripted.py",
            "tests/fire/test_history.py",
        ],
    ),
}
LIMIT_S = (15, 90)  # of processor; a mutant may loop for ever: that is noticed
PATIENCE = 10  # times as long by the clock, for one that waits for ever
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True)
class Mutant:
    """One change."""

    line: int
    what: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Every change of one operator, constant, condition or statement."""
    original = ast.parse(source)
    lines = source.splitlines()
    for number, node in enumerate(ast.walk(original)):
        for variant in range(3):
            tree = copy.deepcopy(original)
            target = next(item for i, item in enumerate(ast.walk(tree)) if i == number)
            what = change(target, variant)
            if what is None:
                break
            line = getattr(target, "lineno", getattr(node, "lineno", 0))
            yield Mutant(
                line, f"{what}: {lines[line - 1].strip()}", ast.fix_missing_locations(tree)
            )


def change(node: ast.AST, variant: int) -> str | None:
    """Change the node in its `variant`-th way; what was done, None when there is no such way."""
    ways = [*operators(node), *values(node)]
    if variant >= len(ways):
        return None
    field, new = ways[variant]
    setattr(node, field, new)
    return f"{type(node).__name__}.{field}"


def operators(node: ast.AST) -> list[tuple[str, Any]]:
    """Other operators for this node: field and new value."""
    match node:
        case ast.BinOp(op=op) | ast.AugAssign(op=op) | ast.BoolOp(op=op) if type(op) in SWAPS:
            return [("op", SWAPS[type(op)]())]
        case ast.Compare(ops=ops):
            return [
                ("ops", [*ops[:i], SWAPS[type(op)](), *ops[i + 1 :]]) for i, op in enumerate(ops)
            ]
    return []


def values(node: ast.AST) -> list[tuple[str, Any]]:
    """Other values, conditions and statements for this node."""
    match node:
        case ast.Constant(value=bool(value)):
            return [("value", not value)]
        case ast.Constant(value=int(value)):
            return [("value", value + 1), ("value", value - 1)]
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return [("test", ast.UnaryOp(ast.Not(), test)), ("test", ast.Constant(False))]
        case ast.Return(value=ast.expr() as value) | ast.Expr(value=ast.Call() as value):
            nothing = isinstance(value, ast.Constant) and value.value is None
            return [] if nothing else [("value", ast.Constant(None))]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return [("operand", ast.UnaryOp(ast.Not(), operand))]
    return []


def lives(module: str, mutant: Mutant, tests: list[str], limit_s: int) -> bool:
    """Whether all these tests pass with the mutant in place of the module."""
    child = os.fork()
    if not child:
        run(module, mutant, tests, limit_s)
    _pid, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def run(module: str, mutant: Mutant, tests: list[str], limit_s: int) -> None:
    """In the fork: take the module's place, run the tests, end."""
    import hypothesis
    import pytest

    # A busy machine is no reason: who is only slow has not noticed anything.
    resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
    signal.alarm(PATIENCE * limit_s)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    quick = hypothesis.settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    hypothesis.settings.register_profile("mutants", quick)
    hypothesis.settings.load_profile("mutants")
    try:
        spec = importlib.util.find_spec(module)
        assert spec is not None
        made = importlib.util.module_from_spec(spec)
        sys.modules[module] = made
        exec(compile(mutant.tree, str(spec.origin), "exec"), made.__dict__)
        options = ["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-o", "timeout=0"]
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # it is imported already
        os._exit(int(pytest.main([*options, *tests])))
    except BaseException:  # noqa: BLE001  a mutant that cannot be imported is noticed
        os._exit(1)


def hunt(module: str, until: float, sample: int, seed: int) -> tuple[int, int, list[str]]:
    """Mutants tried, mutants there are, and the survivors, as far as the time goes."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    every = list(mutants(Path(spec.origin).read_text("utf-8")))
    unchanged = Mutant(0, "nothing", ast.parse(Path(spec.origin).read_text("utf-8")))
    for tests in TARGETS[module]:
        if not lives(module, unchanged, tests, LIMIT_S[-1]):
            sys.exit(f"{tests} fail without any change")
    order = random.Random(seed).sample(every, min(sample, len(every)))
    tried, survivors = 0, []
    for mutant in order:
        if time.monotonic() > until:
            break
        tried += 1
        stages = zip(TARGETS[module], LIMIT_S, strict=True)
        if all(lives(module, mutant, tests, limit_s) for tests, limit_s in stages):
            survivors.append(f"{module}:{mutant.line} {mutant.what}")
            print(survivors[-1], flush=True)
    return tried, len(every), survivors


def main() -> None:
    """Hunt and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--module", choices=[*TARGETS], action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="three mutants of each module")
    args = parser.parse_args()
    for name in ("hypothesis", "hypothesis.stateful", "pytest", "cryptography", "structlog"):
        importlib.import_module(name)
    modules = args.module or [*TARGETS]
    figures = {}
    began = time.monotonic()
    for number, module in enumerate(modules, 1):
        until = began + args.minutes * 60 * number / len(modules)
        tried, there, survivors = hunt(module, until, 3 if args.quick else 10_000, args.seed)
        figures[module] = {"tried": tried, "of": there, "survivors": survivors}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
