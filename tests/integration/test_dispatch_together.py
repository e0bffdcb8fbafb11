"""Several messages in one transaction: none takes another with it, and their order stays."""

import asyncio
from pathlib import Path

from bot.dispatch import Dispatcher
from matrix.core.conversation import InboxState
from tests.doubles.desk_rig import RUMOR, Desk, opened

BAD = "这一条进不了数据库，因为里面有一个坏词"


def broken(how: str) -> str:
    """A text that the database refuses: alone, or with everything beside it."""
    return (
        "CREATE TRIGGER broken BEFORE INSERT ON lead WHEN NEW.text LIKE '%坏词%'"
        f" BEGIN SELECT RAISE({how}, 'broken'); END"
    )


async def put(desk: Desk) -> None:
    """Five messages of five people, the third of which cannot be taken."""
    for number in range(1, 6):
        await desk.keep(number, text=BAD if number == 3 else f"{RUMOR}，第 {number} 次说")


async def told(desk: Desk) -> list[tuple[str, int]]:
    """State and attempts of each message."""
    return [((one := await desk.inbox(n)).state.value, one.attempts) for n in range(1, 6)]


async def test_a_message_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.sql(broken("ABORT"))
        await put(desk)
        await desk.settle()
        assert await told(desk) == [("done", 0)] * 2 + [("stored", 1)] + [("done", 0)] * 2
        assert await desk.count("leads") == 4
        assert "系统忙" in desk.said(3)[-1]
        assert all("收到，线索" in desk.said(n)[-1] for n in (1, 2, 4, 5))
        events = await desk.events("lead")
        # What the failed one had begun is not in the log; what came before and after it is.
        assert [one.action for one in events].count("receive") == 4
        assert [one.action for one in events].count("queue") == 4


async def test_where_the_whole_transaction_is_lost_each_has_one_of_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.sql(broken("ROLLBACK"))
        await put(desk)
        await desk.settle()
        assert await told(desk) == [("done", 0)] * 2 + [("stored", 1)] + [("done", 0)] * 2
        assert await desk.count("leads") == 4
        said = {n: "".join(desk.said(n)) for n in range(1, 6)}
        assert [said[n].count("收到，线索") for n in range(1, 6)] == [1, 1, 0, 1, 1]
        assert [said[n].count("系统忙") for n in range(1, 6)] == [0, 0, 1, 0, 0]


async def test_who_has_lost_the_line_since_it_looked_takes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.keep(1, 2, 3)
        held = [["sms"], []]
        suspended = Dispatcher(
            desk.parts.services, desk.parts.library, lines=lambda: held.pop(0) if held else []
        )
        assert await suspended.step()
        assert await desk.count("leads") == 0
        await desk.settle()
        assert await desk.count("inbox", state=InboxState.DONE) == 3


async def test_two_that_both_believe_to_hold_a_line_keep_its_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        for number in range(1, 26):
            await desk.keep(
                number, text=f"{RUMOR}，第 {number} 次说，大家都小心", external="p1", chat="p1"
            )
        both = [Dispatcher(desk.parts.services, desk.parts.library) for _ in range(2)]
        while any(await asyncio.gather(*(one.step() for one in both))):
            pass
        async with desk.parts.store.read() as work:
            leads = await work.leads.find(order="received_at")
        serials = [int(one.number.split("-")[1]) for one in sorted(leads, key=lambda one: one.id)]
        said = [one.text for one in sorted(leads, key=lambda one: one.id)]
        assert serials == list(range(1, 26))
        assert said == [f"{RUMOR}，第 {n} 次说，大家都小心" for n in range(1, 26)]
