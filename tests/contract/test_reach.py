"""Whatever happens to the tasks of a campaign: they sum to its plan; a correction misses nobody."""

import asyncio
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.means import RandomIds
from handlers.context import Context
from handlers.reposting import planning
from matrix.core.campaign import TASK, Campaign, RepostTask, TaskState
from matrix.core.directory import Tier
from matrix.core.roles import Actor
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.unit_of_work import SqlStore
from tests.doubles.clock import FakeClock

NOW = FakeClock().now()
ACCOUNTS = 5
SHOWS = {TaskState.SENDING, TaskState.POSTED, TaskState.VERIFIED, TaskState.UNKNOWN}
"""Somebody may read the text there."""
TAKEN_BACK = {"undo", "fail", "wait", "reject"}
"""It turned out that it is not there."""


async def walk(url: str, steps: list[tuple[int, int]]) -> tuple[Counter[str], set[str], set[str]]:
    """Fire rows as drawn; the states, whom a correction reaches, and who may show the text."""
    engine = open_engine(url)
    shows: set[str] = set()
    async with SqlStore(engine).work() as work:
        ids = RandomIds()
        ctx = Context(services=cast("Any", SimpleNamespace(ids=ids)), work=work, at=NOW)
        campaign = Campaign(
            id=ids.new(), case="c", bulletin=ids.new(), created_at=NOW,
            accounts=tuple(f"a{number}" for number in range(ACCOUNTS)),
        )  # fmt: skip
        await work.campaigns.add(campaign)
        for number, account in enumerate(campaign.accounts):
            one = RepostTask(
                id=ids.new(), campaign=campaign.id, case=campaign.id, account=account,
                tier=Tier.SECOND, serial=number, operator="o", due_at=NOW,
            )  # fmt: skip
            await work.tasks.add(one)
        for number, choice in steps:
            (task,) = await work.tasks.find(campaign=campaign.id, account=f"a{number}")
            rules = [rule for rule in TASK.rules if rule.source is task.state]
            if not rules:
                continue
            rule = rules[choice % len(rules)]
            actor = Actor(role=min(rule.roles), person="p")
            task = await ctx.move(
                TASK, work.tasks, task, rule.action, by=actor, facts={"followed": False}
            )
            if task.state in SHOWS:
                shows.add(task.account)
            elif rule.action in TAKEN_BACK:
                shows.discard(task.account)
        states = Counter(str(one.state) for one in await work.tasks.find(campaign=campaign.id))
        bulletin = cast("Any", SimpleNamespace(id=campaign.bulletin))
        reached = await planning.reached(ctx, bulletin)
    await engine.dispose()
    return states, reached, shows


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, ACCOUNTS - 1), st.integers(0, 11)), max_size=30))
def test_tasks_sum_to_the_plan_and_a_correction_reaches_whoever_may_show_it(
    tmp_path: Path, steps: list[tuple[int, int]]
) -> None:
    url = f"sqlite:///{tmp_path / 'reach.db'}"
    if not (tmp_path / "reach.db").exists():
        upgrade(url)
    states, reached, shows = asyncio.run(walk(url, steps))
    assert sum(states.values()) == ACCOUNTS
    assert reached >= shows


async def test_who_was_exempt_while_nobody_knew_hears_of_the_correction(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'reach.db'}"
    await asyncio.to_thread(upgrade, url)
    # created -> sending -> unknown -> exempt
    actions = ("send", "lose", "exempt")
    state, steps = TaskState.CREATED, []
    for action in actions:
        rules = [rule for rule in TASK.rules if rule.source is state]
        place = next(n for n, rule in enumerate(rules) if rule.action == action)
        steps.append((0, place))
        state = TaskState(rules[place].target)
    states, reached, _ = await walk(url, steps)
    assert states["exempt"] == 1
    assert reached == {"a0"}
