"""The whole chain under SIGKILL; `python -m benchmarks.kills` does the same for longer."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.kills import campaign
from tests.support import require_program

KILLS = 8


async def test_what_was_acknowledged_survives_kill_9_and_arrives_once_unaltered_and_in_order(
    tmp_path: Path,
) -> None:
    require_program("mosquitto")
    seed = random.SystemRandom().randrange(1 << 32)  # every run kills at other moments
    outcome = await campaign(tmp_path / "ledger", KILLS, seed, longest_s=0.8)
    assert outcome.clean, (seed, outcome)
    assert outcome.kills == KILLS
    assert outcome.acknowledged > KILLS
