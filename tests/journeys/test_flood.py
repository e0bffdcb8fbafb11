"""A flood: the desk gets one card that counts instead of thousands, and nothing gets lost."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.means import KeySealer
from handlers.housekeeping import ladder
from tests.journeys import story
from tests.journeys.play import Play, stage

CARDS = 20
GRAVE = "河东镇化工厂今早爆炸死了三十人，有毒气体正往城区飘，快跑"


async def _cards(p: Play, kind: str) -> list[dict[str, Any]]:
    return [one for one in await p.heard("陈静", limit=500) if one["reply"] == kind]


async def _rumors(p: Play, first: int, count: int) -> None:
    for number in range(first, first + count):
        await p.say("王芳", f"{story.LAMPS}，第{number}栋先收，不交的停水停电，物业已经贴了通知")
        p.clock.forward(seconds=4)


async def test_past_twenty_cards_the_desk_gets_one_that_counts(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _rumors(p, 1, CARDS)
        assert len(await _cards(p, "queued_card")) == CARDS
        await p.tick()
        assert not await _cards(p, "flood"), "nothing was held back"
        await _rumors(p, CARDS + 1, 2)
        for _ in range(3):
            await p.say("王芳", story.WATER, forwarded=True)
            p.clock.forward(seconds=4)
        assert len(await _cards(p, "queued_card")) == CARDS
        await p.tick()
        (card,) = await _cards(p, "flood")
        assert "待处理共 25 条" in card["text"]
        assert f"共 3 条\n【网传】“{story.WATER[:40]}" in card["text"]

        # The commonest rumor is opened from the card and filed: all of its leads come along.
        shown = await p.press("陈静", (await p.all("leads"))[22].number, inside="集中到达")
        assert story.WATER[:20] in shown
        await p.press("陈静", "lead_file")
        assert len(await p.all("leads", state="attached")) == 3
        await p.tick(seconds=15)
        (card,) = await _cards(p, "flood")
        assert "待处理共 22 条" in card["text"], "changed in place"
        assert story.WATER[:20] not in card["text"]

        # What has no card stands in the list, and its number opens it.
        listed = await p.press("陈静", "desk_todo", inside="集中到达")
        assert "待办 23 项" in listed, "22 leads and the case"
        held = (await p.all("leads"))[21].number
        assert "第22栋" in await p.say("陈静", held)


async def test_a_grave_rumor_has_its_card_in_a_flood_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _rumors(p, 1, CARDS + 1)
        for _ in range(2):
            await p.say("王芳", GRAVE, forwarded=True)
            p.clock.forward(seconds=4)
        cards = await _cards(p, "queued_card")
        assert len(cards) == CARDS + 1
        assert GRAVE[:20] in cards[-1]["text"]


async def test_while_it_goes_on_the_desk_is_told_again_every_ten_minutes(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        await _rumors(p, 1, CARDS + 1)
        await p.tick()
        await p.tick(minutes=5)
        assert len(await _cards(p, "flood")) == 1
        # The list is not full any more after ten minutes: cards come again, and no digest.
        await p.tick(minutes=6)
        await _rumors(p, 40, 1)
        assert len(await _cards(p, "queued_card")) == CARDS + 1
        await p.tick(minutes=11)
        assert len(await _cards(p, "flood")) == 1
        # The next flood is told of anew.
        await _rumors(p, 50, CARDS + 1)
        await p.tick()
        assert len(await _cards(p, "flood")) == 2


async def test_a_desk_that_keeps_up_has_a_card_for_every_lead(tmp_path: Path) -> None:
    async with stage(tmp_path) as p:
        for number in range(CARDS + 5):
            await _rumors(p, number, 1)
            await p.press("陈静", "lead_file")
        await p.tick()
        assert len(await _cards(p, "queued_card")) == CARDS + 5
        assert not await _cards(p, "flood")


@pytest.mark.parametrize("key", ["the same", "another"])
async def test_what_was_held_back_is_compared_when_somebody_opens_it(
    tmp_path: Path, key: str
) -> None:
    async with stage(tmp_path) as p:
        await story.filed(p)
        await p.say("王芳", story.WATER, forwarded=True)
        await _rumors(p, 1, CARDS - 1)
        again = f"{story.LAMPS}，昨天上门收的", f"{story.WATER}，超市水都抢空了"
        shown = {}
        for text in again:
            await p.say("王芳", text, forwarded=True)
            lead = (await p.all("leads"))[-1]
            links = await p.all("links", lead=lead.id, target_kind__ne="bulletin")
            assert not links, "nobody looks at it yet"
            if key == "another":
                sealed = KeySealer("k" * 40).seal(text)
                async with p.parts.store.work() as work:
                    await work.leads.save(replace(await work.leads.get(lead.id), sealed=sealed))
                    await work.commit()
            for _ in range(2):
                shown[text] = await p.say("陈静", lead.number)
        case, water = (await p.all("cases"))[0], (await p.all("leads", text=story.WATER))[0]
        assert case.number in shown[again[0]]
        assert water.number in shown[again[1]]
        links = await p.all("links", target=case.id, state="suggested")
        assert len(links) == len({one.lead for one in links}), "opened twice, compared once"


async def test_what_falls_due_after_a_flood_fires_in_parts_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fired = []
    for at_once in (2, 1000):
        monkeypatch.setattr(ladder, "AT_ONCE", at_once)
        async with stage(tmp_path / str(at_once)) as p:
            await _rumors(p, 1, 9)
            await p.tick(hours=30)
            clocks = await p.all("deadlines")
            fired.append([(one.stage, one.rung, one.next_at) for one in clocks])
            fired[-1] += [one["text"] for one in await p.heard("陈静", limit=500)][9:]
            before = len(await p.heard("陈静", limit=500))
            await p.tick(seconds=15)
            assert len(await p.heard("陈静", limit=500)) == before, "said once"
    assert fired[0] == fired[1]
    assert any(rung for _, rung, _ in fired[0][:9])
