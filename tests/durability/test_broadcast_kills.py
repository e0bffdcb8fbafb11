"""kill −9 of workers in the midst of a broadcast, by the benchmark: its sink takes no keys.

Nothing is lost, nothing arrives twice, and in doubt is at most what one process may have marked.
The short form kills on SQLite; FAULTS=long (``make faults``) kills several workers on PostgreSQL,
where the others take over after 30 s.
"""

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.broadcaster import WINDOW

ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(10**6))
LONG = os.environ.get("FAULTS") == "long"


async def broadcast(*options: str, seconds: float) -> dict[str, Any]:
    """The benchmark's last line."""
    command = (sys.executable, "benchmarks/broadcast.py", *options, "--seed", str(SEED))
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    found: dict[str, Any] = json.loads(said.decode().strip().splitlines()[-1])
    return found


def nothing_lost_nothing_twice(found: dict[str, Any], targets: int, kills: int) -> None:
    assert found["lost"] == 0, f"seed {SEED}: {found}"
    assert found["duplicated"] == 0, f"seed {SEED}: {found}"
    assert found["in_doubt"] <= WINDOW * kills, f"seed {SEED}: {found}"
    states = found["states"]
    assert states.get("sent", 0) + found["in_doubt"] == targets, f"seed {SEED}: {found}"


@pytest.mark.slow
async def test_a_killed_worker_loses_nothing_and_says_nothing_twice() -> None:
    found = await broadcast(
        "--targets", "1500", "--workers", "1", "--database", "sqlite", "--kill", "2",
        "--rate", "400", "--patience", "45", seconds=80,
    )  # fmt: skip
    nothing_lost_nothing_twice(found, 1500, 2)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.skipif(not LONG, reason="long form: make faults")
@pytest.mark.parametrize("workers", [1, 2, 3])
async def test_workers_take_over_from_killed_ones(workers: int) -> None:
    found = await broadcast(
        "--targets", "6000", "--workers", str(workers), "--database", "postgres", "--kill", "4",
        "--rate", "300", "--patience", "180", seconds=240,
    )  # fmt: skip
    nothing_lost_nothing_twice(found, 6000, 4)
