"""kill −9 of the real process while it talks to an official account and to WeCom.

Supervisors and one operator are on the official account's double, everybody else on WeCom's; both
are real servers that hold back answers (KILL_SEED draws which messages have arrived by then).
FAULTS=long kills ten times, on to the correction. Nobody is told anything twice, whatever is
missing stands in doubt, and the desk puts it right.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from matrix.core.conversation import InboxState
from tests.doubles.wecom_rig import without_proxy
from tests.durability.wechat_stage import SEED, Stage, stage
from tests.journeys.mixed_play import MixedChat
from tests.journeys.play import STATEFUL, fold
from tests.journeys.telegram_play import FACT, LINK, RUMOR, correction_signed, signed

LONG = os.environ.get("FAULTS") == "long"
STEPS, DRAWN = (17, 5) if LONG else (2, 0)
"""Steps that nothing is aimed at, and how many of them are hit."""
KILLS = 10 if LONG else 3
REPORTERS = ("王芳", "李敏")
OPERATORS = ("韩雪", "邬沐阳")


async def begun(p: MixedChat) -> None:
    """One report, and its rebuttal signed."""
    await p.say("王芳", RUMOR)
    await p.press("陈静", "lead_file")
    await signed(p)


async def spread(p: Stage, link: str, news: str, task: str, nth: int = 1) -> None:
    """Published and broadcast, killed while the reporters' and the operators' are on their way."""
    fates = dict(zip(REPORTERS, p.draw.sample([True, False], 2), strict=True))
    held = [p.hold(who, arrives=arrives) for who, arrives in fates.items()]
    await p.hit(p.wecom.say("冯涛", link), *held)
    await p.once(dict.fromkeys(REPORTERS, news), fates)

    await p.press("冯涛", "campaign_start")
    # A card that has arrived is the harder one: its repeat must be the one that is dropped.
    fates = {"韩雪": p.draw.random() < 0.5, "邬沐阳": nth == 1 or p.draw.random() < 0.5}
    held = [p.hold(who, arrives=arrives) for who, arrives in fates.items()]
    await p.hit(p.wecom.press("冯涛", "confirm"), *held)
    await p.once(dict.fromkeys(OPERATORS, task), fates, nth)


async def whole(p: Stage) -> None:
    await p.hit(p.official.say("李敏", RUMOR))
    leads, (case,) = await p.all("leads"), await p.all("cases")
    assert len(leads) == 2, f"seed {SEED}: a repeat is the same message"
    receipts = [one.text for one in p.to("李敏") if case.number in one.text]
    assert len(receipts) == 1, f"seed {SEED}: {receipts}"
    await p.press("冯涛", "publish_link")
    task = f"转发任务 · {case.number}"
    await spread(p, LINK, FACT, task)
    assert posted(p, FACT) == ONCE_EACH, f"seed {SEED}"
    if LONG:
        await p.say("韩雪", "https://weibo.com/1/2")
        await p.photo("邬沐阳", 1)
        await correction_signed(cast("Any", p), case.number)
        await spread(p, f"{LINK}2", "更正：之前就线索", task, nth=2)
        assert posted(p, "共同出资") == ONCE_EACH, f"seed {SEED}"


ONCE_EACH = {"article": 1, "robot": 1, "group": 1}


def posted(p: Stage, fact: str) -> dict[str, int]:
    """How often it was posted where nobody needs to do anything, or only to confirm."""
    articles = p.official.api.published.values()
    robot, mass = p.wecom.api.robots["robot-key"], p.wecom.api.mass.values()
    return {
        "article": sum(fact in one["news_item"][0]["content"] for one in articles),
        "robot": sum(fact in text for text, _ in robot),
        "group": sum(fact in one.text for one in mass),
    }


@pytest.mark.slow
async def test_kills_between_two_platforms_lose_nothing_and_say_nothing_twice(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    without_proxy(monkeypatch)
    record_property("seed", SEED)
    print(f"KILL_SEED={SEED}")
    async with stage(tmp_path, begun, steps=STEPS, drawn=DRAWN) as p:
        earlier = len(await p.all("inbox"))
        await whole(p)
        print(f"kills {p.product.kills}, repeats {p.product.repeats}, settled {p.in_doubt}")
        inbox = await p.all("inbox")
        assert {one.state for one in inbox} == {InboxState.DONE}
        assert len(inbox) - earlier == len(p.product.heard)
        assert p.product.kills == KILLS, f"seed {SEED}"
        assert not await p._doubts()
        assert set(await p.states("feedback")) == {"sent"}
        await folded(p)


async def folded(p: Stage) -> None:
    """Every transition once: the log gives each state as it is stored."""
    async with p.parts.store.read() as work:
        events = await work.events()
    states, _ = fold(events)
    for entity, kind in STATEFUL.items():
        for one in await p.all(kind):
            assert states[entity][one.id] == one.state, f"seed {SEED}: {entity} {one.id}"
