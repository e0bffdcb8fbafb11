"""Many deliveries in one statement, on both databases: stretch, fence, what is late, what is off."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import cast

import pytest

from matrix.core.delivery import Delivery, DeliveryState, Lane, Parcel
from matrix.ports import Mark, Verdict, Work
from storage.engine import open_engine
from storage.migrate import upgrade
from storage.unit_of_work import SqlStore, SqlWork
from tests.doubles.clock import FakeClock

NOW = FakeClock().now()
SUBJECT = "campaign:1"


@pytest.fixture
async def work(database_url: str) -> AsyncIterator[Work]:
    upgrade(database_url)
    engine = open_engine(database_url)
    async with SqlStore(engine).work() as opened:
        yield opened
    await engine.dispose()


def made(**fields: object) -> Delivery:
    template = {
        "id": "d", "lane": Lane.BROADCAST, "platform": "webhook", "address": "",
        "subject": SUBJECT, "content": {"plain": "明天不停水。"}, "created_at": NOW,
        "give_up_at": NOW + timedelta(hours=1), **fields,
    }  # fmt: skip
    return Delivery(**template)  # type: ignore[arg-type]


def mark(ids: list[str], attempt: str = "a1", **fields: object) -> Mark:
    given = {
        "subject": SUBJECT, "first": ids[0], "last": ids[-1], "platforms": ["webhook"],
        "at": NOW, "limit": 50, "source": "pending", "target": "sending",
        "dropped": "cancelled", "reason": "too-old", "attempt_id": attempt, "executor": "e1",
        **fields,
    }  # fmt: skip
    return Mark(**given)  # type: ignore[arg-type]


def verdict(one: str, under: str, state: str = "sent", **fields: object) -> Verdict:
    given = {
        "id": one, "attempt_id": under, "state": state, "remote_id": "r", "error": "",
        "sent_at": NOW, "not_before": None, "attempt": 1, **fields,
    }  # fmt: skip
    return Verdict(**given)  # type: ignore[arg-type]


async def post(work: Work, count: int, **fields: object) -> list[str]:
    return await work.ledger.post(made(**fields), [(f"in/{n}", f"a{n}", "") for n in range(count)])


async def test_what_is_posted_reads_back_as_it_was_written(work: Work) -> None:
    ids = await work.ledger.post(made(), [("in/0", "a0", "post:t0"), ("in/1", "a1", "")])
    first, second = await work.deliveries.find(order="id")
    assert [first.id, second.id] == ids == sorted(ids)
    assert (first.purpose, first.dedup, second.purpose, second.dedup) == (
        "post:t0", "post:t0", "", None,
    )  # fmt: skip
    assert second == made(id=ids[1], address="in/1", account="a1")


async def test_a_mark_takes_only_its_stretch_and_says_what_it_took(work: Work) -> None:
    ids = await post(work, 8)
    taken = await work.ledger.mark(mark(ids[2:6], limit=3))
    assert [one.id for one in taken] == ids[2:5]
    stored = [await work.deliveries.get(one.id) for one in taken]
    for parcel, row in zip(taken, stored, strict=True):
        assert parcel == tuple(getattr(row, name) for name in Parcel._fields)
    assert {(one.state, one.attempt, one.executor) for one in stored} == {
        (DeliveryState.SENDING, 1, "e1")
    }
    assert await work.ledger.marked(mark(ids)) == taken
    assert [one.id for one in await work.ledger.mark(mark(ids, "a2"))] == [*ids[:2], *ids[5:]]
    assert await work.ledger.mark(mark(ids, "a3")) == []


async def test_what_is_too_old_is_dropped_and_what_was_put_off_waits(work: Work) -> None:
    late = await post(work, 1, id="c", give_up_at=NOW)
    off = await post(work, 1, id="e", not_before=NOW + timedelta(minutes=2))
    taken = await work.ledger.mark(mark([late[0], off[0]]))
    assert [one.state for one in taken] == [DeliveryState.CANCELLED]
    assert (await work.deliveries.get(late[0])).error == "too-old"
    assert await work.ledger.next_due(mark(off)) == NOW + timedelta(minutes=2)
    assert await work.ledger.waiting(SUBJECT, "pending") == {"webhook": off}
    later = await work.ledger.mark(mark(off, at=NOW + timedelta(minutes=2)))
    assert [one.id for one in later] == off


async def test_an_outcome_is_written_only_where_its_attempt_still_stands(work: Work) -> None:
    ids = await post(work, 3)
    await work.ledger.mark(mark(ids))
    back = verdict(ids[0], "a1", "pending", sent_at=None, attempt=0)
    await work.ledger.settle("sending", [back])
    assert (await work.deliveries.get(ids[0])).attempt == 0
    await work.ledger.mark(mark(ids[:1], "a2"))
    written = await work.ledger.settle("sending", [verdict(one, "a1") for one in ids])
    assert written == set(ids[1:])
    first, second, _ = await work.deliveries.find(order="id")
    assert (first.state, first.attempt, first.attempt_id) == (DeliveryState.SENDING, 1, "a2")
    assert (second.state, second.sent_at, second.remote_id) == (DeliveryState.SENT, NOW, "r")
    assert await work.ledger.settle("sending", []) == set()


async def test_one_of_many_that_no_longer_stands_is_left_alone(work: Work) -> None:
    ids = await post(work, 30)
    await work.ledger.mark(mark(ids))
    await work.ledger.settle("sending", [verdict(ids[3], "a1", "pending", sent_at=None)])
    await work.ledger.mark(mark(ids[3:4], "a2"))
    outcomes = [verdict(one, "a1", remote_id=f"r{one}") for one in ids]
    outcomes[7] = verdict(ids[7], "a1", "failed", sent_at=None, error="refused", remote_id="")
    assert await work.ledger.settle("sending", outcomes) == {*ids} - {ids[3]}
    assert await work.ledger.settle("sending", outcomes) == set()
    rows = {one.id: one for one in await work.deliveries.find(subject=SUBJECT)}
    assert (rows[ids[3]].state, rows[ids[3]].attempt_id) == (DeliveryState.SENDING, "a2")
    assert (rows[ids[7]].state, rows[ids[7]].error) == (DeliveryState.FAILED, "refused")
    others = [rows[one] for one in ids if one not in {ids[3], ids[7]}]
    assert {(one.state, one.sent_at, one.version) for one in others} == {
        (DeliveryState.SENT, NOW, 2)
    }
    assert all(one.remote_id == f"r{one.id}" for one in others)


async def test_each_is_marked_with_its_own_text(work: Work) -> None:
    half = {"plain": "\ud83d"}
    ids = await post(work, 2) + await post(work, 2, id="e", content=half)
    taken = await work.ledger.mark(mark(ids))
    assert [one.id for one in taken] == ids
    assert [one.content for one in taken] == [{"plain": "明天不停水。"}] * 2 + [half] * 2


async def test_what_has_come_to_its_end_is_in_no_index_of_what_waits(work: Work) -> None:
    """Of a million that were sent none is looked at when it is asked what may go now."""
    connection = cast("SqlWork", work).connection
    if connection.dialect.name != "sqlite":
        pytest.skip("the planner of PostgreSQL counts rows first")
    for asked, index in (
        ("state = ? AND lane = ? AND not_before IS NULL", "open"),
        ("state = ? AND executor <> ?", "open"),
        ("person = ? AND error = ? AND not_before > 5", "waits"),
    ):
        values = ("p", "waits") if index == "waits" else ("sending", "conversation")
        explain = f"EXPLAIN QUERY PLAN SELECT * FROM delivery WHERE {asked}"
        plan = (await connection.exec_driver_sql(explain, values)).all()
        assert f"USING INDEX ix_delivery_{index} " in plan[0][-1], plan


async def test_all_of_a_subject_is_dropped_but_what_is_on_its_way(work: Work) -> None:
    ids = await post(work, 5)
    await post(work, 2, id="e", subject="campaign:2")
    await work.ledger.mark(mark(ids[:2]))
    assert await work.ledger.drop(SUBJECT, "pending", "cancelled", "void") == 3
    assert await work.ledger.drop(SUBJECT, "pending", "cancelled", "void") == 0
    states = [one.state for one in await work.deliveries.find(subject=SUBJECT, order="id")]
    assert states == ["sending", "sending", "cancelled", "cancelled", "cancelled"]
    assert await work.deliveries.count(subject="campaign:2", state="pending") == 2
